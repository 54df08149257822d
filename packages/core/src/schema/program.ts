import type { Data } from "../data.js";
import type {
  Addition,
  Condition,
  Line,
  LinesArgument,
  Pair,
  PatchProgram,
  Step,
  Surroundings,
  Value,
  When,
  While,
} from "../program/program.js";
import { codeBlockSchema, dataBlockSchema } from "./code.js";
import {
  address,
  anything,
  bytes,
  either,
  lazy,
  list,
  nothing,
  object,
  oneOf,
  only,
  optional,
  record,
  type Schema,
  text,
  word64,
} from "./schema.js";

/** The schema of {@link Value}: any plain data, or the value of a local. */
export const valueSchema: Schema<Value> = anything;

const conditionSchema: Schema<Condition> = object("a condition", {
  test: oneOf({ eq: true, ne: true, lt: true }),
  a: valueSchema,
  b: valueSchema,
});

const stepSchema: Schema<Step> = object("a step", {
  id: text,
  op: text,
  args: record<Data>("arguments", anything),
  note: optional(text),
  synchronises: optional(only(true)),
});

/** The schema of {@link Line}: control lines are told by their condition. */
export const lineSchema: Schema<Line> = lazy<Line>((value) => {
  const line: object = typeof value === "object" && value !== null ? value : {};
  return (
    Object.hasOwn(line, "when") ? whenSchema : Object.hasOwn(line, "while") ? whileSchema : stepSchema
  ) as Schema<Line>;
});

/** The schema of lines. */
export const linesSchema: Schema<readonly Line[]> = list("lines", lineSchema);

const whenSchema: Schema<When> = object("a line under a condition", {
  id: text,
  when: conditionSchema,
  lines: linesSchema,
  otherwise: optional(linesSchema),
});

const whileSchema: Schema<While> = object("a loop", { id: text, while: conditionSchema, repeat: linesSchema });

/** The schema of {@link Addition}. */
export const additionSchema: Schema<Addition> = object("an added line", {
  after: either("the id of a step, or null", text, nothing),
  inside: optional(oneOf<LinesArgument>({ handler: true, run: true, secondaries: true })),
  line: lineSchema,
});

const surroundingsSchema: Schema<Surroundings> = object("surroundings", {
  blocks: optional(list("blocks", codeBlockSchema)),
  data: optional(list("data", dataBlockSchema)),
  entries: optional(list("addresses", address)),
});

const pairSchema: Schema<Pair> = object("a pair", {
  at: address,
  registers: list("registers", text),
  published: list("combinations", list("values", word64)),
});

const guardSchema: Schema<NonNullable<PatchProgram["guards"]>[number]> = object("a guard", { address, bytes });

/** The schema of {@link PatchProgram}; what its steps do is looked at when the machine is made. */
export const programSchema: Schema<PatchProgram> = object("a patch program", {
  main: linesSchema,
  traps: optional(record("handlers", linesSchema)),
  guards: optional(list("guards", guardSchema)),
  words: optional(record<Data>("words", anything)),
  cpuWords: optional(record<Data>("words", anything)),
  around: optional(surroundingsSchema),
  pairs: optional(list("pairs", pairSchema)),
});
