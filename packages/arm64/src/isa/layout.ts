/** Values of the named bit fields of a word. */
export type Fields = { readonly [name: string]: number };

const widths = {
  ...{ sf: 1, sh: 1, N: 1, S: 1, b5: 1, o0: 1, hw: 2, shift: 2, immlo: 2 },
  ...{ option: 3, imm3: 3, op1: 3, op2: 3, cond: 4, nzcv: 4, CRn: 4, CRm: 4 },
  ...{ rd: 5, rn: 5, rm: 5, ra: 5, rs: 5, rt: 5, rt2: 5, imm5: 5, b40: 5 },
  ...{
    imm6: 6,
    immr: 6,
    imms: 6,
    imm7: 7,
    hint: 7,
    imm9: 9,
    imm12: 12,
    imm14: 14,
    imm16: 16,
    imm19: 19,
    immhi: 19,
    imm26: 26,
  },
} as const satisfies Fields;

type Place = { readonly name: string; readonly at: number; readonly width: number };

/** Where a word of 32 bits has fixed bits and where it has fields. */
export type Layout = { readonly mask: number; readonly value: number; readonly places: readonly Place[] };

/**
 * Reads the layout of a word, its highest bit first: fixed bits as `0` and `1`, `x` for one that may be either, the names of
 * fields, which are the manual's.
 */
export const parseLayout = (text: string): Layout => {
  let mask = 0;
  let value = 0;
  let at = 32;
  const places: Place[] = [];
  for (const word of text.trim().split(/\s+/)) {
    const width = /^[01x]+$/.test(word) ? word.length : widths[word as keyof typeof widths];
    if (width === undefined) throw new Error(`"${text}" has no field "${word}".`);
    at -= width;
    if (word in widths) {
      places.push({ name: word, at, width });
    } else {
      mask |= Number.parseInt(word.replaceAll("0", "1").replaceAll("x", "0"), 2) << at;
      value |= Number.parseInt(word.replaceAll("x", "0"), 2) << at;
    }
  }
  if (at !== 0) throw new Error(`"${text}" has ${32 - at} bits.`);
  return { mask, value, places };
};

/** The fields of a word, nothing where its fixed bits are others. */
export const readFields = ({ mask, value, places }: Layout, word: number): Fields | undefined => {
  if ((word & mask) !== value) return undefined;
  return Object.fromEntries(places.map(({ name, at, width }) => [name, (word >>> at) & (2 ** width - 1)]));
};

/** The word with these fields; a field that is not given is 0. */
export const writeFields = ({ value, places }: Layout, fields: Fields): number =>
  places.reduce((word, { name, at, width }) => word | (((fields[name] ?? 0) & (2 ** width - 1)) << at), value) >>> 0;

/** The two's complement value of a field of `width` bits. */
export const signed = (value: number, width: number): number => (value << (32 - width)) >> (32 - width);
