import { readFileSync } from "node:fs";
import { InputError } from "@cmodx/core";
import { expect } from "vitest";
import { findSites, type PatchSite, readElf } from "../src/index.js";

export const fixtures = [
  "patchsites.x86_64.o",
  "patchsites.x86_64.elf",
  "patchsites.merged.x86_64.elf",
  "patchsites.pie.x86_64.elf",
  "patchsites.arm64.o",
  "patchsites.arm64.elf",
  "patchsites.merged.arm64.elf",
  "patchsites.riscv64-6.12.o",
  "patchsites.riscv64-6.12.elf",
  "patchsites.riscv64-call-ops.o",
  "patchsites.riscv64-call-ops.elf",
  "patchsites.armv7-a32.o",
  "patchsites.armv7-a32.elf",
  "patchsites.armv7-t32.o",
  "patchsites.armv7-t32.elf",
  "patchsites.merged.armv7-t32.elf",
] as const;

export type Fixture = (typeof fixtures)[number];

/** A copy of a fixture's bytes, to change at will. */
export function fixtureBytes(name: Fixture): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));
}

export function fixtureSites(name: Fixture): PatchSite[] {
  return findSites(readElf(fixtureBytes(name), { name }));
}

/** The site of that number. */
export function site(sites: readonly PatchSite[], number: number): PatchSite {
  const found = sites[number - 1];
  expect(found?.number).toBe(number);
  return found as PatchSite;
}

/** The index of a section. */
export function sectionIndex(bytes: Uint8Array, name: string): number {
  const section = readElf(bytes).sections.find((candidate) => candidate.name === name);
  return section?.index ?? expect.fail(`${name} is not in the fixture`);
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** The error that reading a file and its sites ends in; anything but an InputError that names the file fails the test. */
export function errorOf(bytes: Uint8Array, name = "broken.o"): InputError {
  try {
    findSites(readElf(bytes, { name }));
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).file).toBe(name);
    expect((error as InputError).message).toContain(`${name}: ${(error as InputError).place}: `);
    return error as InputError;
  }
  throw new Error("the file was read without an error");
}

/** Calls `change` with the bytes of a section header. */
export function patchSection(bytes: Uint8Array, section: number, change: (view: DataView) => void): Uint8Array {
  const file = new DataView(bytes.buffer);
  const wide = bytes[4] === 2;
  const start = wide ? Number(file.getBigUint64(40, true)) : file.getUint32(32, true);
  const size = wide ? 64 : 40;
  change(new DataView(bytes.buffer, start + section * size, size));
  return bytes;
}

/** Calls `change` with the bytes of an entry of `size` bytes of a section. */
export function patchEntry(
  bytes: Uint8Array,
  name: string,
  entry: number,
  size: number,
  change: (view: DataView) => void,
): Uint8Array {
  const offset = readElf(bytes).sections[sectionIndex(bytes, name)]?.offset ?? 0;
  change(new DataView(bytes.buffer, offset + entry * size, size));
  return bytes;
}
