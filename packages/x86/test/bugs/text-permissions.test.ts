import {
  createSimulation,
  type Line,
  lock,
  type PatchStrategy,
  type Scenario,
  setMemoryRo,
  setMemoryRw,
  stopMachine,
  store,
  syncCores,
  unlock,
  type Verdict,
} from "@cmodx/core";
import { int3, x86 } from "@cmodx/x86";
import { describe, expect, it } from "vitest";

/*
 * Linux 9f255b632bf1 and d5b844a2cf50 (2019): livepatch and ftrace made the text of modules writable and read-only again, each for itself.
 * The first fix took text_mutex around both; where ftrace stops the machine it turned round the order of text_mutex and cpu_hotplug_lock
 * that kprobes take.
 */

const AT = x86().base;
/** A module: one line of text with two places that are changed. */
const MODULE = { address: AT, size: 64 } as const;

const strategy = (id: string, lines: (next: readonly number[], address: bigint) => readonly Line[]): PatchStrategy => ({
  ...int3(),
  id,
  promises: ["progress"],
  plan: ({ sites: [site] }) => ({ main: lines(site?.next ?? [], site?.address ?? 0n) }),
});

const rw = (id: string): Line => setMemoryRw(id, MODULE.address, MODULE.size);
const ro = (id: string): Line => setMemoryRo(id, MODULE.address, MODULE.size);
/** Text_poke_early and apply_relocate_add store to the text itself. */
const direct = (id: string, address: bigint, bytes: readonly number[]): Line =>
  store(id, address, bytes, { width: 8, direct: true });

const of = (...strategies: readonly PatchStrategy[]): Scenario => ({
  name: strategies.map(({ id }) => id).join(" and "),
  // Each within one aligned access; nobody runs a module that is being loaded.
  sites: [
    { address: AT, old: "nop8", new: "nop8" },
    { address: AT + 8n, old: "nop8", new: "nop8" },
  ].slice(0, strategies.length),
  patchers: strategies.map((each, i) => ({ strategy: each, sites: [i], flips: 1 })),
  executors: [],
  cpus: strategies.length,
});

const check = (scenario: Scenario, memory: Scenario["memory"] = "sequential"): Promise<Verdict> =>
  createSimulation({ architecture: x86() }).check({ ...scenario, ...(memory === undefined ? {} : { memory }) });

const mutex = (name: string, lines: readonly Line[]): readonly Line[] => [
  lock(`lock-${name}`, name),
  ...lines,
  unlock(`unlock-${name}`, name),
];

/** Klp_init_object_loaded: relocations of the module that is patched. */
const livepatch = (locked: boolean): PatchStrategy =>
  strategy(`livepatch${locked ? "-locked" : ""}`, (next, address) => {
    const lines = [rw("module-disable-ro"), direct("apply-relocate-add", address, next), ro("module-enable-ro")];
    return locked ? mutex("text_mutex", lines) : lines;
  });

/** Ftrace_module_enable: between ftrace_arch_code_modify_prepare and ftrace_arch_code_modify_post_process. */
const ftraceModule = (locked: boolean): PatchStrategy =>
  strategy(`ftrace${locked ? "-locked" : ""}`, (next, address) => {
    const lines = [rw("set-all-modules-rw"), direct("probe-kernel-write", address, next), ro("set-all-modules-ro")];
    return locked ? mutex("text_mutex", lines) : lines;
  });

describe.each(["sequential", "architectural"] as const)("text permissions of modules, in the %s order", (memory) => {
  it("livepatch stores to text that ftrace has made read-only again (before 9f255b632bf1)", async () => {
    const found = await check(of(livepatch(false), ftraceModule(false)), memory);
    expect(found).toMatchObject({ verdict: "unsafe", property: "fault" });
    expect(found).toMatchObject({ why: expect.stringContaining("the text at 0xffffffff8100000") });
  });

  it("text_mutex around both keeps them apart (since)", async () => {
    expect(await check(of(livepatch(true), ftraceModule(true)), memory)).toMatchObject({ verdict: "safe" });
  });

  it("and one of them alone is no help", async () => {
    expect(await check(of(livepatch(true), ftraceModule(false)), memory)).toMatchObject({ property: "fault" });
  });
});

describe("the order of text_mutex and cpu_hotplug_lock", () => {
  /** Ftrace_run_update_code, by stop_machine; `outside`: text_mutex is taken by the generic code around it. */
  const ftraceUpdate = (outside: boolean): PatchStrategy =>
    strategy(`ftrace-update${outside ? "-outside" : ""}`, (next, address) => {
      const change = (then: readonly Line[]): readonly Line[] => [rw("rw"), ...then, ro("ro")];
      const stop = stopMachine("stop", { run: [direct("write", address, next)] });
      return outside
        ? mutex("text_mutex", change(mutex("cpu_hotplug_lock", [stop])))
        : mutex("text_mutex", change([direct("write", address, next), syncCores("sync")]));
    });
  /** Register_kprobe: cpus_read_lock, then text_mutex. */
  const kprobe = strategy("register-kprobe", (next, address) =>
    mutex("cpu_hotplug_lock", mutex("text_mutex", [store("arm", address, next, { width: 8 })])),
  );

  it("can deadlock where ftrace takes text_mutex around stop_machine (before d5b844a2cf50)", async () => {
    const found = await check(of(ftraceUpdate(true), kprobe));
    expect(found).toMatchObject({ verdict: "unsafe", property: "progress" });
    expect(found).toMatchObject({ why: expect.stringContaining("patcher 0 at lock-cpu_hotplug_lock") });
    expect(found).toMatchObject({ why: expect.stringContaining("patcher 1 at lock-text_mutex") });
  });

  it("cannot where only x86, which stops no machine, takes it (since)", async () => {
    expect(await check(of(ftraceUpdate(false), kprobe))).toMatchObject({ verdict: "safe" });
  });
});
