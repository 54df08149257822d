import type { Property } from "../../contract/property.js";
import type { Progress } from "../../contract/verdict.js";
import type { Pause } from "../pace.js";
import { CPU0, MEMORY, PARKED, SERVICES } from "../row.js";
import type { Steps } from "../steps.js";
import { ColumnSteps } from "./column-steps.js";
import { Diagrams, END, NONE } from "./diagrams.js";
import { rounded } from "./set-search.js";
import { Space, type StateSets } from "./space.js";

/*
 * All numbers of CPUs at once, by anchored views (after Abdulla, Haziza and Holík, "All for the price of few", 2013). A view of a state is
 * its shared parts, the CPUs that are anchors (those of the patchers, and the first), and two others. The views here are all that any
 * state can have, whatever its number of CPUs, and some more; what they do not break no number breaks.
 *
 * Why: (a) a step is a function of its own CPU's part and the shared parts; it changes other CPUs only by a map of each part by itself, and
 * waits for nothing but these parts and a condition on each CPU by itself. (b) So a view of what a step leads to is one of what the same step
 * leads to from the anchors, the two others of the view and the CPU that acts, with a further one where that is among them: to leave
 * the rest out only makes the condition weaker. (c) Where all views of the state before are here, these anchors and three others are
 * among those whose every view is here, which is what steps are taken from. (d) So by induction every view of every state is here, of
 * every number of CPUs that has three others. (e) Properties are judged by single effects, which (a) speaks of.
 *
 * It rests on: others that all start alike, so that one initial view stands for all numbers; a fixed number of patchers; no rule and no
 * program that asks how many CPUs there are, which the machine notes; no preemption, with which parked tasks are as many as CPUs. `progress`
 * is no question to what has more states than there are. A violation is none to tell: no state may have the views that led to it.
 */

/** CPUs of a view beside its anchors. */
export const OTHERS = 2;

/** So many values of the shared parts are enough to say that they have no end: something in them counts. */
const MOST_SHARED = 5_000;

/**
 * What came of the views: nothing breaks (`closed`); something may, which no number of CPUs need to confirm (`alarm`: what); or they do
 * not tell (`unknown`: why). The reasons are whole sentences.
 */
export type ViewsEnd =
  | { readonly end: "closed" }
  | { readonly end: "alarm"; readonly why: string }
  | { readonly end: "unknown"; readonly why: string };

/** The views of all states of a machine, whatever its number of CPUs. */
export class Views {
  readonly #steps: Steps;
  readonly #properties: readonly Property[];
  readonly space: Space;
  #anchors = 0;
  readonly #diagrams = new Diagrams();
  /** The views that were found, closed under steps of single CPUs: vectors of the parts of the anchors and of the others. */
  readonly found: StateSets = [];
  /** The vectors with one CPU more from which steps were taken. */
  readonly #lifted: StateSets = [];
  #broken = 0;
  readonly #lift: number;
  readonly #third: number;
  readonly #project: number;

