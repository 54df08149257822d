import { armv7 } from "@cmodx/armv7";
import { createSimulation, type DataBlock, finalStates, type Site } from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { LINE, type State } from "./check.js";

/** Two places of data, in lines of their own. */
const X = 0x9000n;
const Y = 0x9040n;

type Run = {
  readonly sites?: readonly Site[];
  readonly data?: readonly DataBlock[];
  readonly pointer?: bigint;
  /** The state of code that names none. */
  readonly state?: State;
};

/**
 * What registers of the last CPU can hold at the end when each CPU runs its A32 code once; `r0` points to X, `r1` to Y, `r2` holds 1, `r3` a
 * pointer if there is one.
 */
const outcomes = (cpus: readonly string[], shown: readonly string[], run: Run = {}): readonly string[] => {
  const { sites = [{ address: LINE, old: "nop", new: "b" }], data = [], pointer = 0n, state = "a32" } = run;
  const at = (cpu: number): bigint => LINE + 0x100n * BigInt(cpu + 1);
  const machine = createSimulation({ architecture: armv7({ fetch: state }), development: true }).machine({
    name: "outcomes",
    sites,
    patchers: [],
    blocks: cpus.map((code, i) => ({ address: at(i), code: `${code}+svc #0`, mode: "a32" })),
    executors: cpus.map((_, i) => ({
      entries: [at(i)],
      once: true,
      count: 1,
      registers: { r0: X, r1: Y, r2: 1n, r3: pointer },
    })),
    data,
    cpus: cpus.length,
    memory: "architectural",
  });
  const found = new Set<string>();
  for (const final of finalStates(machine, { development: true }).finals) {
    const code = final.cpus.at(-1)?.stack[0]?.code;
    if (code?.run === "machine") found.add(shown.map((name) => (code.registers[name] ?? 0n).toString(16)).join(" "));
  }
  return [...found].sort();
};

/** Whether a CPU that looks at Y and then at X can find Y's new value with X's old one. */
const overtakes = (writer: string, reader: string): boolean => outcomes([writer, reader], ["r4", "r5"]).includes("1 0");

const stores = (between: string): string => `str r2, [r0]${between}+str r2, [r1]`;
const loads = (between: string, second = "ldr r5, [r0]"): string => `ldr r4, [r1]${between}+${second}`;
const ordered = "+dmb";

