import {
  armv7,
  bkpt,
  ftrace,
  literal,
  nosync,
  optprobe,
  patchTextOf2012,
  plainStore,
  probe,
  stopMachine,
  stopMachineLinux,
  strategies,
} from "@cmodx/armv7";
import { createSimulation, type PatchStrategy } from "@cmodx/core";
import { describe, expect, it, test } from "vitest";
import {
  allBroken,
  answer,
  check,
  environments,
  LINE,
  type Options,
  type State,
  scenario,
  simulation,
} from "../check.js";

const states: readonly State[] = ["a32", "t32"];
const fiq: Options = { interrupts: { nmi: true } };

const siteOf = ({ defaultSite }: PatchStrategy, state: State): string =>
  typeof defaultSite === "string" ? defaultSite : (defaultSite[`armv7 ${state}`] ?? defaultSite.armv7 ?? "");

const steps = (state: State, strategy: PatchStrategy, options: Options = {}): readonly string[] =>
  createSimulation({ architecture: armv7({ fetch: state }) }).machine(scenario(strategy, options)).layout.steps[0] ??
  [];

describe.each(states)("%s: at its own site", (state) => {
  const safe = [plainStore(), nosync(), stopMachine(), patchTextOf2012(), probe(), bkpt(), ftrace()];

  it.each(safe)("$id is safe, with interrupts and with preemption too", async (strategy) => {
    for (const [name, environment] of environments) {
      if (name === "FIQs") continue;
      const verdict = await check(state, strategy, { site: siteOf(strategy, state), ...environment });
      expect(answer(verdict), name).toBe("safe");
    }
  });

  it("FIQs are not stopped by stop_machine: those of code outside the list meet it half changed", async () => {
    for (const strategy of [nosync(), stopMachine(), bkpt()])
      expect(answer(await check(state, strategy, fiq)), strategy.id).toBe("safe");
    for (const strategy of [probe(), ftrace()])
      expect(allBroken(await check(state, strategy, { site: siteOf(strategy, state), ...fiq }))).toContain("rule");
  });

  it("every strategy that is safe is so in the architectural memory order", async () => {
    for (const strategy of safe) {
      const options = { site: siteOf(strategy, state), memory: "architectural" } as const;
      expect(answer(await check(state, strategy, options)), strategy.id).toBe("safe");
    }
  });

  it("its rules keep to what they declare, and without reductions the answers are the same", async () => {
    const simulation = createSimulation({ architecture: armv7({ fetch: state }), development: true });
    for (const strategy of strategies) {
      if (strategy.id === "optprobe" && state === "t32") continue;
      const options = { site: siteOf(strategy, state) };
      const verdict = await simulation.check(scenario(strategy, options), { reduce: false });
      expect(answer(verdict), strategy.id).toBe(answer(await check(state, strategy, options)));
    }
  });
});

describe("nosync", () => {
  it("does not promise that the new instruction is executed once it returned, and it is not", async () => {
    for (const state of states) {
      expect(nosync().promises).not.toContain("done");
      expect(answer(await check(state, nosync(), { properties: ["done"] })), state).toBe("unsafe: done");
    }
  });

  it("the kernel's own no-operation in A32 is none of the list", async () => {
    const verdict = await check("a32", nosync(), { site: "mov r0, r0:b" });
    expect(answer(verdict)).toBe("unsafe: rule");
    if (verdict.verdict === "unsafe") expect(verdict.why).toContain("mov r0, r0");
  });

  it("a tracepoint needs no more than a place of 16 bits, wherever it lies", async () => {
    for (const offset of [0, 2]) expect(answer(await check("t32", nosync(), { offset })), `${offset}`).toBe("safe");
  });
});

