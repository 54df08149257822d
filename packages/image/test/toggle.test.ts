import { readFileSync } from "node:fs";
import { InputError } from "@cmodx/core";
import { describe, expect, test } from "vitest";
import { type ToggledSite, toggleWrites } from "../src/index.js";
import { fixtureSites, hexOf } from "./fixture.js";

/** The jump labels of one key of a real kernel, as `findSites` found them in its bzImage; see fixtures/README.md. */
const extract: readonly { readonly [field in "address" | "bytes" | "target" | "key"]: string }[] = JSON.parse(
  readFileSync(new URL("../fixtures/linux-6.1.176-cloud-amd64.sched_schedstats.json", import.meta.url), "utf8"),
);

const names: { readonly [start: string]: string } = { "66": "nop2", "0f": "nop5", eb: "jmp8", e9: "jmp32" };

const sites = extract.map(
  ({ address, bytes, target, key }): ToggledSite => ({
    kind: "jump-label",
    address: BigInt(address),
    bytes: new Uint8Array(Buffer.from(bytes, "hex")),
    instruction: names[bytes.slice(0, 2)] as string,
    target: BigInt(target),
    key,
  }),
);

const shown = (address: bigint, bytes: Uint8Array): string => `${address.toString(16)} ${hexOf(bytes)}`;

describe("the key sched_schedstats of Debian's 6.1.176-cloud-amd64", () => {
  const writes = toggleWrites(sites, "sched_schedstats");

  test("three writes for each of its 76 labels: breakpoints, tails, first bytes", () => {
    expect(sites).toHaveLength(76);
    expect(writes).toHaveLength(228);
    expect(writes.slice(0, 76).every(({ bytes }) => hexOf(bytes) === "cc")).toBe(true);
    expect(writes.slice(76, 152).map(({ address }) => address - 1n)).toEqual(sites.map(({ address }) => address));
    expect(new Set(writes.slice(152).map(({ bytes }) => hexOf(bytes)))).toEqual(new Set(["0f", "e9", "eb"]));
  });

  // The kernel's own log of every call of __text_poke, while `kernel.sched_schedstats` was set to 1.
  const data = process.env.CMODX_DATA;
  test.skipIf(data === undefined)(
    "are the 228 that the kernel logged, bytes and order; the other 65 touch no label",
    () => {
      const log = readFileSync(`${data}/groundtruth/linux-6.1.176-cloud-amd64-sched_schedstats.log`, "utf8");
      const lines = log.split("@@TPALL\n")[1]?.split("@@ENDTP")[0]?.trim().split("\n") ?? [];
      const logged = lines.map((line) => {
        const field = (name: string): string => new RegExp(`\\b${name}=(\\w+)`).exec(line)?.[1] ?? "";
        const bytes = ["b0", "b1", "b2", "b3", "b4"].map((name) => Number(field(name)));
        return { address: BigInt(field("addr")), bytes: Uint8Array.from(bytes.slice(0, Number(field("len")))) };
      });
      expect(logged).toHaveLength(293);
      const inside = ({ address }: { readonly address: bigint }): boolean =>
        sites.some((site) => address >= site.address && address < site.address + BigInt(site.bytes.length));
      const own = logged.filter(inside);
      expect(own.map(({ address, bytes }) => shown(address, bytes))).toEqual(
        writes.map(({ address, bytes }) => shown(address, bytes)),
      );
      expect(logged.length - own.length).toBe(65);
    },
  );
});

test("labels in code that is freed are not written", () => {
  const [first, ...rest] = sites as [ToggledSite, ...ToggledSite[]];
  expect(toggleWrites([{ ...first, init: true }, ...rest], "sched_schedstats")).toHaveLength(225);
});

test("no more than 256 labels are written together", () => {
  const [first] = sites as [ToggledSite];
  const many = Array.from({ length: 300 }, (_, i) => ({ ...first, address: first.address + BigInt(16 * i) }));
  const writes = toggleWrites(many.reverse(), "sched_schedstats");
  expect(writes).toHaveLength(900);
  const breakpoints = writes.flatMap(({ bytes }, i) => (hexOf(bytes) === "cc" ? [i] : []));
  expect(breakpoints.filter((i) => i >= 256)).toEqual(Array.from({ length: 44 }, (_, i) => 768 + i));
});

test("a nop becomes the jump to its target, a jump a nop of its length", () => {
  const linked = fixtureSites("patchsites.x86_64.elf").filter(({ kind }) => kind === "jump-label");
  for (const { key, instruction, address, bytes, target } of linked) {
    const writes = toggleWrites(linked, key as string).filter((write) => write.address === address);
    const first = writes[1]?.bytes[0];
    expect(first).toBe({ nop2: 0xeb, nop5: 0xe9, jmp8: 0x66, jmp32: 0x0f }[instruction]);
    const tail = toggleWrites(linked, key as string).find((write) => write.address === address + 1n)?.bytes;
    if (instruction === "nop2") expect(Number(target)).toBe(Number(address) + 2 + (((tail?.[0] ?? 0) << 24) >> 24));
    expect(tail).toHaveLength(bytes.length - 1);
  }
});

test("a key without labels, and a site that is none of x86-64, are refused", () => {
  expect(() => toggleWrites(sites, "sched_schedstat")).toThrow(InputError);
  expect(() => toggleWrites(sites, "sched_schedstat")).toThrow("no jump label of running code has this key");
  const arm = fixtureSites("patchsites.arm64.elf").filter(({ kind }) => kind === "jump-label");
  expect(() => toggleWrites(arm, arm[0]?.key as string)).toThrow("is no jump label of x86-64 with a target");
});
