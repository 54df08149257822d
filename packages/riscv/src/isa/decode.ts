import type { Bytes } from "@cmodx/core";
import { formOf } from "./encodings.js";
import { readFields, withFixed } from "./fields.js";
import type { RiscvInstruction } from "./instruction.js";

/** Length of the longest instruction in bytes. */
export const maxLength = 4;

/** Whether an instruction may write `ra` or `sp`, which callers rely on: numbers 1 and 2 at the place of `rd`. */
const isEntered = (word: number): boolean => [1, 2].includes((word >>> 7) & 31);

/**
 * Decodes the instruction at the start of `bytes`.
 *
 * The first halfword tells the length (RISC-V unprivileged ISA, 1.5): below two bytes, and below four where it says 32 bits, the
 * answer is `short`. Longer formats are undefined, since no instruction of RV64GC has one. See the table of encodings for
 * what is `unsupported`.
 */
export const decode = (bytes: Bytes): RiscvInstruction | "short" | "undefined" | "unsupported" => {
  const [b0, b1, b2, b3] = bytes;
  if (b0 === undefined || b1 === undefined) return "short";
  const half = b0 | (b1 << 8);
  if ((half & 0x1f) === 0x1f) return "undefined";
  const isFull = (half & 3) === 3;
  if (isFull && (b2 === undefined || b3 === undefined)) return "short";
  const word = isFull ? (half | (b2! << 16) | (b3! << 24)) >>> 0 : half;
  const form = formOf(word);
  if (form === undefined || form.status === "reserved") return "undefined";
  if (form.status === "outside") return "unsupported";
  if (form.status === "opaque")
    return isFull && isEntered(word)
      ? "unsupported"
      : { length: form.length, op: "opaque", form: "opaque", opaque: true, word };
  return { length: form.length, op: form.op, form: form.name, ...withFixed(form, readFields(form, word)) };
};
