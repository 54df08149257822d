import { gzipSync } from "node:zlib";
import { InputError } from "@cmodx/core";
import fc from "fast-check";
import { expect } from "vitest";
import { findSites, hazards, lineOffsets, readImage } from "../src/index.js";
import { fixtureBytes } from "./fixture.js";
import { type KernelLayout, makeKernel } from "./kernel.js";
import { bzImage, packed, zImage } from "./packed.js";

const kernel = (
  machine: KernelLayout["machine"],
  offsets: KernelLayout["offsets"],
  rest: Partial<KernelLayout> = {},
): Uint8Array => makeKernel({ machine, offsets, all: true, relocated: false, callOps: true, ...rest }).bytes;

/** Files of every kind that is read, small enough to be read thousands of times. */
export const whole: { readonly [kind: string]: Uint8Array } = {
  "xz, x86 filter": packed("patchsites.x86_64.elf.x86.xz"),
  "xz, ARM filter": packed("patchsites.armv7-a32.elf.arm.xz"),
  "xz, CRC64": packed("patchsites.arm64.o.xz"),
  zstd: packed("patchsites.arm64.o.zst"),
  "zstd without a size": packed("patchsites.x86_64.elf.zst"),
  lz4: packed("patchsites.x86_64.elf.lz4"),
  gzip: gzipSync(fixtureBytes("patchsites.riscv64-6.12.o")),
  "bzImage, lz4": bzImage(packed("patchsites.x86_64.elf.lz4"), fixtureBytes("patchsites.x86_64.elf").length),
  "bzImage, xz": bzImage(packed("patchsites.x86_64.elf.x86.xz"), fixtureBytes("patchsites.x86_64.elf").length),
  "arm64 Image": kernel("arm64", "behind"),
  "arm64 Image, relocated": kernel("arm64", "before", { all: false, relocated: true, callOps: false }),
  "riscv64 Image": kernel("riscv64", "relative"),
  "ARM zImage": zImage(gzipSync(kernel("arm", "before", { all: false, callOps: false }))),
};

/** A change to a file: it is cut off, or some of its bytes are others, often such as make numbers huge, negative or point back. */
export const damage = fc.oneof(
  { weight: 1, arbitrary: fc.record({ cut: fc.double({ min: 0, max: 1, noNaN: true }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      changes: fc.array(
        fc.record({
          // Headers are at the start and tables at the end; a field is often aligned.
          at: fc.oneof(
            fc.double({ min: 0, max: 1, noNaN: true }),
            fc.nat(700),
            fc.nat(700).map((back) => -1 - back),
          ),
          bytes: fc.oneof(
            fc.uint8Array({ minLength: 1, maxLength: 2 }),
            fc.constantFrom(
              Uint8Array.of(0xff, 0xff, 0xff, 0xff),
              Uint8Array.of(0xff, 0xff, 0xff, 0x7f),
              Uint8Array.of(0, 0, 0, 0x80),
              Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0),
              Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255),
            ),
          ),
        }),
        { minLength: 1, maxLength: 4 },
      ),
    }),
  },
);

type Damage = typeof damage extends fc.Arbitrary<infer D> ? D : never;

export function damaged(file: Uint8Array, how: Damage): Uint8Array {
  if ("cut" in how) return file.slice(0, Math.floor(how.cut * file.length));
  const bytes = file.slice();
  for (const { at, bytes: others } of how.changes) {
    const offset = at < 0 ? bytes.length + at : Number.isInteger(at) ? at : Math.floor(at * bytes.length);
    const start = Math.max(0, Math.min(offset, bytes.length - others.length));
    bytes.set(others.subarray(0, bytes.length - start), start);
  }
  return bytes;
}

/** Reads all that there is: sites that make sense, or one sentence that names file and place. */
export async function readAll(bytes: Uint8Array): Promise<"read" | "refused"> {
  try {
    const elf = await readImage(bytes, { name: "damaged" });
    for (const site of findSites(elf)) {
      expect(site.bytes.length).toBe(site.length);
      expect(site.length).toBeGreaterThan(0);
      hazards(site);
      lineOffsets(site);
    }
    return "read";
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    expect(error.message).toMatch(/^damaged: [^\n]+: [^\n]+$/);
    expect(error.message).not.toMatch(/undefined|NaN|Infinity|\[object/);
    return "refused";
  }
}
