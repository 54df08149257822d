import { type Property, type PropertyId, reportedAt } from "../contract/property.js";
import type { Scenario } from "../contract/scenario.js";
import type { CpuState } from "../contract/state.js";
import type { Bounds, Broken, Verdict, VerdictBase } from "../contract/verdict.js";
import type { Machine } from "../machine/machine.js";
import { countedOf, type Judged } from "../properties/judge.js";
import { idleBecause, notExecutedIn, notJudgedIn, vacuousBecause } from "./empty.js";
import { emptyWaitsIn } from "./empty-waits.js";
import { PatchCall } from "./kept.js";
import { CPU0 } from "./row.js";
import { bitsOf, type Search, type Taken } from "./search.js";
import type { Steps } from "./steps.js";
import { follow } from "./trace.js";

/** What was found broken, and the way there. */
export type Found = {
  readonly path: readonly Taken[];
  readonly broken: readonly Judged[];
  /** What is broken only as a consequence of that. */
  readonly consequences: readonly Judged[];
};

/** What a verdict says of the size of the search behind it. */
export type Size = Pick<VerdictBase, "states" | "transitions" | "depth" | "bytes">;

/** The size of a search of states one by one. */
export const sizeOf = ({ store, transitions, depth, bytes }: Search): Size => ({
  states: store.size,
  transitions,
  depth,
  bytes,
});

type Unsafe = Extract<Verdict, { readonly verdict: "unsafe" }>;

/** Puts what searches found into verdicts, for one question: a scenario and the properties that count. */
export class Verdicts {
  readonly steps: Steps;
  readonly counted: ReadonlySet<PropertyId>;
  readonly calls: readonly PatchCall[];
  readonly #machine: Machine;
  readonly #properties: readonly Property[];
  readonly #scenario: Scenario;
  readonly #bounds: Bounds;
  readonly #began = performance.now();

  /** The time begins to run. */
  constructor(
    steps: Steps,
    properties: readonly Property[],
    scenario: Scenario,
    counted: ReadonlySet<PropertyId>,
    bounds: Bounds,
  ) {
    this.steps = steps;
    this.counted = counted;
    this.calls = scenario.patchers.map((_, patcher) => new PatchCall(steps, patcher));
    this.#machine = steps.machine;
    this.#properties = properties;
    this.#scenario = scenario;
    this.#bounds = bounds;
  }

