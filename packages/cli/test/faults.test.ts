import { arm64, nosync as arm64Nosync, stopMachine as arm64StopMachine } from "@cmodx/arm64";
import { armv7, nosync as armv7Nosync, stopMachine as armv7StopMachine } from "@cmodx/armv7";
import {
  type Architecture,
  claim,
  createSimulation,
  emulate,
  type FlipSite,
  type Line,
  local,
  lookup,
  ne,
  type PatchStrategy,
  type Scenario,
  set,
  store,
  syncCores,
  toHex,
  type Verdict,
  when,
} from "@cmodx/core";
import { riscv, stopMachine as riscvStopMachine } from "@cmodx/riscv";
import { int3, x86, stopMachine as x86StopMachine } from "@cmodx/x86";
import { describe, expect, it } from "vitest";

/* `fault` on the four architectures, in both memory orders: exceptions that nothing handles, and control that leaves the code. */

type Machine = {
  readonly architecture: Architecture;
  /** A way of changing `nop` into a branch that is safe. */
  readonly safe: PatchStrategy;
  readonly site: readonly [old: string, next: string];
  readonly undefined: string;
  /** A branch through a register that holds 0. */
  readonly astray: string;
  /** A call through it. */
  readonly calls: string;
  /** Stores to the text at this distance from the site's line. */
  readonly stores: string;
  readonly exception: string;
  readonly breakpoint: string;
  readonly vector: string;
  /** A way that puts any instruction. */
  readonly stopMachine: PatchStrategy;
};

const TEXT = 0x100n;

const machines: { readonly [id: string]: Machine } = {
  x86: {
    architecture: x86(),
    safe: int3(),
    site: ["nop5", "jmp"],
    undefined: "ud2",
    astray: "jmp rbx",
    calls: "call rbx",
    stores: `mov rax, 0x${(x86().base + TEXT).toString(16)}+mov [rax], ebx`,
    exception: "ud",
    breakpoint: "int3",
    vector: "int3",
    stopMachine: x86StopMachine(),
  },
  arm64: {
    architecture: arm64(),
    safe: arm64Nosync(),
    site: ["nop", "b"],
    undefined: "udf #0",
    astray: "br x16",
    calls: "blr x16",
    stores: `adr x2, 0x${(arm64().base + TEXT).toString(16)}+str w1, [x2]`,
    exception: "ud",
    breakpoint: "brk #1",
    vector: "brk",
    stopMachine: arm64StopMachine(),
  },
  riscv: {
    architecture: riscv(),
    safe: riscvStopMachine(),
    site: ["nop", "j"],
    undefined: "c.unimp",
    astray: "jr t1",
    calls: "jalr t1",
    // The site is one instruction, so this is 4 bytes behind it.
    stores: "auipc t2, 0+sw a1, 0xfc(t2)",
    exception: "ud",
    breakpoint: "ebreak",
    vector: "ebreak",
    stopMachine: riscvStopMachine(),
  },
  armv7: {
    architecture: armv7(),
    safe: armv7Nosync(),
    site: ["nop", "b"],
    undefined: "udf #0",
    astray: "bx r5",
    calls: "blx r5",
    stores: "movw r2, #0x100+movt r2, #0xc010+str r1, [r2]",
    exception: "und",
    breakpoint: "bkpt #0",
    vector: "bkpt",
    stopMachine: armv7StopMachine(),
  },
};

const orders = ["sequential", "architectural"] as const;

