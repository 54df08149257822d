import type { Elf } from "../elf.js";

/** The two low bits of a place; keys are aligned to 4 bytes or more, so that they are flags. */
export function flagsOf(place: number): number {
  return ((place % 4) + 4) % 4;
}

/** A key's symbol, with an offset when it lies inside a larger object; or its section or address. */
export function nameKey(elf: Elf, place: number): string {
  const found = elf.objects.covering(place);
  return found ? elf.objects.format(found) : elf.describe(place);
}