describe("machine code", () => {
  it("stores in any order, unless a barrier keeps them apart", () => {
    for (const between of ["", "+isb"]) expect(overtakes(stores(between), loads(ordered)), between).toBe(true);
    for (const between of ["+dmb", "+dmb st", "+dsb", "+dsb st"])
      expect(overtakes(stores(between), loads(ordered)), between).toBe(false);
  });

  it("loads and stores several registers one by one, each whole", () => {
    const words = "str r2, [r0]+dmb+str r2, [r0, #4]";
    const seen = (writer: string, reader: string) => outcomes([writer, reader], ["r4", "r5"]);
    expect(seen(words, "ldm r0, {r4, r5}")).toEqual(["0 0", "0 1", "1 0", "1 1"]);
    expect(seen(words, "ldr r5, [r0, #4]+dmb+ldr r4, [r0]")).not.toContain("0 1");
    const both = "mov r3, r2+stm r0, {r2, r3}";
    expect(seen(both, "ldr r5, [r0, #4]+dmb+ldr r4, [r0]")).toContain("0 1");
    expect(seen(both, "ldr r4, [r0]+dmb+ldr r5, [r0, #4]")).toContain("1 0");
    // A word that is not aligned is bytes.
    expect(outcomes(["mvn r2, #0+str r2, [r0]", "ldr r4, [r0]"], ["r4"])).toEqual(["0", "ffffffff"]);
    expect(outcomes(["mvn r2, #0+str r2, [r0, #4]", "ldr r4, [r0, #2]"], ["r4"])).toEqual([
      "0",
      "ff0000",
      "ff000000",
      "ffff0000",
    ]);
  });

  it("loads in any order, unless a barrier or a dependency keeps them apart", () => {
    for (const between of ["", "+dmb st", "+dsb st", "+isb", "+cmp r4, #1+bne .+4"])
      expect(overtakes(stores(ordered), loads(between)), between).toBe(true);
    for (const between of ["+dmb", "+dsb", "+cmp r4, #1+bne .+4+isb"])
      expect(overtakes(stores(ordered), loads(between)), between).toBe(false);
    const dependent = "+eor r6, r4, r4";
    expect(overtakes(stores(ordered), loads(dependent, "ldr r5, [r0, r6]"))).toBe(false);
  });

  it("waits with a store for the branches and addresses before it, and with a conditional one for its flags", () => {
    // Each looks at a place and stores to the other's.
    const both = (between: string, store = "str") =>
      outcomes(
        [
          `ldr r4, [r0]${between}+${store} r2, [r1]+str r4, [r0, #16]`,
          `ldr r4, [r1]${between}+${store} r2, [r0]+dmb+ldr r5, [r0, #16]`,
        ],
        ["r4", "r5"],
      );
    expect(both("")).toContain("1 1");
    expect(both("+cmp r4, #1")).toContain("1 1");
    expect(both("+cmp r4, #2", "strne")).not.toContain("1 1");
    expect(both("+cmp r4, #2", "strne")).toContain("1 0");
    expect(both("+cmp r4, #2+bne .+4")).not.toContain("1 1");
    expect(both("+eor r6, r4, r4+ldr r7, [r0, r6]")).not.toContain("1 1");
    expect(both("+dmb")).not.toContain("1 1");
  });

  it("loads under a condition once its flags are known, if they say so", () => {
    const found = (compare: string, condition: string) =>
      outcomes([stores(ordered), loads(`+cmp r4, ${compare}`, `ldr${condition} r5, [r0]`)], ["r4", "r5"]);
    expect(found("#1", "eq")).toEqual(["0 0", "1 1"]);
    expect(found("#0", "ne")).toEqual(["0 0", "1 1"]);
  });
});

describe("an indirect branch into the other instruction set", () => {
  const bytes = (value: bigint): readonly number[] =>
    [0, 8, 16, 24].map((shift) => Number((value >> BigInt(shift)) & 0xffn));
  // In the upper half of a word no A32 code begins.
  const thumb: Site = { address: LINE + 0x802n, old: "ldr r5, [r0]", new: "nop", mode: "t32", after: "svc #0" };
  const plain: Site = { address: LINE + 0x900n, old: "mov r5, r2", new: "nop", mode: "a32", after: "svc #0" };
  const data = [{ address: Y, bytes: bytes(plain.address) }];
  const pointer = thumb.address | 1n;

  const around: Run = { sites: [thumb, plain], data, pointer, state: "t32" };

  it("is followed ahead of the load that says where it goes", () => {
    const writer = (between: string) => `str r2, [r0]${between}+str r3, [r1]`;
    const goes = (between: string) => outcomes([writer(ordered), `ldr r4, [r1]${between}+bx r4`], ["r4", "r5"], around);
    const hex = (value: bigint): string => value.toString(16);
    expect(goes("")).toEqual([`${hex(pointer)} 0`, `${hex(pointer)} 1`, `${hex(plain.address)} 1`].sort());
    expect(goes("+dmb")).toEqual([`${hex(pointer)} 1`, `${hex(plain.address)} 1`].sort());
  });
});

describe("data that nobody writes", () => {
  it.each([
    ["b .+8", true],
    ["str r0, [sp, #-8]", true],
    ["str r0, [r1]", false],
    ["streq r0, [r1]", false],
    ["strne r0, [r1]", false],
  ])("%s as new code: %s", (code, isNeverWritten) => {
    const machine = createSimulation({ architecture: armv7() }).machine({
      name: "never written",
      sites: [{ address: LINE, old: "nop", new: code }],
      patchers: [],
      cpus: 1,
      memory: "architectural",
    });
    expect(machine.isNeverWritten(X)).toBe(isNeverWritten);
  });
});
