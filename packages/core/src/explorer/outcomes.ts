import type { ExecutedAtSite, Observation, ReturnedAtSite } from "../contract/events.js";
import { type Level, running } from "../contract/state.js";
import type { Bounds, Progress } from "../contract/verdict.js";
import type { Machine } from "../machine/machine.js";
import { CPU0 } from "./row.js";
import { Search } from "./search.js";
import { type Settling, Steps } from "./steps.js";

/**
 * What an instruction at a site is: one of its versions; the same in both; a trap that a patcher put there; an instruction by which a
 * patcher holds up whoever comes; or `torn`, none of these.
 */
export type OutcomeKind = "old" | "new" | "both" | "breakpoint" | "guard" | "torn";

/** One instruction that CPUs can execute at a site. */
export type SiteOutcome = {
  /** The CPUs that can, in ascending order. */
  readonly cpus: readonly number[];
  /** Index into the scenario's sites. */
  readonly site: number;
  /** In bytes from the site's start. */
  readonly offset: number;
  readonly address: bigint;
  /** The CPU executed it, or a trap handler gave the interrupted code its effect. */
  readonly how: "executed" | "emulated";
  readonly kind: OutcomeKind;
  /** Bytes as hex; empty for what a handler did that is the effect of no version. */
  readonly bytes: string;
  readonly text: string;
  /** The contexts that executed it. */
  readonly levels: readonly Level[];
  /** It was as memory held it then. */
  readonly fresh: boolean;
  /** It was not what memory held any more, or ever held. */
  readonly stale: boolean;
  /** During a patch call of its site. */
  readonly during: boolean;
  /** While no patch call of its site was under way. */
  readonly outside: boolean;
  /** It had the effect of the old version after the patch call had returned. */
  readonly late: boolean;
  /** Why the fetch model refuses it, where it does: one sentence for each reason. */
  readonly refused: readonly string[];
};

/** What {@link Simulation.outcomes} found. */
export type Outcomes = {
  readonly outcomes: readonly SiteOutcome[];
  /** What ended the run early; null: the whole reachable space was seen, and there are no other outcomes. */
  readonly limit: keyof Bounds | "interrupted" | null;
  readonly states: number;
  readonly transitions: number;
  readonly seconds: number;
  readonly bounds: Bounds;
};

/** How outcomes are looked for. */
export type OutcomesOptions = {
  readonly bounds?: Bounds;
  /** As in {@link CheckOptions}. */
  readonly memory?: () => number;
  /** Ends the run; the listing then says so. */
  readonly signal?: AbortSignal;
  /** Told about five times a second how far the run is. */
  readonly onProgress?: (progress: Progress) => void;
  /** As in {@link CheckOptions}; the listing is the same without. */
  readonly reduce?: boolean;
};

/** Outcomes of one listing that another does not have: by site, place, bytes, and whether executed or emulated. */
export const outcomesBeyond = (
  outcomes: readonly SiteOutcome[],
  others: readonly SiteOutcome[],
): readonly SiteOutcome[] => {
  const known = new Set(others.map(identity));
  return outcomes.filter((outcome) => !known.has(identity(outcome)));
};

const identity = ({ site, offset, how, bytes, text }: SiteOutcome): string => [site, offset, how, bytes, text].join();

/** Lists what every CPU can execute at the sites, over all that is reachable: a violation does not end the search. */
export const listOutcomes = async (
  machine: Machine,
  development: boolean,
  options: OutcomesOptions,
): Promise<Outcomes> => {
  const began = performance.now();
  const { bounds = {}, memory, signal, onProgress, reduce = true } = options;
  // No property is judged, so none ends the search.
  const listing = new Listing(machine, new Steps(machine, [], development), reduce);
  // It reduces for itself: what urgent steps show is to be seen.
  const how = { active: 0, graph: false, reduce: false as const, beyond: 0 };
  const end = await listing.run({ ...how, bounds, memory, signal, onProgress });
  return {
    outcomes: listing.outcomes(),
    limit: end.end === "limit" ? end.limit : null,
    states: listing.store.size,
    transitions: listing.transitions,
    seconds: (performance.now() - began) / 1000,
    bounds,
  };
};

type Found = { -readonly [K in "fresh" | "stale" | "during" | "outside" | "late"]: boolean } & {
  readonly of: Pick<SiteOutcome, "site" | "offset" | "address" | "how" | "kind" | "bytes" | "text">;
  readonly levels: Set<Level>;
  readonly refused: Set<string>;
};

/** Urgent steps are taken already. */
const SORTED: Settling = { urgent: false, symmetry: true };

/** A search that writes down what is executed at the sites on its way. */
class Listing extends Search {
  readonly #machine: Machine;
  readonly #steps: Steps;
  readonly #reduce: boolean;
  /** CPUs that start alike can do the same, so one of each kind is told apart. The boot CPU is always one of its own. */
  readonly #together: boolean;
  /** By effect: 0 not looked at yet, 1 shows nothing at a site, 2 does. */
  readonly #shows: number[] = [];
  readonly #seen = new Set<number>();
  /** By place of the CPU, then by what was executed. */
  readonly #found: readonly Map<string, Found>[];

  constructor(machine: Machine, steps: Steps, reduce: boolean) {
    super(steps);
    this.#machine = machine;
    this.#steps = steps;
    this.#reduce = reduce;
    this.#together = new Set(steps.initialRow().subarray(CPU0 + 1)).size <= 1;
    this.#found = Array.from({ length: machine.cpus }, () => new Map());
  }

