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
 * - `misaligned`: an instruction of 4 bytes straddles two aligned words (RISC-V at 2-byte boundaries, Thumb-2), or the literal
 *   of CALL_OPS two aligned 8-byte words; it is neither stored nor fetched whole.
 * - `multi-instruction`: several instructions, so that a task can stand between two of them.
 * - `out-of-reach`: a jump label's target is further away than the kernel's branch leads.
 * - `unknown-opcode`: the kernel would not accept what stands there.
 */
export type Hazard = keyof typeof boundaries | "misaligned" | "multi-instruction" | "out-of-reach" | "unknown-opcode";

/** All kinds of {@link Hazard}, in the order in which {@link hazards} gives them. */
export const hazardKinds: readonly Hazard[] = [
  "crosses-8",
  "crosses-32",
  "crosses-line",
  "crosses-page",
  "misaligned",
  "multi-instruction",
  "out-of-reach",
  "unknown-opcode",
];

/**
 * The hazards of a site.
 *
 * Where a site of a relocatable file will lie in a page is known of modules (`pageOffset`). Where it is not, the site is judged as if
 * its section started at a page; {@link lineOffsets} has all possibilities. Only what the kernel rewrites while it runs counts:
 * padding before a function's entry does not.
 *
 * @param site A site of {@link findSites}.
 * @returns The hazards in the order of {@link hazardKinds}; empty when there is none. Throws nothing.
 */
export function hazards(site: PatchSite): Hazard[] {
  const { patched } = site;
  if (site.instruction === "unknown") return ["unknown-opcode"];
  if (patched.length === 0) return [];
  const page = site.pageOffset ?? Number(site.address % 4096n);
  const offset = page + patched.at;
  return hazardKinds.filter((kind) => {
    switch (kind) {
      case "misaligned":
        return offset % site.fetchAlignment !== 0 || (site.literal !== undefined && (page + site.literal) % 8 !== 0);
      case "multi-instruction":
        return patched.instructions > 1;
      case "out-of-reach":
        return site.inReach === false;
      case "unknown-opcode":
        return false;
      default: {
        const unit = boundaries[kind];
        return Math.floor(offset / unit) !== Math.floor((offset + patched.length - 1) / unit);
      }
    }
  });
}

/**
 * The offsets that the site's first byte can have in a cache line.
 *
 * @param site A site of {@link findSites}.
 * @param line Length of a line in bytes, a power of two from 1 to 4096; 64 by default.
 * @returns One offset (0 to `line` - 1) when it is certain: in a linked file, in a module that says where its code will lie, or in a
 *   section aligned to `line` or more. In other relocatable files all that are congruent modulo the section's alignment, ascending.
 * @throws InputError when `line` is no such number.
 */
export function lineOffsets(site: PatchSite, line = 64): number[] {
  if (!isPowerOfTwo(line) || line > 4096) {
    throw new InputError(`line: the length is ${line}; expected a power of two from 1 to 4096`, {
      place: "line",
      code: "out-of-range",
    });
  }
  if (site.pageOffset !== undefined) return [site.pageOffset % line];
  const step = Math.min(site.alignment, line);
  const first = Number(site.address % BigInt(step));
  return Array.from({ length: line / step }, (_, i) => first + i * step);
}
