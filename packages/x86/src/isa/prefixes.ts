import type { Bytes } from "@cmodx/core";

/**
 * What the prefixes before an opcode say (Intel SDM vol. 2, 2.1.1 and 2.2.1).
 *
 * `length` counts all of them. `rex` is the REX byte in force, 0 when there is none: one that does not directly precede the
 * opcode is ignored. `repeat` is the last of F2 and F3, 0 when there is none. Of segments only FS and GS act in 64-bit mode.
 */
export type Prefixes = {
  readonly length: number;
  readonly rex: number;
  readonly operandSize: boolean;
  readonly addressSize: boolean;
  readonly lock: boolean;
  readonly repeat: number;
  readonly segment?: "fs" | "gs";
};

const none: Prefixes = { length: 0, rex: 0, operandSize: false, addressSize: false, lock: false, repeat: 0 };

const legacy: { readonly [byte: number]: Partial<Prefixes> } = {
  38: {},
  46: {},
  54: {},
  62: {},
  100: { segment: "fs" },
  101: { segment: "gs" },
  102: { operandSize: true },
  103: { addressSize: true },
  240: { lock: true },
  242: { repeat: 0xf2 },
  243: { repeat: 0xf3 },
};

const isRex = (byte: number) => byte >> 4 === 4;

/** Reads the prefixes at the start of `bytes`, as far as there are bytes and at most `limit`. */
export const readPrefixes = (bytes: Bytes, limit: number): Prefixes => {
  let prefixes = none;
  while (prefixes.length < Math.min(bytes.length, limit)) {
    const byte = bytes[prefixes.length]!;
    const change = isRex(byte) ? { rex: byte } : legacy[byte];
    if (change === undefined) break;
    prefixes = { ...prefixes, rex: 0, ...change, length: prefixes.length + 1 };
  }
  return prefixes;
};
