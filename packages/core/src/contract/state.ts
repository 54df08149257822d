import type { Data } from "../base/data.js";
import type { Registers } from "./instruction-set.js";
import type { TextAccess } from "./scenario.js";

/**
 * The value of a cell of code: its bytes in address order as lower-case hex, two digits a byte.
 * How many bytes a cell has is the fetch model's word ({@link FetchModel.unit}).
 */
export type CellValue = string;

/** A set of cell values: sorted, without repetition. */
export type ValueSet = readonly CellValue[];

/**
 * One cell of code: the quotient of its history. Only sets of values matter to a fetch, not their order or number, so a state
 * stays finite under endless flipping.
 *
 * `sinceClean` and `sinceFloor` are the values, `latest` excepted, that the cell held since the last clean and since the floor;
 * they stay empty where the fetch model knows no cache maintenance.
 */
export type Cell = {
  readonly latest: CellValue;
  readonly sinceClean: ValueSet;
  readonly sinceFloor: ValueSet;
};

/**
 * Where a site stands: `from` and `to` are indices into the site's versions, those of the last flip begun; `calling` while the
 * patch call is under way; `published` once the program declared the new version the one that traps emulate.
 */
export type SiteState = {
  readonly from: number;
  readonly to: number;
  readonly calling: boolean;
  readonly published: boolean;
  /**
   * For a trace decoder, where text-poke events are published: the versions that may stand there as far as the events say; absent
   * where there are none.
   */
  readonly traced?: readonly number[];
  /** An execution that the decoder could not tell, which the end of the change may yet explain. */
  readonly untold?: true;
};

/** How a stretch of text stands. */
export type TextState = {
  readonly access: TextAccess;
  /** What was mapped there last: an index into the code that programs map; absent: what lay there at first. */
  readonly holds?: number;
  /** It was given back, or nothing was ever mapped there. */
  readonly freed?: true;
};

/** The shared memory part: cells of code that some program writes, the sites, and bytes of data (hex) by address (hex). */
export type MemoryState = {
  readonly cells: { readonly [address: string]: Cell };
  readonly sites: readonly SiteState[];
  readonly data: { readonly [address: string]: string };
  /** How the stretches of text stand of which the scenario or a program says anything; absent where none does. */
  readonly text?: readonly TextState[];
  /** Places that atomic accesses hold between their load and their store: others do not store there (R43). */
  readonly held?: readonly Place[];
};

/** Some bytes of memory. */
export type Place = { readonly address: bigint; readonly size: number };

/** The stop_machine under way: the stage to be acknowledged and how many CPUs have still to acknowledge it. */
export type StopState = {
  /** Which stop_machine. */
  readonly work: string;
  readonly stage: "prepare" | "disable-irq" | "run" | "exit";
  readonly acks: number;
};

/** The shared part of the operating-system services. */
export type ServicesState = {
  readonly locks: { readonly [name: string]: boolean };
  /** Shared words of the patch programs; a freed word holds {@link FREED}. */
  readonly words: { readonly [name: string]: Data };
  /** How many programs are inside each declared window. */
  readonly windows: { readonly [name: string]: number };
  readonly stop: StopState | null;
  /** Trap vectors whose handlers are not (or no longer) registered. */
  readonly disarmed: readonly string[];
};

/** What a word holds after the program freed it; to load it breaks `lifetime`. */
export const FREED = "(freed)";

/** A byte of data that was given back. */
export const FREED_BYTE = "--";

/** The per-CPU word that says that the sources of NMIs are off. */
export const NMI_OFF = "(nmi off)";

/** The kind of a context, lowest first. A stopper is the thread of stop_machine. */
export type Level = "task" | "stopper" | "irq" | "trap" | "nmi";

/** For each site that a context is passing through: the versions that all instructions executed in this passage agree with. */
export type Passages = { readonly [site: string]: readonly number[] };

/**
 * A breakpoint or fault that was fetched and whose handler is not yet entered; `site` is how its site stood then, null outside of
 * sites.
 */
export type Trapped = {
  readonly site: SiteState | null;
  readonly vector: string;
  readonly at: bigint;
  readonly resume: bigint;
  readonly bytes: string;
};

/**
 * A context that runs machine code. `memory` holds its own stack (bytes by address, both hex); `home` says that it stands
 * before its first instruction, at the voluntary switch of its loop; `routine` names the code it runs.
 */