describe("nop.w and b.w", () => {
  const wide = { site: "nop.w:b.w" };

  it("over two words: nosync executes a torn instruction", async () => {
    const verdict = await check("t32", nosync(), { ...wide, offset: 2 });
    expect(answer(verdict)).toBe("unsafe: old-or-new");
    expect(allBroken(verdict)).toContain("rule");
    if (verdict.verdict !== "unsafe") return;
    expect(verdict.why).toBe(
      "The CPU executed beq.w 0xc0100006 (bytes 00f00080) at 0xc0100002, which is neither the old nor the new instruction there.",
    );
  });

  it("over two words: safe under stop_machine with an ISB on every CPU, and not without", async () => {
    for (const [name, environment] of environments) {
      if (name === "FIQs") continue;
      expect(answer(await check("t32", stopMachine(), { ...wide, ...environment, offset: 2 })), name).toBe("safe");
    }
    expect(answer(await check("t32", stopMachineLinux(), { ...wide, offset: 2 }))).toBe("unsafe: old-or-new");
  });

  it("in one word the list has them no more", async () => {
    const verdict = await check("t32", nosync(), wide);
    expect(allBroken(verdict)).toContain("rule");
    expect(answer(await check("t32", nosync(), { ...wide, properties: ["rule"] }))).toBe("unsafe: rule");
    expect(answer(await check("t32", stopMachine(), wide))).toBe("safe");
  });

  it("two stores of halfwords over two words, low then high, and through two pages at the end of one", () => {
    expect(steps("t32", nosync(), wide)).toContain("patch-write");
    const straddling = steps("t32", nosync(), { ...wide, offset: 2 });
    expect(straddling.filter((id) => id.startsWith("patch-write"))).toEqual(["patch-write-low", "patch-write-high"]);
    expect(straddling).not.toContain("patch-map-next");
    const pages = steps("t32", nosync(), { ...wide, offset: 0xffe });
    expect(pages.slice(pages.indexOf("patch-map"), pages.indexOf("patch-unlock"))).toEqual([
      "patch-map",
      "patch-map-next",
      "patch-write-low",
      "patch-write-high",
      "patch-unmap-next",
      "patch-unmap",
    ]);
  });

  it("over two pages the verdicts are the same", async () => {
    const pages = { ...wide, offset: 0xffe };
    expect(answer(await check("t32", nosync(), pages))).toBe("unsafe: old-or-new");
    expect(answer(await check("t32", stopMachine(), pages))).toBe("safe");
  });

  it("over two lines both are maintained, and each maintenance is needed", async () => {
    const lines = { ...wide, offset: 0x1e };
    expect(answer(await check("t32", stopMachine(), lines))).toBe("safe");
    for (const drop of ["patch-clean", "patch-clean-next", "patch-invalidate", "patch-invalidate-next"])
      expect(answer(await check("t32", stopMachine(), { ...lines, patcher: { drop: [drop] } })), drop).toMatch(
        /^unsafe/,
      );
    expect(steps("t32", stopMachine(), { ...wide, offset: 2 })).not.toContain("patch-clean-next");
    const long = createSimulation({ architecture: armv7({ fetch: "t32", line: 64 }) });
    expect(long.machine(scenario(stopMachine(), lines)).layout.steps[0]).not.toContain("patch-clean-next");
  });
});

describe("a BL of 32-bit Thumb", () => {
  it("may change its range by one halfword", async () => {
    for (const offset of [0, 2])
      expect(answer(await check("t32", nosync(), { site: "bl:bl .+0x2000", offset })), `${offset}`).toBe("safe");
  });

  it("is torn where both change", async () => {
    const verdict = await check("t32", nosync(), { site: "bl:bl .+0x1004" });
    expect(answer(verdict)).toBe("unsafe: old-or-new");
  });
});

describe("stop_machine", () => {
  it("stops once for each site", () => {
    const { layout } = createSimulation({ architecture: armv7() }).machine({
      ...scenario(stopMachine()),
      sites: [0, 8].map((offset) => ({ address: LINE + BigInt(offset), old: "nop", new: "b" })),
      patchers: [{ strategy: stopMachine(), sites: [0, 1], flips: 1 }],
    });
    const code = layout.programs.get("patcher 0")?.code ?? [];
    expect(code.filter((line) => line.kind === "op" && line.op === "queueStop")).toHaveLength(2);
  });

  it("as Linux has it, without an ISB on the CPUs that do not patch, is unsafe for every pair", async () => {
    for (const state of states) {
      expect(answer(await check(state, stopMachineLinux())), state).toBe("unsafe: done");
      expect(answer(await check(state, stopMachineLinux(), { site: "mov r0, r1:mov r0, r2" })), state).toBe(
        "unsafe: rule",
      );
    }
  });

  it("what saves Linux is any context synchronisation on the way from the stopper to the code", async () => {
    const machine = armv7();
    const switching = createSimulation({
      architecture: {
        ...machine,
        cpu: { ...machine.cpu, synchronizes: [...machine.cpu.synchronizes, "context-switch"] },
      },
    });
    for (const site of ["nop:b", "mov r0, r1:mov r0, r2"])
      expect(answer(await switching.check(scenario(stopMachineLinux(), { site }))), site).toBe("safe");
  });

  it("needs its maintenance and the ISB of the others; what the patcher's own CPU runs later passes an exception", async () => {
    for (const drop of ["patch-clean", "patch-invalidate", "patch-secondaries"])
      expect(answer(await check("a32", stopMachine(), { patcher: { drop: [drop] } })), drop).toBe("unsafe: done");
    expect(answer(await check("a32", stopMachine(), { patcher: { drop: ["patch-isb"] } }))).toBe("safe");
  });
});

