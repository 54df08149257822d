import { same } from "../base/key.js";
import { own } from "../base/own.js";
import type { Line } from "../contract/program.js";
import type { PropertyId } from "../contract/property.js";
import type { Scenario } from "../contract/scenario.js";
import { FREED, type MemoryState } from "../contract/state.js";
import type { NotJudged } from "../contract/verdict.js";
import type { Machine } from "../machine/machine.js";
import { isStep, nested } from "../program/lines.js";
import type { Steps } from "./steps.js";

/*
 * Questions that nothing can answer with no. What is empty is said by the programs: a handler that a right protocol never needs is there
 * all the same, and so is the question about it. A complete search adds whether anybody was there to be harmed, and anything to harm him.
 */

/** What is asked of a scenario, and what there is to it. */
type Asked = {
  readonly scenario: Scenario;
  readonly machine: Machine;
  readonly steps: Steps;
};

/** Why there is nothing to a property in these programs; undefined where there is something to it. */
const inPrograms: { readonly [property in PropertyId]?: (asked: Asked) => string | undefined } = {
  emulation: ({ machine }) =>
    unless(resumes(machine), "no trap handler claims a trap, so none emulates or resumes anything"),
  done: ({ scenario, machine }) =>
    scenario.patchers.length === 0
      ? "no patch call returns"
      : unless(runsCode(machine), "nobody runs code who could execute a site after the patch call"),
  pair: ({ machine, steps }) =>
    unless(machine.layout.pairs.size > 0 || observed(steps, "pair"), "no code is declared to be bound to data"),
  lifetime: ({ machine, steps }) => unless(uses(machine, FREEING) || holdsFreed(steps), "nothing is freed"),
  exclusive: ({ machine }) =>
    unless(uses(machine, EXCLUDING), "no program enters a window or a read-side section, or takes a lock"),
  fault: ({ machine }) => unless(runsCode(machine) || storesDirectly(machine), "nobody runs code"),
  assertion: ({ machine }) =>
    unless(
      asserts(machine) || uses(machine, TAKING),
      "nothing is asserted, no place forbidden, and nothing taken that has to be given back",
    ),
  trace: ({ machine }) =>
    unless(
      machine.initial().memory.sites.some(({ traced }) => traced !== undefined),
      "no program publishes text-poke events",
    ),
};

const unless = (there: boolean, why: string): string | undefined => (there ? undefined : why);

const FREEING: readonly string[] = ["free", "freeData", "freeCode", "mapCode"];
const ASSERTING: readonly string[] = ["assert", "expectText"];
const EXCLUDING: readonly string[] = ["enterWindow", "lock", "readLock"];
const TAKING: readonly string[] = [...EXCLUDING, "maskIrq"];

const asserts = (machine: Machine): boolean => uses(machine, ASSERTING) || machine.layout.forbidden.size > 0;

const uses = (machine: Machine, operations: readonly string[]): boolean =>
  operations.some((operation) => machine.uses(operation));

/** A program stores to text without a mapping of its own, which may be read-only. */
const storesDirectly = ({ layout }: Machine): boolean =>
  [...layout.programs.values()].some(({ code }) =>
    code.some((entry) => entry.kind === "op" && entry.op === "store" && entry.args.direct === true),
  );

const observed = (steps: Steps, what: string): boolean =>
  steps.effects.infos.some((info) => info.observed.some((each) => each.what === what));

/** An operation that a plugin brings may free words too. */
const holdsFreed = (steps: Steps): boolean => {
  const { services } = steps.parts;
  return Array.from({ length: services.size }, (_, i) => services.value(i)).some(({ words }) =>
    Object.values(words).includes(FREED),
  );
};

/** Vectors of what is no trap: an interrupt from outside, and the switch to a task. */
const NO_TRAPS: ReadonlySet<string> = new Set(["irq", "nmi", "switch"]);

const resumes = ({ layout }: Machine): boolean =>
  layout.plans
    .flat()
    .some(({ traps = {} }) => Object.entries(traps).some(([vector, lines]) => !NO_TRAPS.has(vector) && claims(lines)));

const claims = (lines: readonly Line[]): boolean =>
  lines.some((line) => (isStep(line) && line.op === "claim") || claims(nested(line)));

const runsCode = (machine: Machine): boolean => {
  const { cpus, parked } = machine.initial();
  const tasks = [...cpus.flatMap(({ stack }) => stack), ...parked.tasks];
  const interrupts = (["irq", "nmi"] as const).some((from) => machine[from] && machine.entries(from).length > 0);
  return interrupts || tasks.some(({ code }) => code.run === "machine");
};

/** Properties of what is executed at sites that change. The others are about the programs, or about the run as a whole. */
const ofChangedCode: ReadonlySet<PropertyId> = new Set([
  "mid-sequence",
  "old-or-new",
  "trap-owned",
  "emulation",
  "done",
  "pair",
  "trace",
  "rule",
]);

/** An operation that a plugin brings may observe pairs that no site is part of. */
const needsChange = (property: PropertyId, { machine, steps }: Asked): boolean =>
  ofChangedCode.has(property) &&
  !(property === "pair" && observed(steps, "pair")) &&
  !(property === "old-or-new" && hasWritableText(machine));

