import type { Bytes } from "@cmodx/core";

/**
 * Encodings that patching code knows by a name of their own: `nop4` is the `nop` of four bytes (`RISCV_INSN_NOP4` in the kernel);
 * `c.unimp` and `unimp` are the defined illegal instructions of two and of four bytes, which decode as undefined.
 */
export const patchingEncodings: ReadonlyMap<string, Bytes> = new Map([
  ["nop4", [0x13, 0, 0, 0]],
  ["c.unimp", [0, 0]],
  ["unimp", [0x73, 0x10, 0, 0xc0]],
]);

/**
 * The constants of an `auipc` at `at` and of the instruction behind it that add up to `target`: `high` is the upper part, with
 * twelve zero bits, rounded so that `low` is -2048 to 2047. The sum wraps at 64 bits; the target is in reach when `high` is a
 * signed number of 32 bits.
 */
export const pcRelative = (target: bigint, at: bigint): { readonly high: bigint; readonly low: bigint } => {
  const distance = BigInt.asIntN(64, target - at);
  const low = BigInt.asIntN(12, distance);
  return { high: distance - low, low };
};
