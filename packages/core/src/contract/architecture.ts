import type { CacheMaintenance } from "./cache-maintenance.js";
import type { Cpu } from "./exception-model.js";
import type { FetchModel, FetchVariant } from "./fetch-model.js";
import type { InstructionSet } from "./instruction-set.js";
import type { MemoryOrder } from "./memory-order.js";
import type { StoreAtomicity } from "./store-atomicity.js";

/**
 * What an architecture package supplies: pure functions and data. An inert value; nothing happens until a simulation is made of it.
 */
export interface Architecture {
  /** The id that strategies name, e.g. `x86`. */
  readonly id: string;
  readonly instructionSet: InstructionSet;
  /** The fetch model chosen for this value. */
  readonly fetch: FetchModel;
  /** Every fetch model that the package knows, the weakest first. */
  readonly fetchModels: readonly FetchModel[];
  /** What each fetch model can be chosen with besides, under the id `MODEL+VARIANT`. */
  readonly fetchVariants?: readonly FetchVariant[];
  readonly cache: CacheMaintenance;
  readonly cpu: Cpu;
  /** Which stores become visible at one moment; by default what lies within one unit of the fetch model. */
  readonly stores?: StoreAtomicity;
  /** The architectural order of data memory, which scenarios may choose instead of the sequential one. */
  readonly memory?: MemoryOrder;
  /** Assembler text of the instruction that returns from a function. */
  readonly returns: string;
  /** Assembler text of what follows a site that does not say: the rest of its function. By default {@link returns}. */
  readonly epilogue?: string;
  /**
   * Instructions that take a target, as they stand in the text of a site that names none, and where they then go: `callee` returns
   * into the site, `target` does not. The distance in bytes is from the site's start. The target is the last operand: where the text
   * has others, as in `call t0`, it comes behind a comma.
   */
  readonly branches: { readonly [text: string]: "callee" | "target" };
  /** Distance in bytes from a site to its default target and callee. */
  readonly reach: { readonly target: number; readonly callee: number };
  /** Address of the line in which default sites lie; a multiple of 4096. */
  readonly base: bigint;
}