/** Machine code may change text that is no site. */
const hasWritableText = (machine: Machine): boolean =>
  machine.initial().memory.text?.some(({ access }) => access.includes("w")) === true || machine.uses("setMemory");

/**
 * Properties that need no change of code to be broken. They count along with every other question; where no change can harm anybody and
 * one patcher is at work, they are a question of their own only for who names them.
 */
const alongside: ReadonlySet<PropertyId> = new Set(["exclusive", "fault", "progress"]);

/** That a program gives back what it took is asked of each; what it asserts is its own question. */
const isAlongside = (property: PropertyId, machine: Machine): boolean =>
  property === "assertion" ? !asserts(machine) : alongside.has(property);

const NOBODY = "nobody executed a site during a flip";
const NO_CHANGE = "the old code equals the new, and no code or data that was stored differs from what was there";
const NOBODY_CHANGES = "no patcher changed any site";

/** Why nobody can be harmed by a change of code, after a search that saw everything: nothing changes, or nobody is there. */
export const idleBecause = (asked: Asked): string | undefined => {
  if (!changesNothing(asked)) return unless(executedSites(asked.steps).size > 0, NOBODY);
  return asked.machine.layout.sites.every(({ versions: [old, next] }) => same(old.bytes, next.bytes))
    ? NO_CHANGE
    : NOBODY_CHANGES;
};

/** The properties that count and that nothing in the scenario can break. `idle`: {@link idleBecause}, where that is known. */
export const notJudgedIn = (
  counted: ReadonlySet<PropertyId>,
  asked: Asked,
  idle: string | undefined,
): readonly NotJudged[] =>
  [...counted].flatMap((property) => {
    const why = own(inPrograms, property)?.(asked) ?? (needsChange(property, asked) ? idle : undefined);
    return why === undefined ? [] : [{ property, why }];
  });

/** Why a scenario in which nothing broke asks nothing; undefined where it does ask something. */
export const vacuousBecause = (
  counted: ReadonlySet<PropertyId>,
  notJudged: readonly NotJudged[],
  { scenario: { properties, patchers }, machine }: Asked,
  idle: string | undefined,
): string | undefined => {
  const empty = new Set(notJudged.map(({ property }) => property));
  const ownQuestion = (property: PropertyId): boolean =>
    idle === undefined || properties !== undefined || patchers.length > 1 || !isAlongside(property, machine);
  if ([...counted].some((property) => !empty.has(property) && ownQuestion(property))) return undefined;
  if (counted.size === 0) return "No property counts.";
  return idle === undefined || properties !== undefined
    ? `There is nothing to judge: ${becauseOf(notJudged)}.`
    : sentence(idle);
};

/** `trace, because no program publishes text-poke events; pair and lifetime, because …`. */
export const becauseOf = (notJudged: readonly NotJudged[]): string => {
  const reasons = [...new Set(notJudged.map(({ why }) => why))];
  return reasons
    .map((reason) => {
      const ids = notJudged.filter(({ why }) => why === reason).map(({ property }) => property);
      const all = ids.length < 2 ? ids.join() : `${ids.slice(0, -1).join(", ")} and ${ids.at(-1)}`;
      return `${all}, because ${reason}`;
    })
    .join("; ");
};

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/**
 * The sites that somebody executed, or loaded from, while a call that changes them was under way. Of a search that saw everything these are
 * all that can be: its reductions take every effect of a full search.
 */
const executedSites = (steps: Steps): ReadonlySet<number> =>
  new Set(
    steps.effects.infos.flatMap(({ observed }) =>
      observed.flatMap(({ what, detail }) =>
        (what === "load-site" || what === "execute") && detail.calling === true ? [detail.site as number] : [],
      ),
    ),
  );

/** The sites that patchers change and that nobody executed meanwhile, after a search that saw everything. */
export const notExecutedIn = ({ scenario, steps }: Asked): readonly number[] => {
  const executed = executedSites(steps);
  return [...new Set(scenario.patchers.flatMap(({ sites }) => sites))]
    .filter((site) => !executed.has(site))
    .sort((a, b) => a - b);
};

/**
 * No state held other code than the first, nor other data where that may be a patcher's doing. What the patched code counts for itself is
 * no change.
 */
const changesNothing = ({ machine, steps }: Asked): boolean => {
  const { memory } = steps.parts;
  const withData = writesData(machine);
  const held = ({ cells, data }: MemoryState): number =>
    steps.parts.structure({ data: withData ? data : {}, code: Object.values(cells).map(({ latest }) => latest) });
  const first = held(machine.initial().memory);
  return Array.from({ length: memory.size }, (_, i) => memory.value(i)).every((state) => held(state) === first);
};

/** A program writes data, or code may change a site that is data. An operation that does not say what data it writes may write any. */
const writesData = (machine: Machine): boolean => {
  const { sites, programs } = machine.layout;
  if (sites.some(({ data }) => data)) return true;
  return [...programs.values()].some(({ code }) =>
    code.some((entry) => {
      if (entry.kind !== "op") return false;
      const rule = machine.rule(entry.op);
      return rule.writes.includes("memory") && rule.writesData?.(entry.args).length !== 0;
    }),
  );
};
