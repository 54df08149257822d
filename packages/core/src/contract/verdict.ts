import type { OpaqueInstruction } from "./layout.js";
import type { PropertyId } from "./property.js";
import type { Decoder } from "./scenario.js";
import type { TraceStep } from "./trace.js";

/** Limits of a run; a run that reaches one is `inconclusive`. */
export type Bounds = {
  /** Distinct states, at least 1. */
  readonly states?: number;
  /** Bytes of memory in use, as the options of the run tell it; by default of the tables of states alone. */
  readonly bytes?: number;
  /** Time in milliseconds. */
  readonly milliseconds?: number;
};

/** How far a run is. */
export type Progress = {
  /** Distinct states seen. */
  readonly states: number;
  /** States of the level being explored that are not yet expanded; of sets of states, the values of the shared parts that were seen. */
  readonly frontier: number;
  /** Steps from the start to the level being explored; null where states are explored as sets. */
  readonly depth: number | null;
  /** Nodes of the diagrams by which sets of states are held; null where states are explored one by one. */
  readonly nodes: number | null;
  /** Distinct states per second so far. */
  readonly rate: number;
};

/** A property that the last step of a counterexample breaks. */
export type Broken = { readonly property: PropertyId; readonly why: string };

/** A property that was asked for and not judged; `why` is the end of a sentence: `no program publishes text-poke events`. */
export type NotJudged = { readonly property: PropertyId; readonly why: string };

/** A grace period that is waited for and that nothing can hold back; `near`: flavours whose sections are entered, of names like it. */
export type EmptyWait = { readonly flavour: string; readonly near: readonly string[] };

/** What a verdict says of the memory order that did not decide it. */
export type OtherOrder = {
  readonly memory: "sequential" | "architectural";
  readonly verdict: "safe" | "vacuous" | "unsafe" | "inconclusive";
  /** What breaks there; null where nothing was found to. */
  readonly property: PropertyId | null;
  readonly why: string | null;
  /** Distinct states seen there. */
  readonly states: number;
};

/** A plugin whose parts a verdict rests on; `replaces` are the names of the parts that are its own in place of others. */
export type UsedPlugin = { readonly id: string; readonly replaces: readonly string[] };

/** What a verdict says of numbers of CPUs. */
export type CpuNumbers = {
  /** The least that the scenario can have, at least 2. */
  readonly from: number;
  /**
   * The most that were checked one by one, `progress` too, from the least on; less than `from` where none came to an end. Of an unsafe
   * verdict the smallest that breaks: its counterexample is one of so many CPUs.
   */
  readonly to: number;
  /** With any number beyond `to` nothing that counts breaks but `progress`, which is not known there. */
  readonly beyond: boolean;
  /** Why it is not known for more, in one sentence; null where it is, where it is unsafe, and where a limit ended the run. */
  readonly why: string | null;
};

/** What every verdict states. */
export type VerdictBase = {
  /** About which numbers of CPUs it is; absent where it is about that of the scenario ({@link CheckOptions.cpus}). */
  readonly numbers?: CpuNumbers;
  /**
   * Distinct states seen. Where they are explored as sets, CPUs that start alike are told apart, and more than 2^53 states are rounded, and
   * what is more than `Number.MAX_VALUE`, which takes hundreds of CPUs, is told as that.
   */
  readonly states: number;
  /** Null where states were explored as sets. */
  readonly transitions: number | null;
  /** Steps of the longest shortest path that was followed; null where states were explored as sets. */
  readonly depth: number | null;
  readonly seconds: number;
  /** Bytes of the tables of states, or of the diagrams, at the end. */
  readonly bytes: number;
  readonly bounds: Bounds;
  /** Ids of steps of the programs that no run took. */
  readonly unused: readonly string[];
  /** Properties that count and that nothing in the scenario can break: the verdict says nothing about these. */
  readonly notJudged: readonly NotJudged[];
  /** Which decoder `trace` asked; absent where `trace` does not count or is not judged. */
  readonly decoder?: Decoder;
  /**
   * Sites, indices into the scenario's, that a patcher changes and that nobody executed or loaded from while it did: of these the verdict says
   * nothing. Empty where the run ended before everything was seen.
   */
  readonly notExecuted: readonly number[];
  /** Grace periods that only read-side sections hold back, of flavours in whose sections nobody ever is: to wait for these is to wait for nobody. */
  readonly emptyWaits: readonly EmptyWait[];
  /**
   * The scenario does not say which memory order it is about, and both were asked: the sequential one, since that is an over-approximation
   * of what CPUs of this architecture fetch and broke something, then the architectural one. Where nothing breaks in that, it decides, and
   * this tells of the sequential one; else the sequential one's counterexample is given, and this tells whether the other confirms it.
   * About instructions that lie over two units of fetching the architectural order does not decide: it takes them to be fetched at once.
   */
  readonly otherOrder?: OtherOrder;
  /** The plugins of the simulation, in their order; absent where it has none. */
  readonly plugins?: readonly UsedPlugin[];
  /** Properties that broke but that no strategy here promises. */
  readonly notPromised: readonly PropertyId[];
  /**
   * What faults or leaves the modelled code and is not among what is broken, one sentence for each instruction: where `fault` does not
   * count, and as the consequence of what the last step of a counterexample breaks.
   */
  readonly faults: readonly string[];
  /**
   * Instructions of the code whose effects are not modelled and that were taken to change nothing, since nothing else that is modelled depends
   * on what they may change; absent where there are none. They are taken to raise no exception and to write no code.
   */
  readonly opaque?: readonly OpaqueInstruction[];
};

/**
 * The answer about a scenario: `safe` when the whole reachable space was seen and nothing broke; `vacuous` when nothing could have
 * broken, whatever the protocol: nobody executes what changes, nothing changes, or there is nothing to any property that was asked for;
 * `unsafe` with a shortest counterexample; `inconclusive` when a bound was reached or the run was interrupted.
 */
export type Verdict =
  | (VerdictBase & { readonly verdict: "safe" })
  | (VerdictBase & {
      readonly verdict: "vacuous";
      /** Why the scenario asks nothing, in one sentence. */
      readonly reason: string;
    })
  | (VerdictBase & {
      readonly verdict: "unsafe";
      /** The first of {@link propertyIds} that broke. */
      readonly property: PropertyId;
      readonly why: string;
      /** All properties that the last step breaks. */
      readonly broken: readonly Broken[];
      /**
       * Properties that break on other ways, as far as was looked (`beyond` of the options of the run): of those that are neither here nor
       * in `broken` nothing is known. `progress` is asked only where nothing else breaks.
       */
      readonly alsoBroken: readonly PropertyId[];
      readonly trace: readonly TraceStep[];
      /**
       * Where the trace is one that goes on for ever: the index of the step at which its cycle begins. The last step leads back to the
       * state before that step.
       */
      readonly loop?: number;
      /**
       * There where `progress` breaks by endless interrupts from outside alone, in a run that would end after the last of them: the verdict
       * on everything else.
       */
      readonly otherwise?: "safe" | "vacuous";
      /** No shorter counterexample exists, or no shorter way to the loop. False only when a bound ended the search for it. */
      readonly shortest: boolean;
    })
  | (VerdictBase & {
      readonly verdict: "inconclusive";
      /** `cpus`: nothing breaks with the numbers of CPUs that were checked, and of more it is not known ({@link CpuNumbers.why}). */
      readonly limit: keyof Bounds | "interrupted" | "cpus";
    });
