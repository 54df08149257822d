import type { Bytes } from "../base/data.js";

/**
 * The registers of one context by name, 64 bits each (unsigned, 0 to 2^64 - 1); an absent register holds 0.
 * Condition flags are registers too, under a name of the architecture's choice.
 */
export type Registers = { readonly [name: string]: bigint };

/** One access to data memory. `size` is in bytes (1 to 8); `value` is little-endian and present for stores only. */
export type Access = {
  readonly address: bigint;
  readonly size: number;
  readonly value?: bigint;
  /** Words of the architecture for its memory order, e.g. `acquire`, `release`, `locked`. */
  readonly tags: readonly string[];
};

/**
 * What one execution of an instruction asks for.
 *
 * - `load`: these loads first; the instruction is then executed again with their values.
 * - `retire`: it is done. `registers` holds the changed registers alone; `next` is the next pc; `stores` are performed in
 *   order; `link` is the return address when the instruction is a call; `mode` is the mode it goes on in, absent where that stays.
 * - `operate`: it asks the machine for a step of its own (a serialising instruction, a fence, cache maintenance) and is done;
 *   `address` is what cache maintenance is done for, all code where it is absent.
 * - `trap`: it raises an exception. `vector` names it (x86: `int3`, `ud`, `gp`, `pf`); `resume` is the saved pc.
 */
export type Outcome =
  | { readonly do: "load"; readonly from: readonly Access[] }
  | {
      readonly do: "retire";
      readonly registers: Registers;
      readonly next: bigint;
      readonly stores?: readonly Access[];
      readonly link?: bigint;
      readonly mode?: string;
    }
  | {
      readonly do: "operate";
      readonly step: string;
      readonly registers: Registers;
      readonly next: bigint;
      readonly address?: bigint;
    }
  | { readonly do: "trap"; readonly vector: string; readonly resume: bigint };

/**
 * A decoded instruction: what it does, in its architecture's words, and its length in bytes. Architectures add fields, all plain data.
 *
 * `opaque`: what it does is not modelled, but it goes on behind itself and leaves alone the stack and the registers that a function is
 * entered with. `execute` then changes nothing and `inputs` are none.
 */
export type Instruction = { readonly op: string; readonly length: number; readonly opaque?: true };

/**
 * The instruction set of one architecture: pure functions over plain data.
 *
 * `decode` sees torn mixes of bytes too, so it must be total; `execute` never touches memory itself.
 */
export interface InstructionSet<I extends Instruction = Instruction> {
  /** Length of the longest instruction in bytes. */
  readonly maxLength: number;
  /** Every instruction starts at a multiple of this many bytes. */
  readonly alignment: 1 | 2 | 4;
  /** The vector that bytes raise which decode as `undefined`; default `ud`. */
  readonly undefinedVector?: string;
  /** All vectors that instructions raise; where they are listed, handlers of others are refused. */
  readonly vectors?: readonly string[];
  /** The modes that code may name, first that of code which names none; by default there are none. */
  readonly modes?: readonly string[];
  /** All registers; where they are listed, values for others are refused. */
  readonly registers?: readonly string[];
  /**
   * Decodes the instruction that starts at the first byte.
   * `short`: more bytes are needed to tell. `undefined`: the architecture raises an illegal-instruction exception.
   * `unsupported`: a valid instruction outside the modelled subset, of which not even is known that it goes on behind itself.
   */
  decode(bytes: Bytes, mode: string): I | "short" | "undefined" | "unsupported";
  /** Encodes one instruction of assembler text to lie at address `at`. Throws {@link InputError} when it cannot be encoded. */
  assemble(text: string, at: bigint, mode?: string): Bytes;
  /** Assembler text of an instruction that lies at address `at`. */
  format(insn: I, at: bigint): string;
  /** The registers an instruction reads and what for; the architectural memory orders need the dependencies. */
  inputs(insn: I): readonly { readonly register: string; readonly role: "address" | "data" | "branch" }[];
  /**
   * Executes an instruction that lies at `at`. Total and re-entrant: an instruction that reads memory answers `load` first and
   * is called again with the loaded values (little-endian, zero-extended), in the order asked for.
   */
  execute(insn: I, at: bigint, registers: Registers, loaded?: readonly bigint[]): Outcome;
  /**
   * The state in which a function is entered from a caller at `home`, with a stack that grows down from `stackTop`
   * (16-byte aligned): registers, and what the call left on the stack.
   */
  enter(home: bigint, stackTop: bigint): { readonly registers: Registers; readonly stores: readonly Access[] };
}