  /** Bits of the properties that count. */
  get active(): number {
    return bitsOf(this.counted, this.#properties);
  }

  /** Milliseconds since the question was asked. */
  get elapsed(): number {
    return performance.now() - this.#began;
  }

  get #asked() {
    return { scenario: this.#scenario, machine: this.#machine, steps: this.steps };
  }

  /** What every verdict states. `complete`: everything was seen, so that what was not seen does not happen. */
  base(size: Size, brokenInactive: number, complete: boolean): VerdictBase {
    const notJudged = notJudgedIn(this.counted, this.#asked, complete ? idleBecause(this.#asked) : undefined);
    const decodes = this.counted.has("trace") && !notJudged.some(({ property }) => property === "trace");
    return {
      ...size,
      seconds: this.elapsed / 1000,
      bounds: this.#bounds,
      unused: complete ? this.#unused() : [],
      notJudged,
      ...(decodes ? { decoder: this.#machine.decoder } : {}),
      notExecuted: complete ? notExecutedIn(this.#asked) : [],
      emptyWaits: emptyWaitsIn(this.#machine),
      notPromised: this.#idsOf(brokenInactive),
      faults: this.counted.has("fault") ? [] : this.#faults(),
      ...this.#passed(),
    };
  }

  #passed(): Pick<VerdictBase, "opaque"> {
    const { instructions, dependent } = this.#machine.opaque;
    return instructions.length === 0 || dependent !== undefined ? {} : { opaque: instructions };
  }

  /** The verdict where everything was seen and nothing broke. */
  unbroken(base: VerdictBase): Verdict {
    const reason = this.#vacuous(this.counted, base);
    return reason === undefined ? { ...base, verdict: "safe" } : { ...base, verdict: "vacuous", reason };
  }

  /** What the verdict would be if this property did not count. */
  without(property: PropertyId, base: VerdictBase): "safe" | "vacuous" {
    const rest = new Set([...this.counted].filter((id) => id !== property));
    return this.#vacuous(rest, base) === undefined ? "safe" : "vacuous";
  }

  #vacuous(counted: ReadonlySet<PropertyId>, { notJudged }: VerdictBase): string | undefined {
    return vacuousBecause(counted, notJudged, this.#asked, idleBecause(this.#asked));
  }

  /** The verdict where something broke; `also`: bits of all that did. */
  unsafe({ path, broken, consequences }: Found, base: VerdictBase, also: number, shortest: boolean): Unsafe {
    const shown = broken.map(({ property, why }): Broken => ({ property, why }));
    const inOrder = shown.sort((a, b) => reportedAt(a.property) - reportedAt(b.property));
    const first = inOrder[0] as Broken;
    const choices = path.map(({ effect, column }) => {
      const { rule, step, candidate, choice } = this.steps.effects.info(effect);
      return { cpu: column - CPU0, rule, step, candidate, choice };
    });
    const trace = follow(this.#machine, choices);
    if (trace.length !== choices.length) throw new Error("A path that was found can be followed.");
    return {
      ...base,
      verdict: "unsafe",
      property: first.property,
      why: first.why,
      broken: inOrder,
      alsoBroken: this.#idsOf(also).filter((id) => !shown.some(({ property }) => property === id)),
      faults: [...consequences.map(({ why }) => why), ...base.faults],
      trace,
      shortest,
    };
  }

  /** What the last step of a path breaks. */
  violation(path: readonly Taken[]): Found {
    const last = path[path.length - 1] as Taken;
    return { path, ...countedOf(this.steps.effects.info(last.effect).broken, (id) => this.counted.has(id)) };
  }

  /** A state from which not everything can finish: its row, and a path to it. */
  stuck(path: readonly Taken[], row: Int32Array): Found {
    const why = `From here not everything can finish any more: ${this.#standing(row).join("; ")}.`;
    return { path, broken: [{ property: "progress", why }], consequences: [] };
  }

  /** Whether a CPU part is out of its traps and interrupts, with none pending. */
  isQuiet(part: number): boolean {
    return quiet(this.steps.parts.cpu.value(part));
  }

  /** What the programs, traps and interrupts of a state stand at, lowest context first. */
  #standing(row: Int32Array): readonly string[] {
    return [...row.subarray(CPU0)].flatMap((part) =>
      this.steps.parts.cpu.value(part).stack.flatMap(({ level, code }) => {
        if (code.run === "program")
          return [`${level} ${code.program} at ${this.#machine.next(code)?.step ?? "its end"}`];
        return level === "task" ? [] : [`${level} at 0x${code.pc.toString(16)}`];
      }),
    );
  }

  /** What faulted or left the code in any step that was looked at. */
  #faults(): readonly string[] {
    const broken = this.steps.effects.infos.flatMap((info) => info.broken);
    return [...new Set(broken.flatMap(({ property, why }) => (property === "fault" ? [why] : [])))];
  }

  #idsOf(bits: number): readonly PropertyId[] {
    return this.#properties.filter((_, i) => (bits & (1 << i)) !== 0).map((property) => property.id);
  }

  #unused(): readonly string[] {
    const taken = new Set(this.steps.effects.infos.map((info) => info.step));
    const steps = new Set(
      [...this.#machine.layout.programs.values()].flatMap(({ code }) =>
        code.flatMap((entry) => (entry.kind === "op" ? [entry.step] : [])),
      ),
    );
    return [...new Set(this.#machine.layout.steps.flat())].filter((id) => steps.has(id) && !taken.has(id));
  }
}

const quiet = (cpu: CpuState): boolean => {
  const [task, above] = cpu.stack;
  if (above !== undefined || cpu.pending.length > 0) return false;
  return task === undefined || task.code.run === "program" || task.code.trapped === null;
};
