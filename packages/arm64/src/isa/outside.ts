import { parseLayout } from "./layout.js";

/*
 * What the architecture has beyond the instructions whose effect is modelled. Vector, SVE and SME instructions and the space of system
 * registers are taken whole, whatever of it is not allocated; the rest is as the manual's tables are. Instructions of optional extensions
 * count as there, but DRPS and what debug state alone has do not.
 */
const opaqueRows = `
  1xx 0000 xxxxxxxxxxxxxxxxxxxxxxxxx
  xxx 0010 xxxxxxxxxxxxxxxxxxxxxxxxx
  xxx x111 xxxxxxxxxxxxxxxxxxxxxxxxx
  xxx x110 xxxxxxxxxxxxxxxxxxxxxxxxx
  1x0 100011 0 xxxxxxxxxxxxxxxxxxxxxx
  x00 100011 1 00xx xxxxxxxxxxxxxxxxxx
  111 100111 xx xxxxxxxxxxxxxxxx 11111
  11010101000000110001 0000 00x xxxxx
  11010101000000110011 xxxx 010 11111
  11010101000000110011 0000 011 11111
  11010101000000110011 xx10 001 11111
  11010101000000110011 0000 111 11111
  1101010100000 xxx 0100 xxxx xxx 11111
  1101010100 x 01 xxxxxxxxxxxxxxxxxxx
  1101010100 x 1x xxxxxxxxxxxxxxxxxxx
  1101010101 x 01 xxxxxxxxxxxxxxxxxxx
  1101010101 x 1x xxxxxxxxxxxxxxxxxxx
  xx 001000 0 x 0 xxxxxxxxxxxxxxxxxxxxx
  1x 001000 0 x 1 xxxxxxxxxxxxxxxxxxxxx
  0x 001000 0 x 1 xxxx0 x 11111 xxxxx xxxx0
  xx 001000 1 x 0 11111 0 11111 xxxxx xxxxx
  0x 011001 xx 0 imm9 00 xxxxxxxxxx
  10 011001 0x 0 imm9 00 xxxxxxxxxx
  10 011001 10 0 imm9 00 xxxxxxxxxx
  11 011001 0x 0 imm9 00 xxxxxxxxxx
  00 011x01 xx 0 xxxxxxxxx 01 xxxxxxxxxx
  11 011001 xx 1 xxxxxxxxx xx xxxxxxxxxx
  1x 011001 xx 0 xxxxxxxxx 10 xxxxxxxxxx
  11011000 xxxxxxxxxxxxxxxxxxxxxxxx
  x0 101 0 000 x xxxxxxxxxxxxxxxxxxxxxx
  01 101 0 001 0 xxxxxxxxxxxxxxxxxxxxxx
  01 101 0 01x 0 xxxxxxxxxxxxxxxxxxxxxx
  11 111000 10 0 imm9 00 xxxxxxxxxx
  11 111000 10 1 xxxxx x1x x 10 xxxxxxxxxx
  11 111001 10 xxxxxxxxxxxxxxxxxxxxxx
  0x 111000 xx 0 imm9 10 xxxxxxxxxx
  10 111000 0x 0 imm9 10 xxxxxxxxxx
  10 111000 10 0 imm9 10 xxxxxxxxxx
  11 111000 0x 0 imm9 10 xxxxxxxxxx
  xx 111000 xx 1 xxxxx 0 1xx 00 xxxxxxxxxx
  11 111000 00 1 xxxxx 1 001 00 xxxxxxxxxx
  11 111000 00 1 xxxxx 1 01x 00 xxxxxxxxxx
  11 111000 00 1 11111 1 101 00 xxxxxxxxxx
  0x 111000 xx 1 xxxxx 1 001 00 xxxxxxxxxx
  0x 111000 xx 1 xxxxx 1 01x 00 xxxxxxxxxx
  11 111000 xx 1 xxxxxxxxx x1 xxxxxxxxxx
  0 00 11010110 xxxxx 010x0x xxxxxxxxxx
  0 00 11010110 xxxxx 010x10 xxxxxxxxxx
  1 00 11010110 xxxxx 010x11 xxxxxxxxxx
  x 00 11010110 xxxxx 0110xx xxxxxxxxxx
  1 00 11010110 xxxxx 000000 xxxxxxxxxx
  1 01 11010110 xxxxx 000000 xxxxxxxxxx
  1 00 11010110 xxxxx 00010x xxxxxxxxxx
  1 00 11010110 xxxxx 001100 xxxxxxxxxx
  x 10 11010110 00000 0000xx xxxxxxxxxx
  x 10 11010110 00000 0001xx xxxxxxxxxx
  x 10 11010110 00000 001000 xxxxxxxxxx
  1 10 11010110 00001 000xxx xxxxxxxxxx
  1 10 11010110 00001 001xxx 11111 xxxxx
  1 10 11010110 00001 01000x 11111 xxxxx
  1 10 11010110 00001 10xxxx xxxxx xxxxx
  1 x0 11010000 xxxxx 001xxx xxxxxxxxxx
  1 00 11011011 xxxxx xxxxxxxxxxxxxxxx
  1 01 11010000 xxxxxx 00001 xxxxx 0 xxxx
  0 01 11010000 000000 x 0010 xxxxx 01101
`;

