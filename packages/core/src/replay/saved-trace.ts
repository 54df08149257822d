import type { Data } from "../data.js";
import { InputError } from "../errors.js";
import { type Choice, follow, type TraceStep } from "../explorer/trace.js";
import { keyOf, same } from "../key.js";
import type { Machine } from "../machine/machine.js";
import { judge } from "../properties/judge.js";
import type { Property, PropertyId } from "../properties/property.js";
import type { Broken, Verdict } from "../verdict.js";

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

/** SHA-256 of everything about a machine that does not change, as hex. */
export const fingerprint = async (machine: Machine): Promise<string> => {
  const { fetch, layout, cpu, cache, order, cpus, preempt } = machine;
  const { admits: _, ...fetchData } = fetch;
  const model = {
    fetch: fetchData as unknown as Data,
    cpu: { id: cpu.id, synchronizes: cpu.synchronizes, breakpoints: cpu.breakpoints, trapsMask: cpu.trapsMask },
    cache: { line: cache.line, operations: Object.keys(cache.operations), broadcast: cache.broadcast },
    order: order.id,
    cpus,
    preempt,
    text: [...layout.text] as unknown as Data,
    cells: [...layout.cells] as unknown as Data,
    programs: [...layout.programs.values()] as unknown as Data,
    routines: [...layout.routines] as unknown as Data,
    initial: layout.initial(machine) as unknown as Data,
  };
  const digest = await globalThis.crypto.subtle.digest("SHA-256", new TextEncoder().encode(keyOf(model)));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
};

/** A counterexample in a form that can be written to a file. */
export const saveTrace = async (
  machine: Machine,
  verdict: Extract<Verdict, { readonly verdict: "unsafe" }>,
  request: unknown,
): Promise<SavedTrace> => ({
  schema: TRACE_SCHEMA,
  model: await fingerprint(machine),
  request,
  property: verdict.property,
  why: verdict.why,
  steps: verdict.trace.map(({ cpu, rule, step, candidate, choice }) => ({ cpu, rule, step, candidate, choice })),
  ...(verdict.loop === undefined ? {} : { loop: verdict.loop }),
});

/**
 * Checks the form of a saved counterexample that was read from somewhere. Throws {@link InputError} when it has another form.
 *
 * `file`: its name, for the message.
 */
export const parseSavedTrace = (value: unknown, file: string): SavedTrace => {
  const fail = (what: string, place: string): never => {
    throw new InputError(`${file} is no saved counterexample: ${what}.`, { file, place });
  };
  if (typeof value !== "object" || value === null) return fail("it holds no JSON object", "top level");
  const trace = value as Partial<SavedTrace>;
  if (trace.schema !== TRACE_SCHEMA)
    return fail(`its schema is ${JSON.stringify(trace.schema)}, not "${TRACE_SCHEMA}"`, "schema");
  if (typeof trace.model !== "string") return fail("it names no model", "model");
  if (typeof trace.property !== "string" || typeof trace.why !== "string")
    return fail("it names no broken property", "property");
  if (!Array.isArray(trace.steps)) return fail("it has no list of steps", "steps");
  const { loop, steps } = trace;
  if (loop !== undefined && !(Number.isInteger(loop) && loop >= 0 && loop < steps.length))
    return fail("its loop begins at none of its steps", "loop");
  trace.steps.forEach((step: Partial<Choice>, i) => {
    if (
      !isIndex(step?.cpu) ||
      typeof step?.rule !== "string" ||
      !isIndex(step.candidate) ||
      !isIndex(step.choice) ||
      !(typeof step.step === "string" || step.step === null)
    ) {
      fail(`step ${i + 1} is not a choice of a CPU, a rule, a step, a candidate and an outcome`, `steps[${i}]`);
    }
  });
  return trace as SavedTrace;
};

const isIndex = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;

/** A replayed counterexample: its steps, and what the last one breaks now. */
export type Replayed = { readonly trace: readonly TraceStep[]; readonly broken: readonly Broken[] };

/**
 * Replays a saved counterexample strictly. Throws {@link InputError} when it is of another model, when a step is not possible
 * where it stands, or when the last step does not break the property that it broke.
 */
export const replayTrace = async (
  machine: Machine,
  properties: readonly Property[],
  saved: SavedTrace,
): Promise<Replayed> => {
  const model = await fingerprint(machine);
  if (model !== saved.model) {
    throw new InputError(
      `The trace is of another model (${saved.model.slice(0, 12)}…, this one is ${model.slice(0, 12)}…); it cannot be replayed here.`,
      { place: "model" },
    );
  }
  const trace = follow(machine, saved.steps);
  if (trace.length < saved.steps.length) {
    const next = saved.steps[trace.length] as Choice;
    throw new InputError(
      `Step ${trace.length + 1} of the trace (CPU ${next.cpu}, ${next.step ?? next.rule}) is not possible there.`,
      { place: `steps[${trace.length}]` },
    );
  }
  const back = saved.loop === undefined ? undefined : trace[saved.loop]?.before;
  if (back !== undefined && !same(trace.at(-1)?.after as unknown as Data, back as unknown as Data))
    throw new InputError("The last step of the trace does not lead back to where its loop begins.", { place: "loop" });
  const judged = judge(trace[trace.length - 1]?.observed ?? [], properties);
  const broken = judged.flatMap(({ property, why, causes }): readonly Broken[] =>
    causes === undefined || property === saved.property ? [{ property, why }] : [],
  );
  // Progress is a question about all continuations, so a finite trace leads to the state but does not break it by itself.
  if (saved.property !== "progress" && !broken.some(({ property }) => property === saved.property)) {
    throw new InputError(`The last step of the trace does not break ${saved.property}.`, { place: "property" });
  }
  return { trace, broken };
};