describe("patch_text of 2012", () => {
  it("is unsafe for kprobes: an undefined instruction is none of the list", async () => {
    for (const [state, site] of [
      ["a32", "mov r0, r1:udf #24"],
      ["t32", "mov r0, r1:udf #24"],
      ["t32", "mov.w r0, r1:udf.w #24"],
    ] as const)
      expect(allBroken(await check(state, patchTextOf2012(), { site })), `${state} ${site}`).toContain("rule");
  });

  it("stops the machine for what straddles words, and for nothing else", () => {
    const stops = (site: string, offset: number) => steps("t32", patchTextOf2012(), { site, offset });
    expect(stops("nop.w:b.w", 2)).toContain("patch-stop");
    expect(stops("nop.w:b.w", 0)).not.toContain("patch-stop");
    expect(stops("nop:b", 2)).not.toContain("patch-stop");
  });

  it("is safe where the list allows the pair; where it stops, the others go on without an ISB", async () => {
    expect(answer(await check("a32", patchTextOf2012()))).toBe("safe");
    const straddling = { site: "nop.w:b.w", offset: 2 };
    expect(answer(await check("t32", patchTextOf2012(), straddling))).toBe("unsafe: old-or-new");
    expect(answer(await check("t32", stopMachine(), straddling))).toBe("safe");
    expect(answer(await check("t32", patchTextOf2012(), { site: "nop.w:b.w" }))).toMatch(/^unsafe/);
  });
});

describe("bkpt", () => {
  it("helps no pair of which one is outside the list", async () => {
    for (const site of ["nop:mov r0, r1", "mov r0, r1:nop", "mov r0, r1:mov r0, r2"])
      expect(answer(await check("a32", bkpt(), { site })), site).toBe("unsafe: rule");
  });

  it("helps no 32-bit Thumb pair either", async () => {
    expect(allBroken(await check("t32", bkpt(), { site: "nop.w:b.w" }))).toContain("rule");
  });

  it("with the list left aside its three steps keep 32-bit Thumb whole, and each synchronisation counts", async () => {
    const wide = { site: "nop.w:b.w", offset: 2, ignore: ["rule"] } as const;
    expect(answer(await check("t32", bkpt(), wide))).toBe("safe");
    for (const drop of ["sync-bkpt", "sync-tail", "sync-first"])
      expect(answer(await check("t32", bkpt(), { ...wide, patcher: { drop: [drop] } })), drop).toMatch(/^unsafe/);
  });

  it("a wide instruction is fetched in halves, between which the maintenance of others may come", async () => {
    const wide = { site: "nop.w:b.w", offset: 2, ignore: ["rule"], memory: "architectural" } as const;
    expect(answer(await check("t32", bkpt(), { ...wide, patcher: { drop: ["sync-bkpt"] } }))).toBe(
      "unsafe: old-or-new",
    );
    expect(answer(await check("t32", bkpt(), wide))).toBe("safe");
  });

  it("cannot stand for a BKPT", async () => {
    await expect(check("a32", bkpt(), { site: "bkpt #1:nop" })).rejects.toThrow("cannot stand for a BKPT");
  });
});

