import type { Data } from "../base/data.js";
import type { EveryCpu } from "./effect.js";
import type { Instruction, Registers } from "./instruction-set.js";
import type { CpuMap, Rule } from "./rule.js";
import type { CpuState, MemoryState, ServicesState } from "./state.js";
import type { World } from "./world.js";

/** One write to what several CPUs see, as a step of a program or an instruction asks for it. */
export type Write =
  /** A piece of code, which becomes visible at one moment; `bytes` is hex. */
  | {
      readonly to: "code";
      readonly address: bigint;
      readonly bytes: string;
      /** Its CPU synchronised its context since: its own fetches find this write, or newer. */
      readonly fetched?: true;
    }
  /** Bytes of data (hex) by address (hex). */
  | { readonly to: "data"; readonly bytes: { readonly [address: string]: string } }
  /** A shared word of the patch programs. */
  | { readonly to: "word"; readonly word: string; readonly value: Data }
  /** A per-CPU word, on every CPU. */
  | { readonly to: "each-cpu"; readonly word: string; readonly value: Data }
  /** The version under way of these sites is the one that traps emulate from now on. */
  | { readonly to: "published"; readonly sites: readonly number[] };

/** The parts that a write goes through: those that the rule read, and a map over every CPU where the write needs one. */
export type Written = {
  readonly cpu: CpuState;
  readonly memory?: MemoryState | undefined;
  readonly services?: ServicesState | undefined;
  readonly everyCpu?: EveryCpu | undefined;
};

/**
 * What a step is to the memory order of its CPU: an `atomic` read-modify-write; an `event` such as an interrupt's entry or return
 * and a switch of tasks; a `release`, which shows others what came before it; a `context-synchronisation`; or the kind of a barrier
 * (`mb`, `wmb`, `rmb`, or an architecture's own word, the name of the machine step of its instruction).
 */
export type Ordering = "atomic" | "event" | "release" | "context-synchronisation" | (string & {});

/**
 * How accesses reach memory: the rule that takes one step of machine code, what becomes of writes, and the steps that memory takes
 * by itself.
 */
export interface MemoryOrder {
  readonly id: string;
  readonly source: string;
  /** One step of a context that runs machine code. */
  readonly execute: Rule;
  /** Steps that a CPU's memory takes by itself. */
  readonly spontaneous: readonly Rule[];
  /** Rules in place of core's of the same id. */
  readonly rules?: readonly Rule[];
  /** Maps over CPUs that its rules name. */
  readonly maps?: readonly CpuMap[];
  /** The kinds of barriers that it knows; where they are listed, others are refused. */
  readonly barriers?: readonly string[];
  /** Performs a write, or keeps it for later. */
  write(parts: Written, write: Write, machine: World): Written;
  /** Writes of this CPU that others do not see yet, the oldest first. Its own loads see them. */
  pending(cpu: CpuState): readonly Write[];
  /** Those of them that its own fetches see; by default all. */
  fetchable?(cpu: CpuState): readonly Write[];
  /** What a context synchronisation leaves its CPU to fetch, in place of R5. */
  narrow?(cpu: CpuState, machine: World): CpuState;
  /** Registers with which an instruction does what it otherwise does under a condition only; by default none has one. */
  conditional?(insn: Instruction): Registers | undefined;
  /** The CPU without what it fetched ahead for the context that it leaves. */
  discard?(cpu: CpuState): CpuState;
  /** The CPU when text is given back: what it fetched ahead from there says so from now on. */
  strand?(cpu: CpuState, isThere: (address: bigint) => boolean): CpuState;
  /** Values that it loaded ahead of what its context stands at. */
  loaded?(cpu: CpuState): readonly bigint[];
  /** Whether a step of this ordering has to wait for what the CPU's memory does by itself. */
  holdsBack(cpu: CpuState, ordering: Ordering): boolean;
}
