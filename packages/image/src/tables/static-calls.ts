import type { Elf } from "../elf.js";
import { flagsOf, nameKey } from "./keys.js";
import { type Entry, findTables } from "./table.js";

const name = {
  section: ".static_call_sites",
  start: "__start_static_call_sites",
  stop: "__stop_static_call_sites",
};

/**
 * `struct static_call_site` (Linux 7.3 include/linux/static_call_types.h): s32 addr - ., s32 key - ., where the key's bit 0
 * marks a tail call and bit 1 a site in init code.
 */
export function readStaticCalls(elf: Elf): Entry[] {
  let index = 0;
  return findTables(elf, { ...name, entrySize: 8 }).flatMap((table) =>
    Array.from({ length: table.count }, (_, entry): Entry => {
      const place = table.relative(entry, 0, 4);
      const key = table.relative(entry, 4, 4);
      const flags = flagsOf(key);
      return {
        kind: "static-call",
        index: ++index,
        place,
        key: nameKey(elf, key - flags),
        tail: (flags & 1) === 1,
        init: (flags & 2) === 2,
      };
    }),
  );
}
