import type { Cursor } from "./cursor.js";
import type { LitmusCell, LitmusValue } from "./test.js";

/** Instructions that litmus files name without quotes. */
const instructions: ReadonlySet<string> = new Set(["NOP", "ISB"]);

/** Reads a value: a number, an instruction, a label, or the name of a location. */
export const readValue = (cursor: Cursor): LitmusValue => {
  const quoted = cursor.take(/(instr|label)\s*:\s*"([^"\n]*)"/y);
  if (quoted?.[1] === "instr") return { is: "instruction", text: (quoted[2] as string).trim() };
  if (quoted !== undefined) {
    const [, thread, label] = /^\s*P?(\d+)\s*:\s*([\w.$]+)\s*$/.exec(quoted[2] as string) ?? [];
    if (thread === undefined || label === undefined)
      throw cursor.error(`A label is written label:"P1:NAME", not "${quoted[2]}".`);
    return { is: "label", thread: Number(thread), label };
  }
  const label = cursor.take(/P(\d+)\s*:\s*([A-Za-z_.$][\w.$]*)/y);
  if (label !== undefined) return { is: "label", thread: Number(label[1]), label: label[2] as string };
  const number = cursor.take(/(-?)(0x[0-9a-fA-F]+|\d+)(?![\w])/y);
  if (number !== undefined) {
    const value = BigInt(number[2] as string);
    return { is: "number", value: number[1] === "-" ? -value : value };
  }
  const [name] = cursor.expect(/&?[A-Za-z_][\w.]*/y, "A value");
  return instructions.has(name) ? { is: "instruction", text: name } : { is: "location", name: name.replace("&", "") };
};

/** Reads what a value belongs to: `1:X2`, `x`, `[x]` or `*x`; undefined where none stands. */
export const readCell = (cursor: Cursor): LitmusCell | undefined => {
  const { place } = cursor;
  const register = cursor.take(/P?(\d+)\s*:\s*([A-Za-z_]\w*)/y);
  if (register !== undefined)
    return { is: "register", thread: Number(register[1]), register: register[2] as string, place };
  const location = cursor.take(/\[\s*([A-Za-z_][\w.]*)\s*\]|\*?([A-Za-z_][\w.]*)/y);
  if (location === undefined) return undefined;
  return { is: "location", name: (location[1] ?? location[2]) as string };
};