describe("probe", () => {
  const sites: readonly (readonly [State, string, number])[] = [
    ["a32", "mov r0, r1:mov r0, r1", 0],
    ["a32", "movne r0, r1:movne r0, r1", 0],
    ["a32", "ldr r0, [r11, #-4]:ldr r0, [r11, #-4]", 0],
    ["t32", "mov r0, r1:mov r0, r1", 2],
    ["t32", "mov.w r0, r1:mov.w r0, r1", 0],
    ["t32", "mov.w r0, r1:mov.w r0, r1", 2],
  ];

  it.each(sites)("%s %s at offset %i: safe; not when it is removed under running CPUs", async (state, site, offset) => {
    const once = { site, offset, patcher: { flips: 1 } };
    expect(answer(await check(state, probe(), once))).toBe("safe");
    expect(allBroken(await check(state, probe({ removeStopped: false }), once))).toContain("rule");
    const raced = { ...once, properties: ["trap-owned"] } as const;
    expect(answer(await check(state, probe({ removeStopped: false }), raced))).toBe("unsafe: trap-owned");
    expect(answer(await check(state, probe(), raced))).toBe("safe");
  });

  it("copies the condition, and traps whatever the flags are", () => {
    const { layout } = createSimulation({ architecture: armv7() }).machine(
      scenario(probe(), { site: "movne r0, r1:movne r0, r1" }),
    );
    const stored = [...layout.programs.values()].flatMap(({ code }) =>
      code.flatMap((line) => (line.kind === "op" && line.op === "store" ? [line.args.bytes] : [])),
    );
    expect(stored).toContain("f801f017");
  });

  it("armed as Linux arms, without an ISB on the other CPUs, breaks the rule", async () => {
    const site = "mov r0, r1:mov r0, r1";
    expect(answer(await check("a32", probe({ secondaries: "as-linux" }), { site }))).toBe("unsafe: rule");
    expect(answer(await check("a32", probe({ secondaries: "as-linux" }), { site, ignore: ["rule"] }))).toBe("safe");
  });

  it("is not put where a probe is the code itself", async () => {
    for (const site of ["mov r0, r1:udf #24", "udf #24:mov r0, r1"])
      await expect(check("a32", probe(), { site })).rejects.toThrow("is a probe itself");
  });

  it("a handler that finds no probe tries again, and again: it spins until the instruction is back", async () => {
    const unknown = { site: "mov r0, r1:mov r0, r1", patcher: { flips: 1, drop: ["register"] } };
    const verdict = await check("a32", probe(), { ...unknown, ignore: ["progress"] });
    expect(answer(verdict)).toBe("safe");
    expect(verdict.unused).toEqual(["handler-run"]);
    // Without preemption no stopper comes between.
    expect(answer(await check("a32", probe(), unknown))).toBe("unsafe: progress");
    expect(answer(await check("a32", probe(), { ...unknown, preempt: true }))).toBe("safe");
  });

  it("every step but the new try is taken", async () => {
    expect(await check("a32", probe(), { site: "mov r0, r1:mov r0, r1" })).toMatchObject({
      unused: ["handler-restart"],
    });
    const wide = await check("t32", probe(), { site: "mov.w r0, r1:mov.w r0, r1", offset: 2 });
    expect(wide.unused).toEqual(["handler-restart"]);
  });
});

describe("optprobe", () => {
  const site = "movne r0, r1:bne";

  it.each(environments.filter(([name]) => name !== "FIQs"))("is safe, with %s", async (_, environment) => {
    expect(answer(await check("a32", optprobe(), { site, ...environment }))).toBe("safe");
    expect(answer(await check("a32", optprobe(), { site: "mov r0, r1:b", ...environment }))).toBe("safe");
  });

  it("reaches 32 MiB, and no farther", async () => {
    expect(answer(await check("a32", optprobe(), { site: "mov r0, r1:b .+0x2000004" }))).toBe("safe");
    await expect(check("a32", optprobe(), { site: "mov r0, r1:b .+0x2000008" })).rejects.toThrow("cannot reach");
  });

  it("is of A32 alone, of one branch, and of the same condition", async () => {
    await expect(check("t32", optprobe(), { site: "mov.w r0, r1:b.w" })).rejects.toThrow("in A32 alone");
    await expect(check("a32", optprobe(), { site: "mov r0, r1:mov r0, r2" })).rejects.toThrow(
      "the branch to the detour",
    );
    await expect(check("a32", optprobe(), { site: "mov r0, r1:bne" })).rejects.toThrow("another condition");
  });

  it("without an ISB on the other CPUs breaks the rule", async () => {
    expect(allBroken(await check("a32", optprobe({ secondaries: "as-linux" }), { site }))).toContain("rule");
  });
});

