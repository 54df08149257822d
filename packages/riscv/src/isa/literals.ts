/** A value in hexadecimal, as text shows addresses. */
export const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** A decimal or hexadecimal number, perhaps with a sign; undefined for anything else. */
export const parseNumber = (text: string): bigint | undefined => {
  const [, sign, digits] = /^([+-]?)\s*(0x[0-9a-f]+|\d+)$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return sign === "-" ? -BigInt(digits) : BigInt(digits);
};

/** A number, or a place relative to the address `at`: `.`, `.+n`, `.-n`. */
export const parseAddress = (text: string, at: bigint): bigint | undefined => {
  if (text === ".") return at;
  if (!text.startsWith(".")) return parseNumber(text);
  const distance = parseNumber(text.slice(1).trim());
  return distance === undefined ? undefined : at + distance;
};

/** The accesses that a fence orders, letters of `iorw` in that order, or `0` for none. */
export const parseFence = (text: string): string | undefined =>
  text === "0" || (text !== "" && /^i?o?r?w?$/.test(text)) ? text : undefined;