  /**
   * `active`: bits of the properties that count, `progress` not among them. The machine has at least {@link OTHERS} and 1 CPUs beside the
   * anchors.
   */
  constructor(steps: Steps, properties: readonly Property[], active: number) {
    this.#steps = steps;
    this.#properties = properties;
    const violated = (effect: number): void => {
      this.#broken |= steps.effects.countedBits(effect, active);
    };
    this.space = new Space(new ColumnSteps(steps, active, true, violated), this.#diagrams);
    this.#lift = this.#diagrams.operation();
    this.#third = this.#diagrams.operation();
    this.#project = this.#diagrams.operation();
  }

  /** Bytes of the diagrams. */
  get bytes(): number {
    return this.#diagrams.bytes;
  }

  /** How far the search is after so many milliseconds. */
  progress(milliseconds: number): Progress {
    const states = rounded(this.space.count(this.found));
    const { steps } = this.space;
    return {
      states,
      frontier: steps.size,
      depth: null,
      nodes: this.#diagrams.size,
      rate: (1000 * states) / milliseconds,
    };
  }

  /** Finds the views. `anchors`: the columns of the anchors, counted from 0. */
  async explore(anchors: readonly number[], pause: Pause): Promise<ViewsEnd> {
    this.#anchors = anchors.length;
    const row = this.#steps.initialRow();
    const columns = [...row.subarray(CPU0)];
    const [other, ...more] = columns.filter((_, column) => !anchors.includes(column));
    if (other === undefined || more.some((part) => part !== other))
      return { end: "unknown", why: "The CPUs that no patcher runs on do not all start alike." };
    const view = [
      ...anchors.map((column) => columns[column] as number),
      ...Array.from({ length: OTHERS }, () => other),
    ];
    const { steps } = this.space;
    const shared = steps.number(row[MEMORY] as number, row[SERVICES] as number, row[PARKED] as number);
    const open: StateSets = [];
    open[shared] = this.#diagrams.vector(view.map((part) => steps.settled(steps.settingOf(shared), part)));
    return this.#close(open, pause);
  }

  async #close(open: StateSets, pause: Pause): Promise<ViewsEnd> {
    const diagrams = this.#diagrams;
    const space = this.space;
    diagrams.keep(this.found, this.#lifted, open);
    for (;;) {
      const shared = open.findIndex((set) => set !== undefined && set !== NONE);
      if (shared < 0) return { end: "closed" };
      await pause();
      diagrams.tidy();
      const found = open[shared] as number;
      open[shared] = NONE;
      const views = diagrams.union(this.found[shared] ?? NONE, space.local(shared).closed(found));
      this.found[shared] = views;
      const lifted = this.#liftedFrom(views, this.#anchors);
      const fresh = diagrams.minus(lifted, this.#lifted[shared] ?? NONE);
      this.#lifted[shared] = lifted;
      for (const { to, set } of space.shared(shared).images(fresh)) {
        const image = this.#projected(set, this.#anchors + OTHERS);
        open[to] = diagrams.union(open[to] ?? NONE, diagrams.minus(image, this.found[to] ?? NONE));
      }
      const end = this.#end();
      if (end !== undefined) return end;
    }
  }

  /** Why there is no use in going on. */
  #end(): ViewsEnd | undefined {
    const { machine, counting } = this.#steps;
    if (machine.countsCpus)
      return {
        end: "unknown",
        why: `${counting === undefined ? "A rule" : `The rule ${counting}`} asks how many CPUs there are.`,
      };
    if (this.#broken !== 0) {
      const first = this.#properties.find((_, i) => (this.#broken & (1 << i)) !== 0);
      return {
        end: "alarm",
        why: `Views of two CPUs beside those of the patchers may break ${first?.id}, which no number that was checked does.`,
      };
    }
    if (this.space.steps.size <= MOST_SHARED) return undefined;
    return { end: "unknown", why: "The programs count in shared words, or the like, without an end in sight." };
  }

  /** The vectors with one CPU more whose every view is in a set of views. */
  #liftedFrom(views: number, anchors: number): number {
    if (anchors === 0) return this.#triples(views);
    const found = this.#diagrams.cache.find(this.#lift, views, anchors);
    if (found >= 0) return found;
    const lifted = this.#mapped(views, (_, down) => this.#liftedFrom(down, anchors - 1));
    this.#diagrams.cache.put(this.#lift, views, anchors, lifted);
    return lifted;
  }

  /** The triples whose every pair is in a set of pairs, which has each pair in both orders. */
  #triples(pairs: number): number {
    const found = this.#diagrams.cache.find(this.#lift, pairs, 0);
    if (found >= 0) return found;
    const partners = new Map<number, number>();
    for (let at = pairs; at !== NONE; at = this.#diagrams.right(at))
      partners.set(this.#diagrams.value(at), this.#diagrams.down(at));
    const triples = this.#mapped(pairs, (_, seconds) => this.#pairsAmong(seconds, pairs, partners));
    this.#diagrams.cache.put(this.#lift, pairs, 0, triples);
    return triples;
  }

  /** The pairs in a set of pairs whose values are both among some values. */
  #pairsAmong(values: number, pairs: number, partners: ReadonlyMap<number, number>): number {
    const found = this.#diagrams.cache.find(this.#third, values, pairs);
    if (found >= 0) return found;
    const among = this.#mapped(values, (value) => this.#diagrams.common(values, partners.get(value) ?? NONE));
    this.#diagrams.cache.put(this.#third, values, pairs, among);
    return among;
  }

  /** The vectors of a set without what is behind so many columns. */
  #projected(set: number, columns: number): number {
    if (columns === 0) return set === NONE ? NONE : END;
    const found = this.#diagrams.cache.find(this.#project, set, columns);
    if (found >= 0) return found;
    const projected = this.#mapped(set, (_, down) => this.#projected(down, columns - 1));
    this.#diagrams.cache.put(this.#project, set, columns, projected);
    return projected;
  }

  /** The list of the entries of a set, each with what `down` makes of it; an entry behind which nothing comes is left out. */
  #mapped(set: number, down: (value: number, behind: number) => number): number {
    const entries: number[] = [];
    for (let at = set; at !== NONE; at = this.#diagrams.right(at)) entries.push(at);
    let list = NONE;
    for (let entry = entries.pop(); entry !== undefined; entry = entries.pop()) {
      const value = this.#diagrams.value(entry);
      list = this.#diagrams.node(value, down(value, this.#diagrams.down(entry)), list);
    }
    return list;
  }
}
