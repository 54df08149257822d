import { type Architecture, type Cpu, createSimulation } from "@cmodx/core";
import { breakpointPasses, fixRegisters, pairBpf, pairStopMachine, riscv, stopMachine } from "@cmodx/riscv";
import { describe, expect, it } from "vitest";
import { answer, answers, check, everywhere, profiles, scenario } from "../check.js";

const preempt = { preempt: true } as const;

describe.each([pairStopMachine(), pairBpf()])("$id", (strategy) => {
  it("is safe without preemption, wherever it lies, with fence.i on all harts", async () => {
    for (const offset of [0, 2, 62]) expect(await answers(strategy, { offset })).toEqual(everywhere("safe"));
    expect(await answers(strategy, { interrupts: { irq: true } })).toEqual(everywhere("safe"));
    expect(await answers(strategy, { site: "c.nop+c.nop+c.nop+c.nop:call t0", offset: 2 })).toEqual(everywhere("safe"));
  });

  it("a task that was preempted between the two goes on at the JALR", async () => {
    expect(await answers(strategy, preempt)).toEqual(everywhere("unsafe: mid-sequence"));
  });

  it("the wild target is told", async () => {
    // t0 holds 0 where no AUIPC was executed, so the JALR goes to its own constant.
    const verdict = await check("ziccif", strategy, preempt);
    expect(verdict).toMatchObject({
      why: expect.stringMatching(
        /The passage had executed the old code and went on at 0xffffffff80200004 with jalr t0, 1600\(t[01]\), .* It went to 0x640\.$/,
      ),
    });
  });

  it("is not empty", async () => {
    for (const fetch of ["zifencei", "ziccif", "ziccid"])
      expect(await check(fetch, strategy)).toMatchObject({ verdict: "safe", unused: [] });
  });

  it("says what is no pair", async () => {
    await expect(check("ziccif", strategy, { site: "nop:j" })).rejects.toThrow(
      "the site at 0xffffffff80200000 has 4 bytes; an AUIPC and a JALR take 8.",
    );
  });
});

/** Where halves of an instruction are fetched one by one, neither the old nor the new one is seen first. */
const torn = { ...everywhere("unsafe: mid-sequence"), zifencei: "unsafe: old-or-new" };

describe("pair-stop-machine and who executes fence.i", () => {
  it("unsafe without one on the secondaries", async () => {
    expect(await answers(pairStopMachine({ flush: "none" }))).toEqual(torn);
    const dropped = { patcher: { drop: ["sync-secondaries"] } };
    expect(await answers(pairStopMachine(), dropped)).toEqual(torn);
    expect(await answers(stopMachine(), dropped)).toEqual({
      zifencei: "unsafe: old-or-new",
      ziccif: "unsafe: done",
      ziccid: "unsafe: done",
    });
  });

  it("an interrupt from inside hangs, the firmware's does not", async () => {
    expect(await answers(pairStopMachine({ flush: "ipi" }))).toEqual(everywhere("unsafe: progress"));
    expect(await answers(pairStopMachine({ flush: "sbi" }))).toEqual(everywhere("safe"));
  });

  it("NMIs are not stopped", async () => {
    expect(await answers(pairStopMachine(), { interrupts: { nmi: true } })).toEqual(torn);
  });
});

