import { InputError } from "@cmodx/core";
import { describe, expect, test } from "vitest";
import { findSites, hazards, lineOffsets, readElf, selectSite } from "../src/index.js";
import { fixtureBytes, fixtures } from "./fixture.js";

/** Reads everything there is; only an InputError with a readable sentence may come of it. */
function readAll(bytes: Uint8Array): "sites" | "refused" {
  try {
    const sites = findSites(readElf(bytes, { name: "fuzz" }));
    for (const site of sites) {
      expect(site.bytes.length).toBe(site.length);
      expect(site.length).toBeGreaterThan(0);
      hazards(site);
      lineOffsets(site);
      expect(selectSite(sites, `#${site.number}`)).toBe(site);
    }
    return "sites";
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    expect(error.message).toMatch(/^fuzz: .+: .+/);
    expect(error.message).not.toMatch(/undefined|NaN|Infinity|\[object/);
    return "refused";
  }
}

/** A small deterministic generator (xorshift32). */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

describe.each(fixtures)("%s", (name) => {
  const whole = fixtureBytes(name);

  test("cut off at every length", () => {
    const results = Array.from({ length: whole.length }, (_, length) => readAll(whole.subarray(0, length)));
    expect(results).not.toContain("sites"); // The section headers are at the end.
  });

  test("with bytes changed at random", () => {
    const random = generator(0x5eed);
    const results = { sites: 0, refused: 0 };
    for (let run = 0; run < 1000; run++) {
      const bytes = whole.slice();
      // Headers and relocations are small parts of the file: half of the changes go to its ends.
      for (let flips = 1 + random(4); flips > 0; flips--) {
        const at = random(2) === 0 ? random(whole.length) : (whole.length - 1400 + random(1464)) % whole.length;
        bytes[at] = random(4) === 0 ? 0xff : random(256);
      }
      results[readAll(bytes)]++;
    }
    expect(results.sites).toBeGreaterThan(100);
    expect(results.refused).toBeGreaterThan(100);
  });
});
