import type { Bytes } from "../../base/data.js";
import type { Instruction, InstructionSet, Registers } from "../../contract/instruction-set.js";

/** What a CPU does to memory, and what waits: loads, stores, cleaning of the data cache, invalidation of the instruction cache. */
export type AccessKind = "read" | "write" | "clean" | "invalidate";

/**
 * What can have to wait for accesses before it: accesses, a context synchronisation, and a `request` of a patch program to others
 * that is no access, as an interrupt or a call of the firmware is.
 */
export type WaitingKind = AccessKind | "synchronise" | "request";

/** One order that a barrier keeps: what is `to` and comes behind it waits for what is `from` and comes before it. */
export type BarrierOrder = { readonly from: readonly AccessKind[]; readonly to: readonly WaitingKind[] };

/**
 * What a machine step of an instruction ({@link Outcome}, `operate`) or an {@link Ordering} of a patch program is to the order. What is
 * not named orders nothing.
 */
export type WindowStep =
  | {
      readonly is: "barrier";
      readonly orders: readonly BarrierOrder[];
      /** It waits until the invalidations before it have reached every CPU. */
      readonly completes?: true;
    }
  | {
      readonly is: "synchronise";
      /** Accesses before it that it waits for. */
      readonly after?: readonly AccessKind[];
      /** Of a patch program: its own CPU's fetches find the stores before it, however late others see them. */
      readonly ownStores?: true;
    }
  | { readonly is: "clean" | "invalidate" };

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
  /** By the name of the machine step, and by the {@link Ordering} of steps of programs. */
  readonly steps: { readonly [step: string]: WindowStep };
  /** By the tag of the access. */
  readonly tags: { readonly [tag: string]: TagMeaning };
  /**
   * Atomic accesses are two events: their load and their store, between which other accesses may come, but no store of another CPU to
   * their place. Where this is absent they are one, and no load finds their store before all do.
   */
  readonly atomics?: "load-and-store";
  /** Of an instruction with an exclusive access: whether it reserves a place or stores to a reserved one. */
  exclusive?(insn: Instruction): "load" | "store" | undefined;
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
  /** Registers with which an instruction does what it otherwise does under a condition only; undefined where it has none. */
  conditional?(insn: Instruction): Registers | undefined;
  /** The value of a register by which an indirect branch goes to an address and a decoder mode; default the address. */
  pointer?(address: bigint, mode: string): bigint;
  /**
   * Which instructions may be executed while one is written in their place that is not ordered before or after. Where this is absent
   * {@link FetchModel.admits} judges when they are fetched.
   */
  readonly races?: {
    /** Whether an instruction may, both as what was executed and as what was written. */
    allowed(value: Bytes): boolean;
    /** Why others may not, in one sentence for people. */
    readonly why: string;
  };
  /** Instructions that are fetched ahead at the most, and instances of one instruction among them. */
  readonly ahead: { readonly instructions: number; readonly same: number };
};
