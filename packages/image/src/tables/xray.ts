import type { Elf } from "../elf.js";
import { type Entry, findTables } from "./table.js";

const name = { section: "xray_instr_map", start: "__start_xray_instr_map", stop: "__stop_xray_instr_map" };

/** Where in a function a sled of XRay stands, in the order of the numbers that stand for it in `xray_instr_map`. */
const sledKinds = ["entry", "exit", "tail-exit", "entry-with-arguments", "custom-event", "typed-event"] as const;

/** Where in a function a sled of XRay stands. */
export type SledKind = (typeof sledKinds)[number];

/** The first version in which an entry's addresses are distances from their fields. */
const RELATIVE = 2;

/**
 * `XRaySledEntry` (LLVM 19 compiler-rt/lib/xray/xray_interface_internal.h): two words, the sled and its function; a byte each for its
 * kind, whether it is always instrumented, and the version; as many words as it has bytes in one of them, four in all.
 */
export function readSleds(elf: Elf): Entry[] {
  let index = 0;
  const { word } = elf.class;
  return findTables(elf, { ...name, entrySize: 4 * word }).flatMap((table) =>
    Array.from({ length: table.count }, (_, entry): Entry => {
      const fields = table.bytes.subarray(entry * 4 * word + 2 * word);
      const sled = sledKinds[fields[0] as number];
      const version = fields[2] as number;
      if (sled === undefined)
        throw elf.file.fault(
          `section ${name.section}, entry ${entry + 1}`,
          `the kind of sled is ${fields[0]}; expected 0 to ${sledKinds.length - 1}`,
        );
      const place = version >= RELATIVE ? table.relative(entry, 0, word) : table.absolute(entry, 0);
      return { kind: "xray-sled", index: ++index, place: elf.codePlace(place), sled };
    }),
  );
}
