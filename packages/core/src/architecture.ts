import type { Cpu } from "./cpu.js";
import type { CacheMaintenance, FetchModel } from "./fetch-model.js";
import type { InstructionSet } from "./instruction-set.js";

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
  readonly cache: CacheMaintenance;
  readonly cpu: Cpu;
  /** Assembler text of the instruction that returns from a function. */
  readonly returns: string;
  /**
   * Mnemonics that take a target, and where they go in the text of a site that names none: `callee` returns into the site,
   * `target` does not. The distance in bytes is from the site's start.
   */
  readonly branches: { readonly [mnemonic: string]: "callee" | "target" };
  /** Distance in bytes from a site to its default target and callee. */
  readonly reach: { readonly target: number; readonly callee: number };
  /** Address of the line in which default sites lie; a multiple of 4096. */
  readonly base: bigint;
}
