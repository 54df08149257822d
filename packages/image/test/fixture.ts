import { readFileSync } from "node:fs";
import { InputError } from "@cmodx/core";
import { expect } from "vitest";
import { findSites, type PatchSite, readElf } from "../src/index.js";

export const fixtures = [
  "patchsites.x86_64.o",
  "patchsites.x86_64.elf",
  "patchsites.merged.x86_64.elf",
  "patchsites.pie.x86_64.elf",
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

/** Calls `change` with the file offset and the bytes of a section header. */
export function patchSection(bytes: Uint8Array, section: number, change: (view: DataView) => void): Uint8Array {
  const file = new DataView(bytes.buffer);
  const at = Number(file.getBigUint64(40, true)) + section * 64;
  change(new DataView(bytes.buffer, at, 64));
  return bytes;
}