/** What goes on elsewhere than behind itself, or changes which register `sp` is. */
const elsewhereRows = `
  0101010 0 imm19 1 cond
  01010101 00x imm16 11111
  x1110100 xx0 xxxxxxxxxxxxxxxxxxxxx
  x1110100 111 xxxxxxxxxxxxxxxxxxxxx
  x1110100 011 xxxxxxxxxxxxxxxxxxxxx
  x1110100 101 xxxxxxxxxxxxxxxxxxxxx
  x1110101 xxx xxxxxx 0 xxxxxxxxxxxxxx
  11010100 011 imm16 000 00
  1101010100100 011 0011 000x 011 xxxxx
  1101011 000x 11111 00001x xxxxx 11111
  1101011 0x00 11111 00001x 11111 11111
  1101011 0010 11111 00001x 11111 xxxxx
  1101011 100x 11111 00001x xxxxx xxxxx
  1101010100000 000 0100 xxxx 101 11111
`;

const layoutsOf = (rows: string) =>
  rows
    .split("\n")
    .filter((row) => row.trim() !== "")
    .map(parseLayout);

const opaque = layoutsOf(opaqueRows);
const elsewhere = layoutsOf(elsewhereRows);

const field = (word: number, low: number): number => (word >>> low) & 31;

/**
 * Whether an instruction may write `x30` or `sp`, which callers rely on. Loads and stores are told by the number of their base, which may be
 * written back, and of the registers that they transfer; others by that of their destination.
 */
const mayWriteEntered = (word: number): boolean => {
  const group = (word >>> 25) & 15;
  if ((group & 5) === 4)
    return field(word, 5) === 31 || ((group & 2) === 0 && [0, 10, 16].some((low) => field(word, low) === 30));
  const isSystem = word >>> 22 === 0b1101010100;
  if (isSystem) return (word & (1 << 21)) !== 0 && field(word, 0) === 30;
  return field(word, 0) === 30 || ((group & 7) !== 7 && field(word, 0) === 31);
};

/**
 * What a word that is not in the subset is (Arm ARM, C4.1): `opaque`, of which is known that it goes on behind itself; an instruction of
 * which not even that is known; or allocated to none.
 */
export const kindOf = (word: number): "opaque" | "unsupported" | "undefined" => {
  const fits = ({ mask, value }: (typeof opaque)[number]): boolean => (word & mask) === value;
  if (elsewhere.some(fits)) return "unsupported";
  if (!opaque.some(fits)) return "undefined";
  return mayWriteEntered(word) ? "unsupported" : "opaque";
};
