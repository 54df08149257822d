import {
  createSimulation,
  freeCode,
  freeData,
  isImpossible,
  type Line,
  lock,
  mapCode,
  type PatchStrategy,
  type Scenario,
  store,
  unlock,
  type Verdict,
  waitRcu,
  waitRcuTasks,
  waitRcuTasksRude,
} from "@cmodx/core";
import { int3, optprobe, plainStore, x86 } from "@cmodx/x86";
import { describe, expect, it } from "vitest";

/* Text that is given back while somebody may still be in it: bugs of kernels, each before its fix and behind it. */

const AT = x86().base;
/** Where trampolines, detours and images lie. */
const SLOT = AT + 0x1000n;
const hex = (address: bigint): string => `0x${address.toString(16)}`;

/** A strategy that does something more when its change is made. */
const then = (base: PatchStrategy, ...lines: readonly Line[]): PatchStrategy => ({
  ...base,
  id: `${base.id}-then`,
  plan(flip, context) {
    const plan = base.plan(flip, context);
    return isImpossible(plan) ? plan : { ...plan, main: [...plan.main, ...lines] };
  },
});

const unlinking = (strategy: PatchStrategy, more: Partial<Scenario>): Scenario => ({
  name: strategy.id,
  sites: [{ address: AT, old: `call ${hex(SLOT)}`, new: "nop5" }],
  blocks: [{ address: SLOT, code: "nop+nop+ret" }],
  patchers: [{ strategy, sites: [0], flips: 1 }],
  cpus: 2,
  executors: [{ count: 1 }],
  preempt: true,
  ignore: ["progress"],
  ...more,
});

const check = (of: Scenario): Promise<Verdict> => createSimulation({ architecture: x86() }).check(of);
const answer = async (of: Scenario): Promise<string> => {
  const verdict = await check(of);
  return verdict.verdict === "unsafe" ? `unsafe: ${verdict.property}` : verdict.verdict;
};

const memories = ["sequential", "architectural"] as const;

describe.each(memories)("in the %s order", (memory) => {
  it("ftrace's dynamic trampolines wait for tasks that were preempted in them (Linux 0598e4f08ec0)", async () => {
    const free = freeCode("free-trampoline", SLOT, 3, "arch_ftrace_trampoline_free");
    // Every CPU has scheduled, but a task that was preempted in the trampoline has not gone on.
    const rude = [waitRcuTasksRude("sched-on-each-cpu"), free];
    expect(await answer(unlinking(then(int3(), ...rude), { memory }))).toBe("unsafe: lifetime");
    const waiting = [waitRcuTasksRude("rude"), waitRcuTasks("wait-tasks"), free];
    expect(await answer(unlinking(then(int3(), ...waiting), { memory }))).toBe("safe");
    expect(await answer(unlinking(then(int3(), free), { memory, preempt: false }))).toBe("unsafe: lifetime");
    expect(await answer(unlinking(then(int3(), ...rude), { memory, preempt: false }))).toBe("safe");
  });

  it("a BPF image is reused when its last reader has gone", async () => {
    const image = { blocks: [{ address: SLOT, code: "nop+nop+ret", readSide: true as const }], memory };
    const reuse = (...wait: readonly Line[]) =>
      then(int3(), ...wait, freeCode("free", SLOT, 3), mapCode("another-program", SLOT, "add eax, 7+ret"));
    expect(await answer(unlinking(reuse(), image))).toBe("unsafe: lifetime");
    expect(await answer(unlinking(reuse(waitRcu("call-rcu")), image))).toBe("safe");
    // Mapped at once, it is the same bug: who was inside goes on in another program.
    const atOnce = then(int3(), mapCode("another-program", SLOT, "add eax, 7+ret"));
    expect(await answer(unlinking(atOnce, image))).toBe("unsafe: lifetime");
  });

  it("the detour of an optimised kprobe is freed after a grace period of RCU-tasks", async () => {
    const detour = AT + 0x80n;
    const of = (...wait: readonly Line[]): Scenario => ({
      ...unlinking(then(optprobe(), ...wait, freeCode("free-slot", detour, 2)), { memory }),
      sites: [{ address: AT, old: `jmp ${hex(detour)}`, new: "mov rax, rdi+nop2" }],
      blocks: [{ address: detour, code: "nop+ret" }],
    });
    expect(await answer(of())).toBe("unsafe: lifetime");
    expect(await answer(of(waitRcuTasks("synchronize-rcu-tasks")))).toBe("safe");
  });
});

describe("what a program stores beside its sites", () => {
  const overrun = (bytes: readonly number[]): PatchStrategy => ({
    ...plainStore(),
    id: "overrun",
    plan: ({ sites: [site] }) => ({ main: [store("copy", site?.address ?? 0n, [...(site?.next ?? []), ...bytes])] }),
  });
  const of = (strategy: PatchStrategy, more: Partial<Scenario> = {}): Scenario => ({
    name: strategy.id,
    sites: [{ address: AT, old: "nop5", new: "jmp", after: "nop2+ret" }],
    patchers: [{ strategy, sites: [0], flips: 1 }],
    cpus: 2,
    ...more,
  });

  it("is refused with the step's name where it is known beforehand", async () => {
    await expect(check(of(overrun([0x0f, 0x0b])))).rejects.toThrow(
      "The step copy of overrun stores code at 0xffffffff81000005, outside of the sites of its flip",
    );
    await expect(check(of(overrun([])))).resolves.toBeDefined();
  });

  it.each(memories)("is judged for whoever executes it where a victim does it, in the %s order", async (memory) => {
    // 0f 0b over the instruction behind the site.
    const victim = (access: "rwx" | "r-x"): Scenario => ({
      ...of(then(plainStore()), { memory }),
      patchers: [],
      cpus: 2,
      blocks: [{ address: SLOT, code: "mov word ptr [rdi], 0x0b0f" }],
      executors: [
        { entries: [SLOT], count: 1, once: true, registers: { rdi: AT + 5n, rsp: 0x7fee_fff8n } },
        { entries: [AT], count: 1 },
      ],
      text: [{ address: AT + 5n, size: 3, access }],
    });
    const found = await check(victim("rwx"));
    expect(found).toMatchObject({
      property: "old-or-new",
      why: "The CPU executed ud2 (bytes 0f0b) at 0xffffffff81000005, which is no code that lies there or that a program stores there.",
    });
    expect(await check(victim("r-x"))).toMatchObject({ property: "fault", why: expect.stringContaining("read-only") });
  });

  it("data is not given back where code lies", async () => {
    const free = then(plainStore(), freeData("kfree", AT + 5n, 2));
    await expect(check(of(free))).rejects.toThrow("Step kfree gives data back at 0xffffffff81000005, where code lies");
  });
});

describe("text is not only the sites", () => {
  it("a module's text is freed while its last user is still inside", async () => {
    const unload = (...wait: readonly Line[]): PatchStrategy =>
      then(
        int3(),
        lock("lock", "module_mutex"),
        ...wait,
        freeCode("module-memory-free", SLOT, 3),
        unlock("unlock", "module_mutex"),
      );
    const of = (...wait: readonly Line[]) => unlinking(unload(...wait), { preempt: false });
    expect(await answer(of())).toBe("unsafe: lifetime");
    expect(await answer(of(waitRcuTasks("wait")))).toBe("safe");
  });
});
