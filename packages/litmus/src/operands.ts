import { InputError, partsAtCommas } from "@cmodx/core";
import type { LabelAddress } from "./target.js";

/** An instruction's text: the mnemonic in lower case, and what stands between the commas behind it. */
export type Parts = { readonly mnemonic: string; readonly operands: readonly string[] };

/** Divides an instruction's text; commas in brackets divide nothing. */
export const split = (text: string): Parts => {
  const [mnemonic = "", ...rest] = text.trim().split(/\s+/);
  return { mnemonic: mnemonic.toLowerCase(), operands: partsAtCommas(rest.join(" ")) };
};

/** The last operand; the empty string where there is none. */
export const lastOf = ({ operands }: Parts): string => (operands.at(-1) ?? "").trim();

/** The text of an instruction with the address of its label, if it is one of those (`takes`) whose last operand may be one. */
export const withAddress = (text: string, takes: RegExp, label: LabelAddress): string => {
  const parts = split(text);
  if (!takes.test(parts.mnemonic)) return text;
  const last = lastOf(parts);
  const target = label(last);
  if (target !== undefined)
    return `${parts.mnemonic} ${[...parts.operands.slice(0, -1), ` 0x${target.toString(16)}`].join(",")}`;
  if (/^[A-Za-z_]/.test(last)) throw new InputError(`No label ${last} is in this thread.`, { code: "undeclared" });
  return text;
};

/** The parts of an instruction that lies at `at`, with the distance to its target in place of the address. */
export const withDistance = (text: string, takes: RegExp, at: bigint): Parts => {
  const parts = split(text);
  const last = lastOf(parts);
  if (!takes.test(parts.mnemonic) || !last.startsWith("0x")) return parts;
  const distance = BigInt(last) - at;
  return { ...parts, operands: [...parts.operands.slice(0, -1), `.${distance < 0n ? "" : "+"}${distance}`] };
};

/** A number, the lowest byte first. */
export const littleEndian = (bytes: readonly number[]): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

/** Bytes that are no instruction of the subset, as a number. */
export const numberText = (bytes: readonly number[]): string =>
  `0x${littleEndian(bytes)
    .toString(16)
    .padStart(2 * bytes.length, "0")}`;
