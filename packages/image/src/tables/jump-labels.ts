import type { Elf } from "../elf.js";
import { flagsOf, nameKey } from "./keys.js";
import { type Entry, findTables } from "./table.js";

const name = {
  section: "__jump_table",
  start: "__start___jump_table",
  stop: "__stop___jump_table",
};

/**
 * `struct jump_entry` (Linux 7.3 include/linux/jump_label.h). Relative: s32 code - ., s32 target - ., long key - .; absolute:
 * three addresses. Of the key bit 0 is the `branch` argument and bit 1 marks init code or, in x86 modules, that objtool wrote
 * the nop.
 */
export function readJumpLabels(elf: Elf): Entry[] {
  let index = 0;
  const { word } = elf.class;
  const relative = elf.machine.jumpEntries === "relative";
  const entrySize = relative ? 8 + word : 3 * word;
  return findTables(elf, { ...name, entrySize }).flatMap((table) =>
    Array.from({ length: table.count }, (_, entry): Entry => {
      const [code, to, key] = relative
        ? [table.relative(entry, 0, 4), table.relative(entry, 4, 4), table.relative(entry, 8, word)]
        : [table.absolute(entry, 0), table.absolute(entry, word), table.absolute(entry, 2 * word)];
      const [place, target] = [elf.codePlace(code), elf.codePlace(to)];
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