  override transition(state: number, effect: number, column: number, next: Int32Array): void {
    const acting = this.store.rows[state * this.store.width + column] as number;
    this.#look(effect, column, acting, next[column] as number);
    if (this.#reduce) {
      // An urgent step is no execution at a site, so the part after it says all.
      this.#steps.hasten(next, (taken, at) => this.#look(taken, at, next[at] as number, next[at] as number));
      if (this.#together) this.#steps.settle(next, SORTED);
    }
    super.transition(state, effect, column, next);
  }

  #look(effect: number, column: number, before: number, after: number): void {
    this.#shows[effect] ??= this.#steps.effects.info(effect).observed.some(isAtSite) ? 2 : 1;
    if (this.#shows[effect] === 1) return;
    const cpu = this.#place(column, after);
    const key = effect * this.#machine.cpus + cpu;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    for (const { what, detail } of this.#steps.effects.info(effect).observed) {
      if (what === "execute" && detail.site !== null) this.#addExecuted(cpu, detail, levelOf(this.#steps, before));
      if (what === "return-from-trap" && detail.site !== null)
        this.#addEmulated(cpu, detail, levelOf(this.#steps, after));
    }
  }

  /** The CPU that what happens here is written down for. */
  #place(column: number, part: number): number {
    if (!this.#reduce || !this.#together) return column - CPU0;
    return this.#steps.parts.cpu.value(part).boot ? 0 : 1;
  }

  #addExecuted(cpu: number, seen: ExecutedAtSite, level: Level): void {
    const { site, offset, at, bytes, text, owned, matched, stale, refused } = seen;
    const traps = seen.vector !== null && this.#machine.cpu.breakpoints.includes(seen.vector);
    const kind = !owned ? kindOf(matched) : traps ? "breakpoint" : "guard";
    const found = this.#entry(cpu, { site, offset, address: at, how: "executed", kind, bytes, text });
    if (refused !== null) found.refused.add(refused);
    found.fresh ||= !stale;
    found.stale ||= stale;
    note(found, seen, level);
  }

  #addEmulated(cpu: number, seen: ReturnedAtSite, level: Level): void {
    const { site, offset, at, matched, resumes, restarted } = seen;
    if (restarted) return;
    const version = this.#machine.instructionsAt(site, offset).find((each) => matched.includes(each.version));
    const { bytes, text } = version ?? { bytes: "", text: `goes on at 0x${resumes.toString(16)}` };
    const kind = kindOf(matched);
    const found = this.#entry(cpu, { site, offset, address: at, how: "emulated", kind, bytes, text });
    found.fresh = true;
    note(found, seen, level);
  }

  #entry(cpu: number, of: Found["of"]): Found {
    const found = this.#found[cpu] as Map<string, Found>;
    const key = [of.site, of.offset, of.how, of.kind, of.bytes, of.text].join();
    let entry = found.get(key);
    if (entry === undefined) {
      const nothing = { fresh: false, stale: false, during: false, outside: false, late: false };
      entry = { of, ...nothing, levels: new Set(), refused: new Set() };
      found.set(key, entry);
    }
    return entry;
  }

  /** All that was found, with the CPUs that can do the same put together. */
  outcomes(): readonly SiteOutcome[] {
    const all = new Map<string, SiteOutcome & { readonly cpus: number[] }>();
    for (let cpu = 0; cpu < this.#machine.cpus; cpu++) {
      for (const { of, ...found } of (this.#found[this.#listed(cpu)] as Map<string, Found>).values()) {
        const levels = [...found.levels].sort((a, b) => levelOrder.indexOf(a) - levelOrder.indexOf(b));
        const outcome = { ...of, ...found, levels, refused: [...found.refused].sort(), cpus: [cpu] };
        const key = JSON.stringify({ ...outcome, cpus: [], address: String(of.address) });
        const same = all.get(key);
        if (same === undefined) all.set(key, outcome);
        else same.cpus.push(cpu);
      }
    }
    return [...all.values()].sort(inOrder);
  }

  /** Where it is written down what a CPU does. */
  #listed(cpu: number): number {
    return this.#reduce && this.#together ? Math.min(cpu, 1) : cpu;
  }
}

const isAtSite = ({ what, detail }: Observation): boolean =>
  (what === "execute" || what === "return-from-trap") && detail.site !== null;

const levelOf = (steps: Steps, part: number): Level => running(steps.parts.cpu.value(part))?.level ?? "task";

const levelOrder: readonly Level[] = ["task", "stopper", "irq", "trap", "nmi"];

const kindOf = (matched: readonly number[]): OutcomeKind => {
  if (matched.length > 1) return "both";
  return matched.includes(0) ? "old" : matched.includes(1) ? "new" : "torn";
};

const note = (found: Found, { calling, from, to, matched }: ExecutedAtSite | ReturnedAtSite, level: Level): void => {
  found.levels.add(level);
  found.during ||= calling;
  found.outside ||= !calling;
  found.late ||= !calling && matched.includes(from) && !matched.includes(to);
};

const kindOrder: readonly OutcomeKind[] = ["old", "both", "new", "breakpoint", "guard", "torn"];

const inOrder = (a: SiteOutcome, b: SiteOutcome): number =>
  a.site - b.site ||
  a.offset - b.offset ||
  Number(a.how === "emulated") - Number(b.how === "emulated") ||
  kindOrder.indexOf(a.kind) - kindOrder.indexOf(b.kind) ||
  compare(a.bytes + a.text, b.bytes + b.text) ||
  compare(a.cpus.join(), b.cpus.join());

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
