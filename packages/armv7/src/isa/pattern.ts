/** The values of an encoding's fields by their letters. */
export type Fields = { readonly [letter: string]: number };

/** The bits of an encoding: those that are fixed, and the places of its fields, the most significant bit first. */
export type Pattern = {
  readonly bits: 16 | 32;
  readonly mask: number;
  readonly value: number;
  readonly fields: ReadonlyMap<string, readonly number[]>;
};

/**
 * Reads a pattern as manuals print encodings, the most significant bit first: `0` and `1` are fixed, `x` may be either, any other
 * letter is a bit of the field of that name. A field may lie in several pieces; spaces do not count.
 */
export const parsePattern = (text: string): Pattern => {
  const letters = [...text.replace(/\s+/g, "")];
  if (letters.length !== 16 && letters.length !== 32) throw new Error(`"${text}" has ${letters.length} bits.`);
  let mask = 0;
  let value = 0;
  const fields = new Map<string, number[]>();
  letters.forEach((letter, index) => {
    const place = letters.length - 1 - index;
    if (letter === "0" || letter === "1") {
      mask = (mask | (1 << place)) >>> 0;
      value = (value | (Number(letter) << place)) >>> 0;
    } else if (letter !== "x") {
      fields.set(letter, [...(fields.get(letter) ?? []), place]);
    }
  });
  return { bits: letters.length, mask, value, fields };
};

/** Whether a word has the fixed bits of a pattern. */
export const matches = ({ mask, value }: Pattern, word: number): boolean => (word & mask) >>> 0 === value;

/** The fields of a word. */
export const extract = ({ fields }: Pattern, word: number): Fields =>
  Object.fromEntries(
    [...fields].map(([letter, places]) => [
      letter,
      places.reduce((high, place) => ((high << 1) | ((word >>> place) & 1)) >>> 0, 0),
    ]),
  );

/** The word with these fields, or nothing when one is missing or does not fit its place. */
export const insert = ({ fields, value }: Pattern, values: Fields): number | undefined => {
  let word = value;
  for (const [letter, places] of fields) {
    const field = values[letter];
    if (field === undefined || !Number.isInteger(field) || field < 0 || field >= 2 ** places.length) return undefined;
    places.forEach((place, index) => {
      word = (word | (((field >>> (places.length - 1 - index)) & 1) << place)) >>> 0;
    });
  }
  return word;
};