describe.each(Object.entries(machines))("on %s", (_, machine) => {
  const { architecture, site, safe, stopMachine } = machine;
  const { base } = architecture;
  const simulation = createSimulation({ architecture });
  const returns = architecture.epilogue ?? architecture.returns;
  const [old, next] = site;

  const scenario = (after: string, more: Partial<Scenario> = {}): Scenario => ({
    name: after,
    sites: [{ address: base, old, new: next, after: `${after}+${returns}` }],
    patchers: [{ strategy: safe, sites: [0], flips: 1 }],
    cpus: 2,
    ...more,
  });

  const whyOf = (verdict: Verdict): string => {
    expect(verdict).toMatchObject({ verdict: "unsafe", property: "fault" });
    return verdict.verdict === "unsafe" ? verdict.why : "";
  };

  describe.each(orders)("in the %s order", (memory) => {
    const check = (after: string, more: Partial<Scenario> = {}): Promise<Verdict> =>
      simulation.check({ ...scenario(after, more), memory });

    it("a branch to where the new code says is an exit", async () => {
      expect(await check("nop")).toMatchObject({ verdict: "safe", faults: [] });
    });

    it("an instruction that is none raises what nothing handles", async () => {
      expect(whyOf(await check(machine.undefined))).toMatch(
        new RegExp(`it raises ${machine.exception}, which nothing handles\\.$`),
      );
    });

    it("a handler of one's own handles it", async () => {
      const handled = { executors: [{ faults: base + TEXT }], blocks: [{ address: base + TEXT, code: returns }] };
      expect(await check(machine.undefined, handled)).toMatchObject({ verdict: "safe", faults: [] });
    });

    it.each(["astray", "calls"] as const)("a branch through a register that holds 0: %s", async (how) => {
      const verdict = await check(machine[how]);
      expect(whyOf(verdict)).toMatch(/ it goes on at 0x0, where nothing is modelled and which no code names\.$/);
      expect(await check(machine[how], { exits: [0n] })).toMatchObject({ verdict: "safe", faults: [] });
    });

    it("a store to read-only text", async () => {
      const text = { blocks: [{ address: base + TEXT, code: `nop+nop+${returns}` }] };
      expect(whyOf(await check(machine.stores, text))).toContain(
        `its store to read-only text at 0x${(base + TEXT).toString(16)} raises pf, which nothing handles`,
      );
      const handled = { executors: [{ faults: base + TEXT }], ...text };
      expect(await check(machine.stores, handled)).toMatchObject({ verdict: "safe", faults: [] });
      // Data is no text.
      expect(await check(machine.stores)).toMatchObject({ verdict: "safe", faults: [] });
    });

    it("what does not count is said all the same", async () => {
      const verdict = await check(machine.undefined, { ignore: ["fault"] });
      expect(verdict).toMatchObject({ verdict: "safe", notPromised: expect.arrayContaining(["fault"]) });
      expect(verdict.faults).toEqual([
        expect.stringContaining(`it raises ${machine.exception}, which nothing handles`),
      ]);
    });

    it("a program that stores what is no instruction over the next one", async () => {
      const bytes = architecture.instructionSet.assemble(machine.undefined, base, "");
      const spoiling = (declared: boolean): PatchStrategy => ({
        ...safe,
        id: "spoiling",
        plan: ({ sites: [first] }) => ({
          main: [store("spoil", behind(first), bytes, { width: bytes.length as 2 | 4 }), syncCores("sync")],
          around: { writes: declared ? [{ address: behind(first), size: bytes.length }] : [] },
        }),
      });
      const spoilt = (declared: boolean): Promise<Verdict> =>
        check("nop", { patchers: [{ strategy: spoiling(declared), sites: [0], flips: 1 }], ignore: ["done", "rule"] });
      await expect(spoilt(false)).rejects.toThrow(/^The step spoil of spoiling stores code at 0x/);
      const verdict = await spoilt(true);
      const broken = verdict.verdict === "unsafe" ? [...verdict.broken.map((each) => each.property)] : [];
      const also = verdict.verdict === "unsafe" ? verdict.alsoBroken : [];
      // On ARMv7 an undefined instruction is a breakpoint, and whoever writes one has to handle it.
      expect([...broken, ...also]).toContain(machine.exception === "und" ? "trap-owned" : "fault");
    });
  });

  describe("new code that is a breakpoint", () => {
    const probed = (more: Partial<Scenario> = {}): Scenario => ({
      name: "probed",
      sites: [{ address: base, old: "nop", new: machine.breakpoint }],
      patchers: [{ strategy: stopMachine, sites: [0], flips: 1 }],
      cpus: 2,
      ...more,
    });

    /** Handles the breakpoint of a site, for good, by executing what was there. */
    const owner = (nop: string): PatchStrategy => ({
      id: "owner",
      summary: "a probe that owns its breakpoint",
      source: "this test",
      architectures: "any",
      defaultSite: "nop:nop",
      promises: [],
      plan: () => ({
        main: [set("nothing", "other", 0)],
        traps: { [machine.vector]: owns },
        words: { other: 1, probes: [{ address: base, bytes: nop }] },
      }),
    });

    it("has an owner, or breaks `trap-owned`", async () => {
      for (const memory of orders) {
        const alone = await simulation.check({ ...probed(), memory });
        expect(alone).toMatchObject({ verdict: "unsafe", property: "trap-owned" });
        const nop = toHex(architecture.instructionSet.assemble("nop", base, ""));
        const patchers = [...probed().patchers, { strategy: owner(nop), sites: [1], flips: 1 }];
        // The owner is there for a site of its own, where nothing changes.
        const sites = [...probed().sites, { address: base + 0x400n, old: "nop", new: "nop" }];
        expect(await simulation.check({ ...probed({ sites, patchers, cpus: 3 }), memory })).toMatchObject({
          verdict: "safe",
        });
      }
    });
  });
});

