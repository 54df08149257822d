import type { Bytes } from "../base/data.js";
import { InputError } from "../base/errors.js";
import { toHex } from "../base/hex.js";

/* What the words of patch programs are given that no schema of a step gets to see. */

const isByte = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 255;

/** The bytes that a step is given, as hex. Throws {@link InputError} where they are none: text, a number, what is no byte. */
export const hexOf = (id: string, bytes: Bytes): string => {
  const given: unknown = ArrayBuffer.isView(bytes) ? [...bytes] : bytes;
  if (Array.isArray(given) && given.every(isByte)) return toHex(given);
  throw new InputError(`The bytes of step ${id} have to be a list of bytes from 0 to 255, such as [0x0f, 0x0b].`, {
    place: id,
    code: "wrong-type",
  });
};

/** The options that a step is given. Throws {@link InputError} where they are no object; which there are its schema says. */
export const optionsOf = <O extends object>(id: string, options: O): O => {
  if (typeof options === "object" && options !== null) return options;
  throw new InputError(`The options of step ${id} have to be an object, not ${String(options)}.`, {
    place: id,
    code: "wrong-type",
  });
};
