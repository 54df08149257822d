import type { Data } from "../base/data.js";
import { InputError } from "../base/errors.js";
import { keyOf, same } from "../base/key.js";
import type { Property, PropertyId } from "../contract/property.js";
import type { Choice, TraceStep } from "../contract/trace.js";
import type { Broken, Verdict } from "../contract/verdict.js";
import { follow } from "../explorer/trace.js";
import type { Machine } from "../machine/machine.js";
import { judge } from "../properties/judge.js";
import {
  anything,
  assertFits,
  either,
  list,
  name,
  nothing,
  object,
  only,
  optional,
  type Schema,
  text,
  where,
  whole,
} from "../schema/schema.js";
import type { Plugin } from "../wiring/container.js";

/** The version of the format of saved counterexamples. */
export const TRACE_SCHEMA = "cmodx/trace/1";

/** A saved counterexample: which model it is of, what it broke, and the choices that lead there. */
export type SavedTrace = {
  readonly schema: typeof TRACE_SCHEMA;
  /** Fingerprint of the model; a trace of another one is refused. */
  readonly model: string;
  /** What the model was made from, for whoever saved it; core does not read it. */
  readonly request: unknown;
  readonly property: PropertyId;
  readonly why: string;
  readonly steps: readonly Choice[];
  /** The index of the step at which a cycle begins, where the steps from there on repeat for ever. */
  readonly loop?: number;
};

/** What a counterexample is of: the machine, and what else a verdict depends on. */
export type Model = {
  readonly machine: Machine;
  /** The properties that are judged. */
  readonly properties: readonly Property[];
  /** Ids of the properties that count. */
  readonly counted: ReadonlySet<PropertyId>;
  readonly plugins: readonly Plugin[];
};

/** The plain data in a value: functions are left out, maps and sets are lists. */
const dataOf = (value: unknown): Data => {
  if (typeof value === "function") return undefined;
  if (typeof value !== "object" || value === null) return value as Data;
  if (value instanceof Map || value instanceof Set || Array.isArray(value)) return [...value].map(dataOf);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, dataOf(inner)]));
};

/**
 * SHA-256, as hex, of everything that a verdict on a model depends on and that is data. Of functions (what rules do, what a fetch model
 * admits) their owners' ids, sources and footprints stand for them.
 */
export const fingerprint = async ({ machine, properties, counted, plugins }: Model): Promise<string> => {
  const { layout, ...parts } = machine;
  // What programs say of their steps is for people, and they are there as they were compiled.
  const { plans: _, sites, ...laidOut } = layout;
  const model = dataOf({
    ...parts,
    layout: { ...laidOut, sites: sites.map(({ origin: _, ...site }) => site) },
    initial: machine.initial(),
    book: machine.book,
    properties: properties.map(({ id, consequenceOf }) => ({ id, consequenceOf })),
    counted: [...counted].sort(),
    plugins: plugins.map(({ id, replaces = [] }) => ({ id, replaces: replaces.map((token) => Symbol.keyFor(token)) })),
  });
  const digest = await globalThis.crypto.subtle.digest("SHA-256", new TextEncoder().encode(keyOf(model)));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
};

/** A counterexample in a form that can be written to a file. */
export const saveTrace = async (
  model: Model,
  verdict: Extract<Verdict, { readonly verdict: "unsafe" }>,
  request: unknown,
): Promise<SavedTrace> => ({
  schema: TRACE_SCHEMA,
  model: await fingerprint(model),
  request,
  property: verdict.property,
  why: verdict.why,
  steps: verdict.trace.map(({ cpu, rule, step, candidate, choice }) => ({ cpu, rule, step, candidate, choice })),
  ...(verdict.loop === undefined ? {} : { loop: verdict.loop }),
});

const choiceSchema: Schema<Choice> = object("a choice of a CPU", {
  cpu: whole(0),
  rule: text,
  step: either("the id of a step, or null", text, nothing),
  candidate: whole(0),
  choice: whole(0),
});

const savedTraceSchema: Schema<SavedTrace> = where(
  object("a saved counterexample", {
    schema: only(TRACE_SCHEMA),
    model: text,
    request: anything,
    property: name<PropertyId>(),
    why: text,
    steps: list("steps", choiceSchema),
    loop: optional(whole(0)),
  }),
  ({ loop, steps }) =>
    loop === undefined || loop < steps.length ? undefined : "has a loop that begins at none of its steps.",
);

/**
 * Checks the form of a saved counterexample that was read from somewhere. Throws {@link InputError} when it has another form.
 *
 * `file`: its name, for the message.
 */
export const parseSavedTrace = (value: unknown, file: string): SavedTrace => {
  assertFits(savedTraceSchema, value, "trace", { file, words: `${file} is no saved counterexample` });
  return value;
};

/** A replayed counterexample: its steps, and what the last one breaks now. */
export type Replayed = { readonly trace: readonly TraceStep[]; readonly broken: readonly Broken[] };

/**
 * Replays a saved counterexample strictly. Throws {@link InputError} when it is of another model, when a step is not possible
 * where it stands, or when the last step does not break the property that it broke.
 */
export const replayTrace = async (of: Model, saved: SavedTrace): Promise<Replayed> => {
  const { machine, properties } = of;
  const model = await fingerprint(of);
  if (model !== saved.model) {
    throw new InputError(
      `The trace is of another model (${saved.model.slice(0, 12)}…, this one is ${model.slice(0, 12)}…); it cannot be replayed here.`,
      { place: "model", code: "conflict" },
    );
  }
  const trace = follow(machine, saved.steps);
  if (trace.length < saved.steps.length) {
    const next = saved.steps[trace.length] as Choice;
    throw new InputError(
      `Step ${trace.length + 1} of the trace (CPU ${next.cpu}, ${next.step ?? next.rule}) is not possible there.`,
      { place: `steps[${trace.length}]`, code: "conflict" },
    );
  }
  const back = saved.loop === undefined ? undefined : trace[saved.loop]?.before;
  if (back !== undefined && !same(trace.at(-1)?.after, back))
    throw new InputError("The last step of the trace does not lead back to where its loop begins.", {
      place: "loop",
      code: "conflict",
    });
  const judged = judge(trace[trace.length - 1]?.observed ?? [], properties);
  const broken = judged.flatMap(({ property, why, causes }): readonly Broken[] =>
    causes === undefined || property === saved.property ? [{ property, why }] : [],
  );
  // Progress is a question about all continuations, so a finite trace leads to the state but does not break it by itself.
  if (saved.property !== "progress" && !broken.some(({ property }) => property === saved.property)) {
    throw new InputError(`The last step of the trace does not break ${saved.property}.`, {
      place: "property",
      code: "conflict",
    });
  }
  return { trace, broken };
};
