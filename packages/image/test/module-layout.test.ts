import { describe, expect, test } from "vitest";
import { findSites, hazards, lineOffsets, type PatchSite, readElf } from "../src/index.js";
import { fixtureBytes, patchSection, sectionIndex } from "./fixture.js";

const object = "patchsites.x86_64.o";

/** The object file as a module: some of its sections have other names. */
function module(names: { readonly [section: string]: string } = {}): Uint8Array {
  const bytes = fixtureBytes(object);
  const renamed = { ".comment": ".gnu.linkonce.this_module", ...names };
  const strings = sectionIndex(bytes, ".shstrtab");
  const old = readElf(bytes).sections[strings];
  const start = old?.offset ?? 0;
  let held = [...bytes.subarray(start, start + (old?.size ?? 0))];
  const indices = Object.entries(renamed).map(([from, to]) => [sectionIndex(bytes, from), to] as const);
  for (const [index, to] of indices) {
    const at = held.length;
    held = [...held, ...new TextEncoder().encode(`${to}\0`)];
    patchSection(bytes, index, (view) => view.setUint32(0, at, true));
  }
  const whole = new Uint8Array(bytes.length + held.length);
  whole.set(bytes);
  whole.set(held, bytes.length);
  return patchSection(whole, strings, (view) => {
    view.setBigUint64(24, BigInt(bytes.length), true);
    view.setBigUint64(32, BigInt(held.length), true);
  });
}

const loose = (bytes: Uint8Array): PatchSite => {
  const found = findSites(readElf(bytes)).find(({ symbol }) => symbol === "loose+0xd");
  return found ?? expect.fail("the fixture has a site loose+0xd");
};

const sizes = new Map(readElf(fixtureBytes(object)).sections.map(({ name, size }) => [name, size]));
const code = readElf(fixtureBytes(object)).sections.filter(({ flags }) => (flags & 6) === 6);

/** The code that a module keeps, before `.text.loose`. */
const before = code
  .map(({ name }) => name)
  .slice(
    0,
    code.findIndex(({ name }) => name === ".text.loose"),
  )
  .filter((name) => !name.startsWith(".init"));

/** Where `.text.loose` begins when it lies behind these. */
const behind = (names: readonly string[]): number =>
  Math.ceil(
    names.reduce((end, name) => {
      const alignment = code.find((section) => section.name === name)?.alignment ?? 1;
      return Math.ceil(end / alignment) * alignment + (sizes.get(name) ?? 0);
    }, 0) / 16,
  ) * 16;

describe("where a module's code will lie", () => {
  test("in an object file that is no module a site can be at several places in a line", () => {
    const site = loose(fixtureBytes(object));
    expect(site.pageOffset).toBeUndefined();
    expect(lineOffsets(site)).toEqual([13, 29, 45, 61]);
  });

  test("in a module it is behind the code before it, which is aligned", () => {
    const site = loose(module());
    const before = code
      .map(({ name }) => name)
      .slice(
        0,
        code.findIndex(({ name }) => name === ".text.loose"),
      );
    expect(before).toContain(".text");
    const place = (behind(before.filter((name) => !name.startsWith(".init"))) + Number(site.address)) % 4096;
    expect(site.pageOffset).toBe(place);
    expect(lineOffsets(site)).toEqual([place % 64]);
    expect(site.fixed).toBe(true);
    expect(hazards(site).includes("crosses-line")).toBe((place % 64) + site.length > 64);
  });

  test("code that is freed lies apart", () => {
    const site = loose(module({ ".text": ".init.text" }));
    expect(site.pageOffset).toBe(Number(site.address) + behind(before.filter((name) => name !== ".text")));
    const init = findSites(readElf(module({ ".text": ".init.text" }))).find(({ section }) => section === ".init.text");
    expect(init?.init).toBe(true);
    expect(init?.pageOffset).toBe(Number(init?.address));
  });

  test("behind stubs that the loader makes it is not known", () => {
    const site = loose(module({ ".text": ".plt" }));
    expect(site.pageOffset).toBeUndefined();
    expect(lineOffsets(site)).toHaveLength(4);
  });
});
