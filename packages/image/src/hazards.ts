import { InputError } from "@cmodx/core";
import { isPowerOfTwo } from "./sections.js";
import type { PatchSite } from "./sites.js";

const boundaries = { "crosses-8": 8, "crosses-32": 32, "crosses-line": 64, "crosses-page": 4096 } as const;

/**
 * What makes a site harder to patch; each is a property of the place alone, not a verdict.
 *
 * - `crosses-8`: the site spans two aligned 8-byte words, which no store writes whole on every x86 (AMD64 manual vol. 2, §7.3.2).
 * - `crosses-32`: two aligned 32-byte blocks, the unit in which recent cores fetch.
 * - `crosses-line`: two 64-byte cache lines. `crosses-page`: two 4096-byte pages.
 * - `multi-instruction`: several instructions, so that a task can stand between two of them.
 * - `unknown-opcode`: the kernel would not accept what stands there.
 */
export type Hazard = keyof typeof boundaries | "multi-instruction" | "unknown-opcode";

/** All kinds of {@link Hazard}, in the order in which {@link hazards} gives them. */
export const hazardKinds: readonly Hazard[] = [
  "crosses-8",
  "crosses-32",
  "crosses-line",
  "crosses-page",
  "multi-instruction",
  "unknown-opcode",
];

/**
 * The hazards of a site.
 *
 * In a relocatable file the final address is not known: the site is judged as if its section started at a page, which is so only
 * for the first section that the kernel's module loader places in each of its regions; {@link lineOffsets} has all
 * possibilities. Padding before a function's entry is not executed and counts for nothing.
 *
 * @param site A site of {@link findSites}.
 * @returns The hazards in the order of {@link hazardKinds}; empty when there is none. Throws nothing.
 */
export function hazards(site: PatchSite): Hazard[] {
  const padding = site.padding ?? 0;
  const executed = site.length - padding;
  if (site.instruction === "unknown") return ["unknown-opcode"];
  if (executed === 0) return [];
  const offset = Number(site.address % 4096n) + padding;
  return hazardKinds.filter((kind) => {
    if (kind === "multi-instruction") return site.boundaries.filter((start) => start >= padding).length > 1;
    if (kind === "unknown-opcode") return false;
    const unit = boundaries[kind];
    return Math.floor(offset / unit) !== Math.floor((offset + executed - 1) / unit);
  });
}

/**
 * The offsets that the site's first byte can have in a cache line.
 *
 * @param site A site of {@link findSites}.
 * @param line Length of a line in bytes, a power of two from 1 to 4096; 64 by default.
 * @returns One offset (0 to `line` - 1) when it is certain: in a linked file, or in a section aligned to `line` or more. In
 *   other relocatable files all that are congruent modulo the section's alignment, ascending.
 * @throws InputError when `line` is no such number.
 */
export function lineOffsets(site: PatchSite, line = 64): number[] {
  if (!isPowerOfTwo(line) || line > 4096) {
    throw new InputError(`line: the length is ${line}; expected a power of two from 1 to 4096`, { place: "line" });
  }
  const step = site.linked ? line : Math.min(site.alignment, line);
  const first = Number(site.address % BigInt(step));
  return Array.from({ length: line / step }, (_, i) => first + i * step);
}
