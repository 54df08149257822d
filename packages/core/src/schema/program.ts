import type { Data } from "../base/data.js";
import { MOST_BYTES } from "../base/maxima.js";
import { didYouMean } from "../base/nearest.js";
import type { CoreOperations } from "../contract/operations.js";
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
} from "../contract/program.js";
import type { TextChange } from "../contract/scenario.js";
import type { Impossible } from "../contract/strategy.js";
import { codeBlockSchema, codeSchema, dataBlockSchema, textAccess } from "./code.js";
import {
  address,
  bytes,
  data,
  either,
  type Fields,
  fields,
  flag,
  hexBytes,
  lazy,
  list,
  nothing,
  object,
  oneOf,
  oneOfNumbers,
  only,
  optional,
  record,
  type Schema,
  text,
  where,
  whole,
  word64,
  words,
} from "./schema.js";

/**
 * What the command line can name: `--drop` divides ids at commas, `--add KIND@start` comes before all steps. Kinds such as `dc cvau` are of
 * several words, and so are the ids of steps that are added.
 */
const stepId: Schema<string> = where(text, (id) =>
  id !== "start" && /^[^\s,\p{C}]+( [^\s,\p{C}]+)*$/u.test(id)
    ? undefined
    : `has to be an id, words without commas other than start, not ${JSON.stringify(id)}.`,
);

/** The schema of {@link Value}: any plain data, or the value of a local. */
const valueSchema: Schema<Value> = data;

const conditionSchema: Schema<Condition> = object("a condition", {
  test: oneOf({ eq: true, ne: true, lt: true }),
  a: valueSchema,
  b: valueSchema,
});

/** The schema of {@link Line}: control lines are told by their condition, and steps by their operation. */
export const lineSchema: Schema<Line> = lazy<Line>((value) => {
  const line = typeof value === "object" && value !== null ? value : {};
  if (Object.hasOwn(line, "when")) return whenSchema;
  if (Object.hasOwn(line, "while")) return whileSchema;
  return steps.get("op" in line ? String(line.op) : "") ?? otherStepSchema;
});

/** The schema of lines. */
export const linesSchema: Schema<readonly Line[]> = list("lines", lineSchema);

const stepWith = (args: Schema<Step["args"]>): Schema<Step> =>
  object<Step>("a step", {
    id: stepId,
    op: text as Schema<Step["op"]>,
    args,
    note: optional(text),
    synchronises: optional(only(true)),
  });

const anyStep = (): Schema<Step> => stepWith(record<Data>("arguments", data));

/** A step of an operation that core does not know: its rule knows what its arguments are. */
const otherStepSchema = anyStep();

const into = words;
const word = words;
const storing = { address, bytes: hexBytes, width: oneOfNumbers({ 1: true, 2: true, 4: true, 8: true }) };

const range = { address, size: whole(1, MOST_BYTES) };

/** A flavour of RCU: one of these, or a domain of SRCU. */
const flavour = (known: readonly string[]): Schema<string> =>
  where(text, (value) =>
    known.includes(value) || /^srcu:[^\s@]+$/.test(value)
      ? undefined
      : `cannot be ${JSON.stringify(value)}${didYouMean(value, [...known, "srcu:NAME"])}`,
  );

/** The arguments of each operation that a patch program may use and that core's rules and its compiler know. */
export const operations: { readonly [O in keyof CoreOperations]: Fields<CoreOperations[O]> } = {
  store: { ...storing, direct: optional(only(true)) },
  freeCode: range,
  mapCode: { address, code: codeSchema, access: optional(textAccess), mode: optional(text) },
  setMemory: { ...range, change: oneOf<TextChange>({ ro: true, rw: true, x: true, nx: true }) },
  assert: { id: text, condition: conditionSchema, why: words },
  expectText: { address, bytes: hexBytes },
  storeData: storing,
  freeData: { address, size: whole(1) },
  publishEvent: { address, old: hexBytes, next: hexBytes, begins: flag },
  maintain: { operation: text, address: optional(address) },
  syncCore: {},
  syncCores: {},
  sendIpi: { handler: linesSchema, self: optional(only(true)) },
  waitIpi: { of: text },
  ack: {},
  maskIrq: {},
  unmaskIrq: {},
  stopMachine: { run: linesSchema, secondaries: linesSchema, everywhere: optional(only(true)) },
  waitGrace: { flavour: flavour(["rcu", "rcu-tasks", "rcu-tasks-rude", "rcu-tasks-trace"]) },
  readLock: { flavour: flavour(["rcu", "rcu-tasks", "rcu-tasks-trace"]) },
  readUnlock: { flavour: flavour(["rcu", "rcu-tasks", "rcu-tasks-trace"]) },
  fence: { kind: text },
  lock: { name: words },
  unlock: { name: words },
  enterWindow: { window: words },
  leaveWindow: { window: words },
  armTrap: { vector: text },
  disarmTrap: { vector: text },
  set: { word, value: data },
  load: { word, into },
  add: { word, by: whole(Number.MIN_SAFE_INTEGER), into: optional(into) },
  until: { word, value: data },
  free: { word },
  setEachCpu: { word, value: data },
  addEachCpu: { word, by: whole(Number.MIN_SAFE_INTEGER) },
  untilEachCpu: { word, value: data },
  tryGet: { word, into },
  put: { word },
  publish: {},
  lookup: { word, into },
  emulate: { bytes: data, all: optional(only(true)) },
  restart: {},
  claim: {},
};

const steps: ReadonlyMap<string, Schema<Step>> = new Map(
  Object.entries(operations).map(([id, args]) => [
    id,
    stepWith(fields(`the arguments of ${id}`, args) as Schema<object> as Schema<Step["args"]>),
  ]),
);

const whenSchema: Schema<When> = object("a line under a condition", {
  id: stepId,
  when: conditionSchema,
  lines: linesSchema,
  otherwise: optional(linesSchema),
});

const whileSchema: Schema<While> = object("a loop", { id: stepId, while: conditionSchema, repeat: linesSchema });

/** All forms of a line, as a schema that does not look at the value before it chooses. */
export const lineForms: Schema<Line> = either<When | While, Step>(
  "a line",
  either("a control line", whenSchema, whileSchema),
  anyStep(),
);

/** The schema of {@link Addition}. */
export const additionSchema: Schema<Addition> = object("an added line", {
  after: either("the id of a step, or null", text, nothing),
  inside: optional(oneOf<LinesArgument>({ handler: true, run: true, secondaries: true })),
  line: lineSchema,
});

const rangeSchema: Schema<{ readonly address: bigint; readonly size: number }> = object("a range of text", range);

const surroundingsSchema: Schema<Surroundings> = object("surroundings", {
  blocks: optional(list("blocks", codeBlockSchema)),
  data: optional(list("data", dataBlockSchema)),
  entries: optional(list("addresses", address)),
  writes: optional(list("ranges of text", rangeSchema)),
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
  words: optional(record<Data>("words", data)),
  cpuWords: optional(record<Data>("words", data)),
  around: optional(surroundingsSchema),
  pairs: optional(list("pairs", pairSchema)),
});

const impossibleSchema: Schema<Impossible> = object("a refusal", { impossible: words });

/** The schema of what a strategy answers: a program, or why there is none. */
export const plannedSchema: Schema<PatchProgram | Impossible> = lazy<PatchProgram | Impossible>((value) =>
  typeof value === "object" && value !== null && Object.hasOwn(value, "impossible") ? impossibleSchema : programSchema,
);
