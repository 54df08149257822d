import type { Bytes } from "../data.js";
import type { Instruction, InstructionSet, Registers } from "../instruction-set.js";

/** What a CPU does to memory, and what waits: loads, stores, cleaning of the data cache, invalidation of the instruction cache. */
export type AccessKind = "read" | "write" | "clean" | "invalidate";

/** What can have to wait for accesses before it: accesses, and a context synchronisation. */
export type WaitingKind = AccessKind | "synchronise";

/** One order that a barrier keeps: what is `to` and comes behind it waits for what is `from` and comes before it. */
export type BarrierOrder = { readonly from: readonly AccessKind[]; readonly to: readonly WaitingKind[] };

/** What a machine step of an instruction ({@link Outcome}, `operate`) is to the order. Steps that are not named order nothing. */
export type WindowStep =
  | {
      readonly is: "barrier";
      readonly orders: readonly BarrierOrder[];
      /** It waits until the invalidations before it have reached every CPU. */
      readonly completes?: true;
    }
  | { readonly is: "clean" | "invalidate" | "synchronise" };

/** What an access with a tag is to the order besides. */
export type TagMeaning = "acquire" | "acquire-pc" | "release";

/**
 * How an instruction may go on while registers that decide it are not known: the ways, each as values for these registers; or
 * `indirect` where it may go anywhere.
 */
export type Alternatives = readonly Registers[] | "indirect";

/** What an architecture supplies to the order of the fetch-ahead window: data and pure functions. */
export type WindowModel = {
  readonly id: string;
  /** The manual's section. */
  readonly source: string;
  /** By the name of the machine step. */
  readonly steps: { readonly [step: string]: WindowStep };
  /** By the tag of the access. */
  readonly tags: { readonly [tag: string]: TagMeaning };
  /** What waits until every branch before it is decided. */
  readonly afterBranches: readonly WaitingKind[];
  /** What waits until the addresses of all loads and stores before it are known. */
  readonly afterAddresses: readonly WaitingKind[];
  /** The registers that an instruction writes. */
  outputs(insn: Instruction): readonly string[];
  /** The registers that an instruction reads once those that decide what it does are known. */
  selected(insn: Instruction, registers: Registers): ReturnType<InstructionSet["inputs"]>;
  /** The ways in which an instruction may turn out whose `branch` inputs are not known yet. */
  alternatives(insn: Instruction): Alternatives;
  /** The registers after an exception that machine code itself handles ({@link Executor.faults}); `resume` is the saved pc. */
  raise(registers: Registers, resume: bigint): Registers;
  /** The vector of an exception that is a fault of the instruction itself, by which the routine of {@link Executor.faults} goes on. */
  readonly undefinedVector: string;
  /**
   * Whether an instruction may be executed while one is written in its place that another CPU does not yet order before or after:
   * of both values.
   */
  mayRace(value: Bytes): boolean;
  /** Why it may not, in one sentence for people. */
  readonly raceWhy: string;
  /** Instructions that are fetched ahead at the most, and instances of one instruction among them. */
  readonly ahead: { readonly instructions: number; readonly same: number };
};
