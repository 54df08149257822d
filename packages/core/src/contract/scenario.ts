import type { Bytes, Data } from "../base/data.js";
import type { Registers } from "./instruction-set.js";
import type { Addition, Line } from "./program.js";
import type { Property, PropertyId } from "./property.js";
import type { PatchStrategy } from "./strategy.js";

/**
 * Machine code: its bytes, or assembler text with instructions separated by `+` or line breaks. In the text of a site a branch
 * without a target goes to the site's own `target`, a call to its `callee`.
 */
export type Code = string | Bytes;

/** A place whose code is changed. Both versions have the same length in bytes. */
export type Site = {
  readonly address: bigint;
  /** The code it holds at first. */
  readonly old: Code;
  /** The code it is changed to. */
  readonly new: Code;
  /** Decoder mode, where the architecture has several. */
  readonly mode?: string;
  /**
   * What is changed is data that code loads, such as a literal, given as bytes or as `.quad NUMBER`. Executions are judged by what
   * they load.
   */
  readonly data?: boolean;
  /** Where it comes from, e.g. `vmlinux:schedule+0x5`. */
  readonly origin?: string;
  /** The code that follows the site; by default the architecture's epilogue. */
  readonly after?: Code;
};

/** A task that changes sites: calls of one strategy that go there and back, `flips` of them. */
export type Patcher = {
  readonly strategy: PatchStrategy;
  /** Indices into the scenario's sites, in the order the caller gives them. */
  readonly sites: readonly number[];
  /** How many calls, 1 to 1000; `forever` goes there and back without end. */
  readonly flips: number | "forever";
  /** Ids of steps to leave out. */
  readonly drop?: readonly string[];
  /** Lines to put in beside those of the strategy. */
  readonly add?: readonly Addition[];
  /** Each patcher runs on its own CPU; this index says which. By default in order from CPU 0. */
  readonly cpu?: number;
};

/** Further code of the victim, beside the sites. */
export type CodeBlock = {
  readonly address: bigint;
  readonly code: Code;
  readonly mode?: string;
  /**
   * It runs in a read-side section of RCU (`true`) or of another flavour: from where it is come to until it is left, what it calls
   * included. Grace periods of that flavour wait for whoever is in it.
   */
  readonly readSide?: true | ReadFlavour;
  /** Nobody may get here: why, in words that end a sentence. An instruction that takes effect in the block breaks `assertion`. */
  readonly forbidden?: string;
};

/**
 * What has read-side sections: RCU, where they count only if tasks are preemptible; one domain of SRCU, by its name; RCU-tasks-trace; and
 * RCU-tasks, which code can be declared to hold back, as a task's exit does.
 */
export type ReadFlavour = "rcu" | `srcu:${string}` | "rcu-tasks-trace" | "rcu-tasks";

/** What text may be used for, as `ls -l` writes it. */
export type TextAccess = "r-x" | "rwx" | "rw-" | "r--";

/** What `set_memory_ro`, `_rw`, `_x` and `_nx` change. */
export type TextChange = "ro" | "rw" | "x" | "nx";

/** A range of text with its permissions. */
export type TextRange = {
  readonly address: bigint;
  /** Bytes, 1 to 65536. */
  readonly size: number;
  readonly access: TextAccess;
};

/** Bytes of data memory. */
export type DataBlock = { readonly address: bigint; readonly bytes: Bytes };

/** Tasks that run code in an endless loop with a voluntary switch before each round. */
export type Executor = {
  /** Where each round may start; by default at any of the sites. */
  readonly entries?: readonly bigint[];
  /**
   * How many such tasks, 0 to 64 of all executors together; by default one for each CPU that no patcher runs on, and with preemption at
   * least one.
   */
  readonly count?: number;
  /** It runs its code once, and stops where that ends: at its return, behind its last instruction, or at an exit. */
  readonly once?: true;
  /** The registers it starts with, all others being 0; by default those of a function that was called. */
  readonly registers?: Registers;
  /** Where it goes on after an exception that no patch program handles; by default it ends there. */
  readonly faults?: bigint;
};

