import type { Elf } from "../elf.js";
import { flagsOf, nameKey } from "./keys.js";
import { type Entry, findTables } from "./table.js";

const name = {
  section: "__jump_table",
  start: "__start___jump_table",
  stop: "__stop___jump_table",
  entrySize: 16,
};

/**
 * `struct jump_entry` of machines with relative entries (Linux 7.3 include/linux/jump_label.h): s32 code - ., s32 target - .,
 * s64 key - . whose bit 0 is the `branch` argument and bit 1, in x86 modules, objtool's mark that it wrote the nop.
 */
export function readJumpLabels(elf: Elf): Entry[] {
  let index = 0;
  return findTables(elf, name).flatMap((table) =>
    Array.from({ length: table.count }, (_, entry): Entry => {
      const place = table.relative(entry, 0, 4);
      const target = table.relative(entry, 4, 4);
      const key = table.relative(entry, 8, 8);
      const flags = flagsOf(key);
      return {
        kind: "jump-label",
        index: ++index,
        place,
        target,
        key: nameKey(elf, key - flags),
        branch: (flags & 1) === 1,
      };
    }),
  );
}