describe("ftrace", () => {
  it.each(states)("%s: a call that is not made leaves the stack as the tracer does", async (state) => {
    const add = state === "a32" ? "add sp, sp, #4" : "add.w sp, sp, #4";
    // The function goes on with the lr and the stack pointer that both leave.
    const code = { after: "bx lr" };
    const verdict = await check(state, ftrace(), { site: `${add}:bl`, code });
    expect(verdict).toMatchObject({ verdict: "safe", unused: [] });
  });

  it("as Linux has it breaks the rule, since ADD is none of the list", async () => {
    const site = "add sp, sp, #4:bl";
    expect(allBroken(await check("a32", ftrace({ secondaries: "as-linux" }), { site }))).toContain("rule");
    expect(allBroken(await check("a32", nosync(), { site }))).toContain("rule");
  });

  it("changes calls and their ADD alone", async () => {
    await expect(check("a32", ftrace(), { site: "nop:bl" })).rejects.toThrow("neither a BL nor the ADD");
    await expect(check("t32", ftrace(), { site: "add sp, sp, #4:b" })).rejects.toThrow("neither a BL nor the ADD");
  });

  it("is one stop_machine for all sites", () => {
    const site = { old: "add sp, sp, #4", new: "bl" };
    const { layout } = createSimulation({ architecture: armv7() }).machine({
      ...scenario(ftrace()),
      sites: [0, 0x40].map((offset) => ({ address: LINE + BigInt(offset), ...site })),
      patchers: [{ strategy: ftrace(), sites: [0, 1], flips: 1 }],
    });
    const code = layout.programs.get("patcher 0")?.code ?? [];
    expect(code.filter((line) => line.kind === "op" && line.op === "queueStop")).toHaveLength(1);
  });
});

describe("plain-store", () => {
  it("by halfwords tears a word, in one piece it is as the list says", async () => {
    expect(answer(await check("a32", plainStore({ width: 2 })))).toBe("unsafe: old-or-new");
    expect(answer(await check("a32", plainStore({ width: 1 })))).toBe("unsafe: old-or-new");
    expect(answer(await check("a32", plainStore({ width: 4 }), { site: "mov r0, r1:b" }))).toBe("unsafe: rule");
  });

  it("eight bytes are two words, and words that are not aligned are bytes", () => {
    const stores = (offset: number, width: 4 | 8) => {
      const asked = scenario(plainStore({ width }), { site: "b.w+nop.w:mov.w r0, #1+mov.w r1, #2", offset });
      const main = simulation("t32").machine(asked).layout.programs.get("patcher 0")?.code ?? [];
      const sizes = main.flatMap((entry) =>
        entry.kind === "op" && entry.op === "store" ? [String(entry.args.bytes).length / 2] : [],
      );
      // There and back.
      return sizes.slice(0, sizes.length / 2);
    };
    expect(stores(0, 8)).toEqual([4, 4]);
    expect(stores(4, 8)).toEqual([4, 4]);
    expect(stores(0, 4)).toEqual([4, 4]);
    expect(stores(2, 4)).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  });

  it("needs its synchronisation", async () => {
    expect(answer(await check("a32", plainStore(), { patcher: { drop: ["sync"] } }))).toBe("unsafe: done");
  });
});

describe("literal", () => {
  const pointers = ".quad 0xc0200101:.quad 0xc0310200";

  it.each(states)("%s: is safe where it is stored whole, whatever state its functions are in", async (state) => {
    expect(await check(state, literal(), { site: ".quad target:.quad callee" })).toMatchObject({
      verdict: "safe",
    });
    expect(answer(await check(state, literal(), { site: pointers }))).toBe("safe");
    expect(answer(await check(state, literal({ width: 2 }), { site: pointers }))).toBe("unsafe: old-or-new");
  });

  it("is one aligned word", async () => {
    const refusal = "a literal is a word at a multiple of 4";
    await expect(check("t32", literal(), { site: pointers, offset: 2 })).rejects.toThrow(refusal);
    await expect(check("a32", literal(), { site: "nop:b" })).rejects.toThrow(refusal);
    await expect(check("a32", literal(), { site: ".quad 1:.quad 0x100000001" })).rejects.toThrow(refusal);
  });
});

test("code of the other instruction set state is refused, with the fetch model to use", async () => {
  for (const strategy of strategies.filter(({ id }) => id !== "literal")) {
    const options = { site: siteOf(strategy, "a32"), code: { mode: "a32" } };
    await expect(check("t32", strategy, options), strategy.id).rejects.toThrow("use the fetch model a32");
  }
});

describe.each(states)("%s: a call into the other state", (state) => {
  it("finds a function of that state, and comes back", async () => {
    const site = state === "a32" ? "nop:blx 0xc0101000" : "nop.w:blx 0xc0101000";
    for (const memory of ["sequential", "architectural"] as const) {
      const verdict = await check(state, stopMachine(), { site, memory, properties: ["old-or-new", "progress"] });
      expect(answer(verdict), memory).toBe("safe");
    }
    const { text } = simulation(state).machine(scenario(stopMachine(), { site })).layout;
    const code = [0n, 1n, 2n, 3n].map((i) => text.get(0xc010_1000n + i));
    // bx lr
    expect(code).toEqual(state === "a32" ? [0x70, 0x47, undefined, undefined] : [0x1e, 0xff, 0x2f, 0xe1]);
  });
});
