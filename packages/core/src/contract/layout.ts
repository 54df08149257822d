/* A scenario laid out: what stands before the first step. */

import type { Bytes } from "../base/data.js";
import type { CompiledProgram, Pair, PatchProgram } from "./program.js";
import type { Executor } from "./scenario.js";
import type { CpuState, Parts, TextState } from "./state.js";
import type { World } from "./world.js";

/** One instruction of a version of a site; `offset` is in bytes from the site's start. */
export type SiteInstruction = { readonly offset: number; readonly bytes: string; readonly text: string };

/** A version of a site: its bytes and how they divide into instructions. */
export type Version = { readonly bytes: Bytes; readonly instructions: readonly SiteInstruction[] };

/** A function that a call goes to, and the decoder's mode there. */
export type Callee = { readonly address: bigint; readonly mode: string };

/** A site with its code assembled: `versions[0]` is the old code, `versions[1]` the new. */
export type ResolvedSite = {
  readonly address: bigint;
  readonly length: number;
  readonly mode: string;
  readonly versions: readonly [Version, Version];
  /** What is changed is data that code loads. */
  readonly data: boolean;
  /** Code that follows the site. */
  readonly after: PlacedCode;
  readonly origin?: string;
  /** Functions that its calls go to and that are not modelled otherwise: each returns at once. */
  readonly callees: readonly Callee[];
};

/** A piece of code as it is written; what follows a site belongs to each of its versions. `starts`: offsets at which its instructions begin. */
export type PlacedCode = {
  readonly address: bigint;
  readonly bytes: Bytes;
  readonly mode: string;
  readonly starts: readonly number[];
};

/** Text that changes as a whole: from an address on, up to another one. */
export type Stretch = { readonly from: bigint; readonly to: bigint };

/** What the layout knows of text that does not only stand there. */
export type TextLayout = {
  readonly stretches: readonly Stretch[];
  /** What programs map, in the order of their steps. */
  readonly mapped: readonly PlacedCode[];
  /** Bytes (hex) that steps of programs store, each step whole. */
  readonly stores: readonly { readonly address: bigint; readonly bytes: string }[];
  /** How each stretch stands at first. */
  readonly initial: readonly TextState[];
};

/** A block of code that is a read-side section: its addresses from `from` to before `to`. */
export type ReadSide = { readonly from: bigint; readonly to: bigint; readonly section: string };

/** The parts of a state before any step, the CPUs in order. */
export type Initial = Omit<Parts, "cpu"> & { readonly cpus: readonly CpuState[] };

/** A scenario laid out: where its code lies, what its programs are compiled to, and the state it starts in. */
export type Layout = {
  readonly sites: readonly ResolvedSite[];
  /** Bytes of code that no program writes, by address. */
  readonly text: ReadonlyMap<bigint, number>;
  /** All code, in every version. */
  readonly code: readonly PlacedCode[];
  /** Where control may leave the code, beside where that itself says: what the sites and the scenario name. */
  readonly named: ReadonlySet<bigint>;
  /** Where machine code starts or may go, wherever that lies: entries, handlers of exceptions, and the exits that the scenario names. */
  readonly meant: ReadonlySet<bigint>;
  /** Addresses of bytes that some program may write: those of the sites and of every store. */
  readonly written: ReadonlySet<bigint>;
  /** Addresses of the cells that programs write, with their first values. */
  readonly cells: ReadonlyMap<bigint, string>;
  readonly siteOf: ReadonlyMap<bigint, { readonly site: number; readonly offset: number }>;
  /** Text that does not only stand there: what is said of it, and what programs map and store. */
  readonly lives: TextLayout;
  /** Addresses of blocks in which nobody may get, with the reasons. */
  readonly forbidden: ReadonlyMap<bigint, string>;
  /** Decoder modes of entries. */
  readonly modes: ReadonlyMap<bigint, string>;
  /** Entries by routine. */
  readonly routines: ReadonlyMap<string, readonly bigint[]>;
  /** By routine what its executor says of how it runs. */
  readonly runs: ReadonlyMap<string, Pick<Executor, "once" | "registers" | "faults">>;
  readonly programs: ReadonlyMap<string, CompiledProgram>;
  /** Instructions by which patchers hold up whoever comes. */
  readonly guards: ReadonlySet<string>;
  /** Blocks of code that run in a read-side section. */
  readonly readSides: readonly ReadSide[];
  /** By address, the instructions that use values which belong together. */
  readonly pairs: ReadonlyMap<bigint, Pair>;
  /** Ids of the steps by patcher, as they are written. */
  readonly steps: readonly (readonly string[])[];
  /** The programs of each patcher, there and, where it goes back, back, with what the scenario adds and without what it leaves out. */
  readonly plans: readonly (readonly PatchProgram[])[];
  /** Ids of the strategies that asked how many CPUs there are when they planned. */
  readonly counting: ReadonlySet<string>;
  initial(machine: World): Initial;
};

/** An opaque instruction of the code. */
export type OpaqueInstruction = { readonly at: bigint; readonly text: string };

/** The opaque instructions of the code in every version, and whether their effects could matter. */
export type OpaqueCode = {
  readonly instructions: readonly OpaqueInstruction[];
  /** Address and bytes of each. */
  readonly known: ReadonlySet<string>;
  /** The first instruction that may depend on what an opaque one changes, as text; undefined where none does. */
  readonly dependent: string | undefined;
};