describe("fix-registers", () => {
  it("is safe with preemption", async () => {
    for (const offset of [0, 2])
      expect(await answers(fixRegisters(), { ...preempt, offset })).toEqual(everywhere("safe"));
    const tasks = { cpus: 1, executors: [{ count: 2 }], ...preempt };
    expect(await answers(fixRegisters(), tasks)).toEqual(everywhere("safe"));
  });

  it("by what it does to the saved registers", async () => {
    expect(await answers(fixRegisters(), { ...preempt, patcher: { drop: ["fix-registers"] } })).toEqual(
      everywhere("unsafe: mid-sequence"),
    );
  });

  it("does not reach an NMI handler, which runs", async () => {
    expect(await answers(fixRegisters(), { interrupts: { nmi: true } })).toEqual(torn);
  });

  it("where frames nest only by looking for all of them: a task, a softirq over it, and over that the interrupt that stops", async () => {
    const nesting = (fetch: string): Architecture => {
      const architecture = riscv({ fetch });
      const accepts: Cpu["accepts"] = (interrupt, levels, masked) =>
        interrupt === "ipi"
          ? levels.join() === "task,irq" || !masked
          : architecture.cpu.accepts(interrupt, levels, masked);
      return { ...architecture, cpu: { ...architecture.cpu, accepts } };
    };
    const asked = async (options: Parameters<typeof fixRegisters>[0], irq: boolean) => {
      const of = scenario(fixRegisters({ ...options, stops: "ipi" }), { interrupts: { irq } });
      const verdicts = profiles.map((fetch) => createSimulation({ architecture: nesting(fetch) }).check(of));
      return (await Promise.all(verdicts)).map(answer);
    };
    expect(await asked({ nested: false }, false)).toEqual(profiles.map(() => "safe"));
    expect(await asked({ nested: false }, true)).toEqual(profiles.map(() => "unsafe: mid-sequence"));
    expect(await asked({ nested: true }, true)).toEqual(profiles.map(() => "safe"));
  });

  it.each([true, false])("nested exceptions: %s", (nested) => {
    // stop_machine stops no hart over two interrupted routines, so here the operation is looked at by itself.
    const machine = createSimulation({ architecture: riscv(), development: true }).machine(
      scenario(fixRegisters({ nested })),
    );
    const rule = machine.rule("fixSavedRegisters");
    const operation = [...machine.layout.programs.values()]
      .flatMap(({ code }) => code)
      .find((entry) => entry.kind === "op" && entry.op === "fixSavedRegisters");
    if (operation?.kind !== "op") throw new Error("There is such a step.");
    const at = machine.layout.sites[0]?.address ?? 0n;
    const inside = { ...machine.enter("executor", at), pc: at + 4n };
    const context = (level: "task" | "irq") => ({ level, code: inside, masked: false, preempts: false, marks: [] });
    const stopper = {
      ...context("task"),
      level: "stopper" as const,
      code: machine.start([...machine.layout.programs.keys()].find((name) => name.endsWith("active")) ?? "", {}, null),
    };
    const cpu = { ...machine.initial().cpus[1], stack: [context("task"), context("irq"), stopper] } as never;
    const map = machine.map("fix-saved").apply(cpu, operation.args, machine);
    const pcs = map.stack.flatMap(({ code }) => (code.run === "machine" ? [code.pc - at] : []));
    expect(pcs).toEqual(nested ? [0n, 0n] : [4n, 0n]);
    const parked = rule.apply(
      { ...machine.initial(), cpu, parked: { tasks: [context("task")] } },
      operation.args,
      machine,
    );
    expect(parked[0]?.set.parked?.tasks.map(({ code }) => (code.run === "machine" ? code.pc : null))).toEqual([at]);
  });
});

describe("breakpoint-passes", () => {
  it("is safe for aligned sites where words are fetched whole, preempted or not", async () => {
    for (const more of [{}, preempt, { interrupts: { irq: true } }, { interrupts: { nmi: true } }])
      expect(await answers(breakpointPasses(), more)).toEqual({
        zifencei: "unsafe: old-or-new",
        ziccif: "safe",
        ziccid: "safe",
      });
    const sbi = breakpointPasses({ by: "sbi" });
    for (const more of [{}, preempt]) expect(answer(await check("ziccif", sbi, more))).toBe("safe");
  });

  it("with c.ebreak it is safe where nothing is fetched whole; Ziccif's rules do not allow its way back", async () => {
    const always = breakpointPasses({ compressed: "always" });
    for (const offset of [0, 2])
      for (const more of [{}, preempt])
        expect(await answers(always, { offset, ...more })).toEqual({
          zifencei: "safe",
          ziccif: "unsafe: rule",
          ziccid: "unsafe: rule",
        });
    expect(await answers(always, { offset: 2, ignore: ["rule"] })).toEqual(everywhere("safe"));
  });

  it("needs RCU-tasks between the passes, without preemption too: interrupts stand between the two as well", async () => {
    const noWait = breakpointPasses({ waitForTasks: false });
    expect(answer(await check("ziccif", noWait, preempt))).toBe("unsafe: mid-sequence");
    expect(answer(await check("ziccif", noWait))).toBe("unsafe: mid-sequence");
  });

  it.each(["flush-1", "flush-2", "flush-3"])("needs %s", async (drop) => {
    const verdict = await check("ziccif", breakpointPasses(), { patcher: { flips: 1, drop: [drop] } });
    expect(verdict.verdict).toBe("unsafe");
  });

  it("the firmware does not wait for handlers, so a grace period has to", async () => {
    const verdict = await check("ziccif", breakpointPasses({ by: "sbi" }), { patcher: { drop: ["wait-handlers"] } });
    expect(verdict.verdict).toBe("unsafe");
  });

  it("the table has to be visible before the breakpoint", async () => {
    const architectural = { memory: "architectural" } as const;
    expect(answer(await check("ziccif", breakpointPasses(), architectural))).toBe("safe");
    const dropped = await check("ziccif", breakpointPasses(), { ...architectural, patcher: { drop: ["wmb-table"] } });
    expect(answer(dropped)).toBe("unsafe: trap-owned");
  });
});