/**
 * What the handler of an interrupt from outside does: what patch programs do in it, then its own program, then its machine code; by default
 * that calls the patched code.
 */
export type InterruptHandler = {
  /** Steps of its own. It cannot sleep. */
  readonly program?: readonly Line[];
  /** Where its machine code starts, each time at any of these; by default where executors start. */
  readonly entries?: readonly bigint[];
  /** It has no machine code: nothing that it calls is patched. */
  readonly notrace?: true;
  /** Shared words that its program declares, with their initial values. */
  readonly words?: { readonly [name: string]: Data };
};

/** What a decoder of traces knows of time: {@link Scenario.decoder}. */
export type Decoder = "instants" | "packets";

/** Everything that one verdict is about. Plain data, but for the strategies, which are carried by value. */
export type Scenario = {
  readonly name: string;
  readonly sites: readonly Site[];
  readonly patchers: readonly Patcher[];
  /** By default one executor for each CPU that no patcher runs on, and with preemption at least one. */
  readonly executors?: readonly Executor[];
  /** All CPUs, those of the patchers included: 1 to 64. */
  readonly cpus: number;
  /** Interrupts that may come on every CPU at any boundary. */
  readonly interrupts?: {
    /** `true`: their handler calls the patched code. */
    readonly irq?: boolean | InterruptHandler;
    /** `true`: their handler calls the patched code. */
    readonly nmi?: boolean | InterruptHandler;
    /**
     * What the entry of NMIs makes of one that comes inside the handler of another, which an inner return has let in. `guarded`, as Linux is:
     * it is noted, and the handler runs once more when it ends. `unguarded`: it overwrites the first one's frame on the stack, a `fault`.
     * Default `guarded`. {@link InputError} where the architecture lets none in.
     */
    readonly nestedIret?: "guarded" | "unguarded";
  };
  /** Tasks can be preempted at any instruction boundary and go on on any CPU. */
  readonly preempt?: boolean;
  /**
   * The code runs in user mode, so that no grace period of the kernel waits for it, and a task that was not interrupted goes on through
   * the return from a system call. Default: whether a patcher's strategy is one for user space.
   */
  readonly user?: boolean;
  /**
   * Which order of memory accesses it is about. By default `sequential`; what that breaks on Arm and RISC-V, where it lets CPUs fetch more
   * than the architecture does, is then asked of the architectural order too ({@link VerdictBase.otherOrder}).
   */
  readonly memory?: "sequential" | "architectural";
  /**
   * Which decoder `trace` asks. `instants` knows when each instruction ran; `packets` knows the time only where its CPU leaves a packet (an
   * exception, an interrupt, a conditional or indirect branch), as perf does. Default `instants`.
   */
  readonly decoder?: Decoder;
  readonly blocks?: readonly CodeBlock[];
  /**
   * Addresses where control may leave the modelled code, beside those that branches of the code name as it is written: for what a
   * computed branch goes to. Whatever leaves it for elsewhere breaks `fault`. So does what goes into the middle of an instruction of code that
   * is no site; to name that place here is to mean it.
   */
  readonly exits?: readonly bigint[];
  /** What data memory holds at first; it is 0 elsewhere. */
  readonly data?: readonly DataBlock[];
  /**
   * Permissions of text. Where nothing is said it is `r-x`, but that machine code may store to sites and to what programs write, as
   * through a writable mapping; patch programs always have such a mapping, unless a step says that it stores directly.
   */
  readonly text?: readonly TextRange[];
  /** Only these properties count; default all. */
  readonly properties?: readonly PropertyId[];
  /** These properties do not count. */
  readonly ignore?: readonly PropertyId[];
  /** Properties of its own, under ids of their own; they count like those that every strategy promises. */
  readonly judges?: readonly Property[];
};
