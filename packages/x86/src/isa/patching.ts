import type { Bytes } from "@cmodx/core";

const nop8: Bytes = [0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0];

/**
 * Encodings that patching code knows by a name of their own, in the kernel's words.
 *
 * `nop2` to `nop15` are the recommended no-operations of that length (Intel SDM vol. 2, NOP, table 4-12; longer ones get
 * operand-size prefixes), `nop10` in the form with a CS prefix that uprobes look for. `ud1` is the mark behind static-call
 * trampolines, `warninsn` and `unlockinsn` are the traps that stand for a call, and `xor5rax` the cleared result.
 */
export const patchingEncodings: ReadonlyMap<string, Bytes> = new Map<string, Bytes>([
  ["nop", [0x90]],
  ["nop2", [0x66, 0x90]],
  ["nop3", [0x0f, 0x1f, 0]],
  ["nop4", [0x0f, 0x1f, 0x40, 0]],
  ["nop5", [0x0f, 0x1f, 0x44, 0, 0]],
  ["nop6", [0x66, 0x0f, 0x1f, 0x44, 0, 0]],
  ["nop7", [0x0f, 0x1f, 0x80, 0, 0, 0, 0]],
  ["nop8", nop8],
  ["nop9", [0x66, ...nop8]],
  ...[10, 11, 12, 13, 14, 15].map((length): [string, Bytes] => [
    `nop${length}`,
    [...Array<number>(length - 9).fill(0x66), 0x2e, ...nop8],
  ]),
  ["ud1", [0x0f, 0xb9, 0xcc]],
  ["xor5rax", [0x2e, 0x2e, 0x2e, 0x31, 0xc0]],
  ["warninsn", [0x67, 0x48, 0x0f, 0xb9, 0x3a]],
  ["unlockinsn", [0x3e, 0x3e, 0xc6, 0x07, 0]],
]);
