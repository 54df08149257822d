import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { findSites, hazards, readImage } from "../src/index.js";
import { type KernelLayout, makeKernel } from "./kernel.js";
import { zImage } from "./packed.js";

const layout = (
  machine: KernelLayout["machine"],
  offsets: KernelLayout["offsets"],
  rest: Partial<KernelLayout> = {},
): KernelLayout => ({ machine, offsets, all: true, relocated: false, callOps: false, ...rest });

/** Those that real kernels have, and what each is of. */
const layouts: readonly (readonly [string, KernelLayout])[] = [
  ["arm64 6.1: relocated, without symbols of data", layout("arm64", "before", { all: false, relocated: true })],
  ["arm64, relocated", layout("arm64", "before", { relocated: true })],
  ["arm64 6.12", layout("arm64", "behind", { callOps: true })],
  ["arm64 7.2", layout("arm64", "relative", { callOps: true })],
  ["arm64, relative and relocated", layout("arm64", "relative", { relocated: true })],
  ["riscv64 6.12", layout("riscv64", "behind")],
  ["riscv64 7.2", layout("riscv64", "relative", { callOps: true })],
  ["armhf 6.1", layout("arm", "before", { all: false })],
  ["armhf 6.12", layout("arm", "behind", { all: false })],
  ["armhf 7.2", layout("arm", "relative", { all: false })],
];

const read = (bytes: Uint8Array, { machine }: KernelLayout) =>
  readImage(machine === "arm" ? zImage(gzipSync(bytes)) : bytes, { name: "kernel" });

describe.each(layouts)("%s", (_, layout) => {
  const kernel = makeKernel(layout);
  const elf = read(kernel.bytes, layout);

  test("its symbols are found, at their addresses", async () => {
    const { symbols } = await elf;
    const found = kernel.symbols.map((__, i) => [symbols?.value(i + 1), symbols?.name(i + 1)]);
    const base = Number(BigInt.asIntN(64, kernel.base));
    expect(found).toEqual(kernel.symbols.map(([offset, , name]) => [base + offset, name]));
  });

  test("each jump label and each entry is a site, by its name", async () => {
    const sites = findSites(await elf);
    const labels = sites.filter(({ kind }) => kind === "jump-label");
    const entries = sites.filter(({ kind }) => kind !== "jump-label");
    expect(labels.map(({ address }) => Number(address - kernel.base))).toEqual(kernel.labels);
    const padding = layout.callOps ? 8 : 0;
    const call = layout.machine === "arm" ? 4 : 0;
    expect(entries.map(({ address }) => Number(address - kernel.base))).toEqual(
      kernel.functions.map((start) => start - padding + call),
    );
    const sign = layout.callOps ? "-0x8" : `+0x${call}`;
    expect(entries.map(({ symbol }) => symbol)).toEqual(kernel.functions.map((__, i) => `function_${i}${sign}`));
    expect(labels.every(({ symbol }, i) => symbol?.startsWith(`function_${i}+`))).toBe(true);
    expect(sites.filter(({ instruction }) => instruction === "unknown")).toEqual([]);
    if (layout.all) expect(labels[0]?.key).toBe("the_key");
  });

  test("an entry with a label of the linker at its literal is as the others", async () => {
    const [first, second] = findSites(await elf).filter(({ kind }) => kind === "patchable-entry");
    if (!first || !second) return expect(layout.machine).toBe("arm");
    expect(first.padding).toBe(layout.callOps ? 8 : 0);
    expect(hazards(first)).toEqual(hazards(second));
  });
});

describe("a kernel that cannot be read says why", () => {
  const arm64 = layout("arm64", "behind", { callOps: true });
  const errorOf = async (bytes: Uint8Array): Promise<string> =>
    read(bytes, arm64)
      .then(findSites)
      .then(
        () => expect.fail("it was read"),
        (error) => error.message,
      );
  const replaced = (bytes: Uint8Array, from: string, to: string): Uint8Array => {
    const copy = Buffer.from(bytes);
    copy.set(Buffer.from(to, "latin1"), copy.indexOf(Buffer.from(from, "latin1")));
    return new Uint8Array(copy);
  };

  test("without names", async () => {
    const bytes = replaced(makeKernel(arm64).bytes, "0\x001\x002\x003", "0\x001\x002\x004");
    expect(await errorOf(bytes)).toBe(
      "kernel: offset 0: this kernel holds no names of its symbols; expected one built with CONFIG_KALLSYMS",
    );
  });

  test("with names that markers do not agree with", async () => {
    const bytes = replaced(makeKernel(arm64).bytes, "\x07D_etext", "\x06D_etext");
    expect(await errorOf(bytes)).toContain("this kernel holds no names of its symbols");
  });

  test("without the borders of its code", async () => {
    const bytes = replaced(makeKernel(arm64).bytes, "D_etext", "D_ptext");
    expect(await errorOf(bytes)).toBe("kernel: symbols: _etext is missing; expected a kernel's own symbols");
  });

  test("with users of a table that is not there", async () => {
    const { bytes, labels } = makeKernel(layout("arm64", "before", { all: false, relocated: true }));
    for (const label of labels) bytes.set([0, 0, 0, 0], label);
    expect(await errorOf(bytes)).toContain("jump_label_init is there, but neither __start___jump_table nor anything");
  });
});
