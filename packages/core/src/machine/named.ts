import { InputError } from "../base/errors.js";
import { didYouMean } from "../base/nearest.js";
import type { Architecture } from "../contract/architecture.js";
import type { Line, PatchProgram, Step } from "../contract/program.js";
import type { Named, Rule } from "../contract/rule.js";
import { NMI_OFF } from "../contract/state.js";
import { isStep, nested } from "../program/lines.js";
import { operations } from "../schema/program.js";
import { coreRules } from "./rules.js";

/* What programs name has to be there: a misspelt word, vector, barrier or cache operation would silently be another question. */

/** A program, and whose it is: `the strategy int3`. */
export type Planned = { readonly of: string; readonly program: PatchProgram };

/** Handlers of what no instruction raises: interrupts, and the kernel's way back to a task that was preempted. */
const entryHandlers: ReadonlySet<string> = new Set(["irq", "nmi", "switch"]);

const said: { readonly [kind in Named]: string } = {
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
const introduced: { readonly [kind in Named]?: string } = { lock: "no step takes", window: "no step enters" };

/** The rule of an operation; composite operations have none. */
export type RuleOf = (op: string) => Rule | undefined;

/** What a step names, with the kinds of these things. */
const namesOf = ({ op, args }: Step, ruleOf: RuleOf): readonly (readonly [Named, unknown])[] => {
  const rule = ruleOf(op);
  const given: { readonly [argument: string]: unknown } = args;
  // An operation that does not say what it names names words as those of core do.
  const word = rule?.introduces === undefined && typeof given.word === "string" ? ({ word: "anyWord" } as const) : {};
  return Object.entries<Named>(rule?.names ?? word).map(([argument, what]) => [what, given[argument]]);
};

/** Rules of the machine itself; programs are compiled to some of them. */
const machineRules: ReadonlySet<string> = new Set(coreRules.rules.map(({ id }) => id));

const stepsIn = (lines: readonly Line[]): readonly Step[] =>
  lines.flatMap((line) => [...(isStep(line) ? [line] : []), ...stepsIn(nested(line))]);

/** Throws {@link InputError} where a step names a word, a vector, a barrier or a cache operation that is not there, or a lock or a window that no step takes. Where an architecture does not list its vectors or barriers, these are not looked at. */
export const assertNamed = (
  programs: readonly Planned[],
  { instructionSet, cpu, cache, memory }: Pick<Architecture, "instructionSet" | "cpu" | "cache" | "memory">,
  ruleOf: RuleOf,
): void => {
  const { vectors } = instructionSet;
  const declared = (of: "words" | "cpuWords"): readonly string[] =>
    programs.flatMap(({ program }) => Object.keys(program[of] ?? {}));
  const steps = programs.flatMap(({ program }) =>
    stepsIn([program.main, ...Object.values(program.traps ?? {})].flat()),
  );
  const introducedBy = (kind: Named): ReadonlySet<string> =>
    new Set(
      steps.flatMap(({ op, args }) =>
        Object.entries(ruleOf(op)?.introduces ?? {}).flatMap(([argument, what]) =>
          what === kind ? [String((args as { readonly [argument: string]: unknown })[argument])] : [],
        ),
      ),
    );
  const there: { readonly [kind in Named]: ReadonlySet<string> | undefined } = {
    word: new Set(declared("words")),
    anyWord: new Set([...declared("words"), ...declared("cpuWords")]),
    cpuWord: new Set([NMI_OFF, ...declared("cpuWords")]),
    vector: vectors === undefined ? undefined : new Set([...vectors, ...cpu.breakpoints, ...entryHandlers]),
    barrier: memory?.barriers === undefined ? undefined : new Set(memory.barriers),
    maintenance: new Set(Object.keys(cache.operations)),
    lock: introducedBy("lock"),
    window: introducedBy("window"),
  };
  for (const { of, program } of programs) {
    const need = (place: string, who: string, name: unknown, what: Named): void => {
      const among = there[what];
      if (among === undefined || among.has(String(name))) return;
      throw new InputError(
        `${who} of ${of} names ${said[what]} ${name}, which ${introduced[what] ?? "is not there"}${didYouMean(String(name), among)}`,
        { place, code: /word/i.test(what) || what in introduced ? "undeclared" : "unknown-name" },
      );
    };
    for (const vector of Object.keys(program.traps ?? {})) need(`traps.${vector}`, "A handler", vector, "vector");
    for (const step of stepsIn([program.main, ...Object.values(program.traps ?? {})].flat())) {
      const { id, op } = step;
      // A patch call that a step ended would be judged no more.
      if (machineRules.has(op) && !Object.hasOwn(operations, op))
        throw new InputError(`The step ${id} of ${of} uses ${op}, which is no operation of a program.`, {
          place: id,
          code: "unknown-name",
        });
      for (const [what, name] of namesOf(step, ruleOf)) need(id, `The step ${id}`, name, what);
    }
  }
};