export type MachineCode = {
  readonly run: "machine";
  readonly routine: string;
  readonly home: boolean;
  readonly pc: bigint;
  readonly mode: string;
  readonly registers: Registers;
  readonly memory: { readonly [address: string]: string };
  readonly passages: Passages;
  readonly trapped: Trapped | null;
};

/** What a trap handler finds: the trap, and the interrupted context as it was then. */
export type TrapFrame = Trapped & { readonly interrupted: MachineCode };

/** A context that runs a patch program, a handler or a service: the index of its next step and its locals. */
export type ProgramCode = {
  readonly run: "program";
  readonly program: string;
  readonly at: number;
  readonly locals: { readonly [name: string]: Data };
  readonly frame: TrapFrame | null;
};

/** One kind of context for victims, patchers, handlers and services. */
export type Context = {
  readonly level: Level;
  readonly code: MachineCode | ProgramCode;
  /** Interrupts (not NMIs) are masked while this context runs. */
  readonly masked: boolean;
  /** It was started over code that did not give up the CPU by itself. */
  readonly preempts: boolean;
  /** Grace periods that wait for this context, sorted. */
  readonly marks: readonly string[];
  /** The read-side sections that it is in, sorted, each as often as it was entered; absent where there are none. */
  readonly reads?: readonly string[];
  /** Locks and windows that its program has not given back, by their words, sorted; absent where there are none. */
  readonly holds?: readonly string[];
  /** Addresses (hex, sorted) of text that was given back while the context stood there or held them; absent where there are none. */
  readonly stranded?: readonly string[];
  /**
   * In the handler of an NMI: an inner return has let NMIs in again; one came and was noted; the handler runs a second time, for the
   * noted one. Absent while NMIs are blocked.
   */
  readonly nmi?: "open" | "noted" | "again";
};

/** The values that the cells which a store changed had before it. */
export type Overwritten = { readonly [cell: string]: CellValue };

/** Something posted to a CPU: an interrupt between processors, by the program of its handler, or work for its stopper. */
export type Posted =
  | { readonly kind: "ipi"; readonly handler: string }
  | { readonly kind: "stopper"; readonly work: string };

/** One CPU: the contexts it runs, lowest first, and what it may still fetch. */
export type CpuState = {
  /** The first online CPU, on which stop_machine without a CPU mask runs its function. */
  readonly boot: boolean;
  readonly stack: readonly Context[];
  /** What was posted and not yet taken, each once, in an order of its own. */
  readonly pending: readonly Posted[];
  /** Per cell the values that this CPU may still fetch beside the latest. */
  readonly stale: { readonly [cell: string]: ValueSet };
  /** `cell=value` → per other cell the stale values that are never fetched together with it ({@link FetchModel.orderedAfter}). */
  readonly excludes: { readonly [cellValue: string]: { readonly [cell: string]: ValueSet } };
  /**
   * What was overwritten in stores that this CPU's fetches have not seen yet, the oldest first ({@link FetchModel.stale} `in-order`);
   * absent where they have seen all.
   */
  readonly behind?: readonly Overwritten[];
  /** The first part of an instruction that spans two fetch granules. */
  readonly fetching: { readonly at: bigint; readonly bytes: string } | null;
  /**
   * By index of the site, the versions that a decoder of this CPU's packets takes to be there, where an event was published since its last
   * packet; absent where there is none.
   */
  readonly lag?: { readonly [site: string]: readonly number[] };
  /** Per-CPU words of the patch programs. */
  readonly words: { readonly [name: string]: Data };
  /** What the memory order keeps per CPU: a store buffer, a fetch-ahead window; null in the sequential order. */
  readonly order: Data;
};

/** Tasks that were taken off a CPU and can go on on any. */
export type ParkedState = { readonly tasks: readonly Context[] };

/** The parts of a state. A state is a row of interned parts: the shared three, and one `cpu` for each CPU. */
export type Parts = {
  readonly cpu: CpuState;
  readonly memory: MemoryState;
  readonly services: ServicesState;
  readonly parked: ParkedState;
};

/** The name of a part. */
export type Part = keyof Parts;

/** The context that a CPU runs now, or undefined when it is idle. */
export const running = (cpu: CpuState): Context | undefined => cpu.stack[cpu.stack.length - 1];

/** The CPU with its running context replaced. */
export const withRunning = (cpu: CpuState, context: Context): CpuState => ({
  ...cpu,
  stack: [...cpu.stack.slice(0, -1), context],
});

/** An address as the key of a cell, a byte of data or a stack slot. */
export const addressKey = (address: bigint): string => address.toString(16);
