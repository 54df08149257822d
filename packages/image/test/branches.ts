import { expect } from "vitest";
import type { Machine } from "../src/machines.js";
import type { SiteKind } from "../src/sites.js";

/** The bytes that hexadecimal digits stand for, in the order in which they lie in memory. */
export const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"));

/** The bytes of a little-endian word. */
export function word(value: number): Uint8Array {
  const code = new Uint8Array(4);
  new DataView(code.buffer).setUint32(0, value, true);
  return code;
}

/** Checks that a branch leads `distance` bytes from its start, and that writing the distance gives the same code. */
export function expectBranch(
  machine: Machine,
  kind: SiteKind,
  code: Uint8Array,
  distance: number,
  mode?: string,
): void {
  const found = machine.siteInstruction(kind, code, mode)?.branch ?? expect.fail("no branch");
  expect(found.origin + found.read(code)).toBe(distance);
  for (const blank of [0, 0x55554, -(2 ** 19)]) {
    const changed = code.slice();
    found.write(changed, blank);
    found.write(changed, distance - found.origin);
    expect(changed).toEqual(code);
  }
}
