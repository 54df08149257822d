import { InputError } from "../base/errors.js";
import { didYouMean } from "../base/nearest.js";
import type { Architecture } from "../contract/architecture.js";
import type { Line, PatchProgram, Step } from "../contract/program.js";
import { NMI_OFF } from "../contract/state.js";
import { isStep, nested } from "../program/lines.js";
import { operationIds } from "../schema/program.js";

/* What programs name has to be there: a misspelt word, vector, barrier or cache operation would silently be another question. */

/** A program, and whose it is: `the strategy int3`. */
export type Planned = { readonly of: string; readonly program: PatchProgram };

/** Handlers of what no instruction raises: interrupts, and the kernel's way back to a task that was preempted. */
export const entryHandlers: ReadonlySet<string> = new Set(["irq", "nmi", "switch"]);

/** What a program can name. */
type Kind = "word" | "cpuWord" | "anyWord" | "vector" | "barrier" | "maintenance" | "lock" | "window";

const said: { readonly [kind in Kind]: string } = {
  word: "the shared word",
  cpuWord: "the per-CPU word",
  anyWord: "the word",
  vector: "the vector",
  barrier: "the barrier",
  maintenance: "the cache operation",
  lock: "the lock",
  window: "the window",
};

/** What no step does to a thing that is given back. */
const taking: { readonly [kind in Kind]?: string } = { lock: "no step takes", window: "no step enters" };

/** By operation, what it names and in which argument. */
const namedBy: ReadonlyMap<string, readonly [Kind, string]> = new Map<string, readonly [Kind, string]>([
  ...["set", "load", "add", "until", "free", "lookup"].map((op) => [op, ["word", "word"]] as const),
  ...["setEachCpu", "addEachCpu", "untilEachCpu", "tryGet", "put"].map((op) => [op, ["cpuWord", "word"]] as const),
  ["armTrap", ["vector", "vector"]],
  ["disarmTrap", ["vector", "vector"]],
  ["fence", ["barrier", "kind"]],
  ["maintain", ["maintenance", "operation"]],
  ["unlock", ["lock", "name"]],
  ["leaveWindow", ["window", "window"]],
]);

const stepsIn = (lines: readonly Line[]): readonly Step[] =>
  lines.flatMap((line) => [...(isStep(line) ? [line] : []), ...stepsIn(nested(line))]);

/** Throws {@link InputError} where a step names a word, a vector, a barrier or a cache operation that is not there, or a lock or a window that no step takes. Where an architecture does not list its vectors or barriers, these are not looked at. */
export const assertNamed = (
  programs: readonly Planned[],
  { instructionSet, cpu, cache, memory }: Pick<Architecture, "instructionSet" | "cpu" | "cache" | "memory">,
): void => {
  const { vectors } = instructionSet;
  const declared = (of: "words" | "cpuWords"): readonly string[] =>
    programs.flatMap(({ program }) => Object.keys(program[of] ?? {}));
  const steps = programs.flatMap(({ program }) =>
    stepsIn([program.main, ...Object.values(program.traps ?? {})].flat()),
  );
  const there: { readonly [kind in Kind]: ReadonlySet<string> | undefined } = {
    word: new Set(declared("words")),
    anyWord: new Set([...declared("words"), ...declared("cpuWords")]),
    cpuWord: new Set([NMI_OFF, ...declared("cpuWords")]),
    vector: vectors === undefined ? undefined : new Set([...vectors, ...cpu.breakpoints, ...entryHandlers]),
    barrier: memory?.barriers === undefined ? undefined : new Set(memory.barriers),
    maintenance: new Set(Object.keys(cache.operations)),
    lock: new Set(steps.flatMap((step) => (step.op === "lock" ? [step.args.name] : []))),
    window: new Set(steps.flatMap((step) => (step.op === "enterWindow" ? [step.args.window] : []))),
  };
  for (const { of, program } of programs) {
    const need = (place: string, who: string, name: unknown, what: Kind): void => {
      const among = there[what];
      if (among === undefined || among.has(String(name))) return;
      throw new InputError(
        `${who} of ${of} names ${said[what]} ${name}, which ${taking[what] ?? "is not there"}${didYouMean(String(name), among)}`,
        { place, code: /word/i.test(what) || what in taking ? "undeclared" : "unknown-name" },
      );
    };
    for (const vector of Object.keys(program.traps ?? {})) need(`traps.${vector}`, "A handler", vector, "vector");
    for (const { id, op, args } of stepsIn([program.main, ...Object.values(program.traps ?? {})].flat())) {
      const [what, argument] = namedBy.get(op) ?? [];
      const given: { readonly [name: string]: unknown } = args;
      if (what !== undefined && argument !== undefined) need(id, `The step ${id}`, given[argument], what);
      // Operations that strategies bring name words in the same way.
      else if (!operationIds.has(op) && typeof given.word === "string")
        need(id, `The step ${id}`, given.word, "anyWord");
    }
  }
};