describe("an exit", () => {
  const arm = ["eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le"];
  const intel = ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"];
  const target = (architecture: Architecture): bigint => architecture.base + 0x780n;
  const to = (architecture: Architecture): string => `0x${target(architecture).toString(16)}`;

  const isExit = (architecture: Architecture, code: string, address = target(architecture)): boolean =>
    createSimulation({ architecture })
      .machine({
        name: code,
        sites: [{ address: architecture.base, old: "nop", new: "nop" }],
        blocks: [{ address: architecture.base + 0x400n, code }],
        patchers: [],
        cpus: 1,
      })
      .isExit(address);

  it.each<readonly [Architecture, readonly string[]]>([
    [x86(), intel.map((condition) => `j${condition} ${to(x86())}`)],
    [arm64(), arm.map((condition) => `b.${condition} ${to(arm64())}`)],
    [arm64(), ["cbz x3", "cbnz w3", "tbz x3, #63", "tbnz x3, #5"].map((text) => `${text}, ${to(arm64())}`)],
    [riscv(), ["beq", "bne", "blt", "bge", "bltu", "bgeu"].map((op) => `${op} a0, a1, ${to(riscv())}`)],
    [armv7(), arm.map((condition) => `b${condition} ${to(armv7())}`)],
  ])("is where a conditional branch of $id goes, whatever the condition", (architecture, branches) => {
    for (const code of branches) expect(isExit(architecture, code), code).toBe(true);
  });

  it("is where a register that the code sets leads, and not where one leads that it does not", () => {
    const absolute = `mov rax, ${to(x86())}`;
    expect(isExit(x86(), `${absolute}+jmp rax`)).toBe(true);
    expect(isExit(x86(), `${absolute}+jmp rbx`)).toBe(false);
    expect(isExit(x86(), `${absolute}+add rax, rbx+jmp rax`)).toBe(false);
    // Nor anywhere that one could lead: no value of rbx is meant.
    expect(isExit(x86(), "jmp rbx", 1n)).toBe(false);
    expect(isExit(arm64(), `adr x16, ${to(arm64())}+br x16`)).toBe(true);
    expect(isExit(arm64(), `adr x16, ${to(arm64())}+add x16, x16, x3+br x16`)).toBe(false);
    expect(isExit(riscv(), "auipc t1, 0+addi t1, t1, 0x380+jr t1")).toBe(true);
    expect(isExit(riscv(), "auipc t1, 0+addi t1, t1, 0x380+add t1, t1, a0+jr t1")).toBe(false);
    expect(isExit(armv7(), "movw r3, #0x0780+movt r3, #0xc010+bx r3")).toBe(true);
    expect(isExit(armv7(), "movw r3, #0x0780+movt r3, #0xc010+ldr r3, [r4]+bx r3")).toBe(false);
    // A literal of code that nobody changes.
    expect(isExit(arm64(), `ldr x16, .+8+br x16+.quad ${to(arm64())}`)).toBe(true);
    expect(isExit(arm64(), "ldr x16, .+8+br x16+.quad 0", 0n)).toBe(false);
  });
});

describe.each(orders)("on arm64 a handler of the code's own, in the %s order", (memory) => {
  const { base } = arm64();
  const simulation = createSimulation({ architecture: arm64() });

  it("knows where the exception was, and can go on behind it", async () => {
    const handler = base + TEXT;
    const scenario: Scenario = {
      name: "steps over",
      sites: [{ address: base, old: "nop", new: "b", after: "udf #0+br x16" }],
      patchers: [{ strategy: arm64Nosync(), sites: [0], flips: 1 }],
      blocks: [{ address: handler, code: "mrs x0, elr_el1+add x0, x0, #4+msr elr_el1, x0+eret" }],
      executors: [{ faults: handler }],
      cpus: 2,
      memory,
    };
    expect(await simulation.check(scenario)).toMatchObject({
      verdict: "unsafe",
      property: "fault",
      why: expect.stringMatching(/br x16 at 0x[\da-f]+: it goes on at 0x0,/),
    });
  });
});

/** The handler: executes the instruction that the probe replaced. */
const owns: readonly Line[] = [
  lookup("owner-find", "probes", "probed"),
  when("owner-ours", ne(local("probed"), null), [emulate("owner-run", local("probed")), claim("owner-claim")]),
];

const behind = (site: FlipSite | undefined): bigint => (site?.address ?? 0n) + BigInt(site?.old.length ?? 0);
