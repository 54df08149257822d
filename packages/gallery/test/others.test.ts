import { arm64, nosyncIpi, stopMachine as stopArm64 } from "@cmodx/arm64";
import { armv7, nosync as nosyncArmv7, stopMachine as stopArmv7, stopMachineLinux } from "@cmodx/armv7";
import {
  type Architecture,
  claim,
  createSimulation,
  emulate,
  eq,
  type Flip,
  fence,
  freeCode,
  type Line,
  load,
  local,
  maintain,
  mapCode,
  type PatchProgram,
  type PatchStrategy,
  type PlanContext,
  type Scenario,
  set,
  step,
  store,
  syncCores,
  toHex,
  waitRcu,
  waitRcuTasks,
  waitRcuTasksTrace,
  when,
} from "@cmodx/core";
import { nosync, riscv, stopMachine } from "@cmodx/riscv";
import { int3, x86 } from "@cmodx/x86";
import { describe, expect, it } from "vitest";

/*
 * Further bugs of kernels and JITs, each written as somebody would who has read the documentation alone, and each with its fix.
 */

const at = 0xffffffff_81000000n;
const half = at + 0x1000n;
const other = at + 0x2000n;

const own = (id: string, architecture: string, promises: readonly string[], plan: PatchStrategy["plan"]) => ({
  ...{ id, summary: id, source: id, architectures: [architecture], defaultSite: "nop:nop", promises, plan },
});

/** What a strategy plans, with lines before or behind it. */
const around = (
  strategy: PatchStrategy,
  lines: (flip: Flip) => { readonly before?: readonly Line[]; readonly behind?: readonly Line[] },
): PatchStrategy => ({
  ...strategy,
  id: `${strategy.id}-and-more`,
  plan: (flip: Flip, context: PlanContext) => {
    const { before = [], behind = [] } = lines(flip);
    const plan = strategy.plan(flip, context) as PatchProgram;
    return { ...plan, main: [...before, ...plan.main, ...behind] };
  },
});

type Bug = {
  readonly name: string;
  readonly architecture: Architecture;
  readonly breaks: string;
  readonly scenario: (bug: boolean) => Omit<Scenario, "name">;
};

/** A trampoline is given back when its call is gone. */
const freed = (architecture: Architecture, strategy: PatchStrategy, call: string, bug: readonly Line[]): Bug => ({
  name: `a trampoline on ${architecture.id} is given back while a task is preempted in it`,
  architecture,
  breaks: "lifetime",
  scenario: (isBug) => ({
    sites: [{ address: at, old: `${call} ${half}`, new: call === "call" ? "nop5" : "nop" }],
    blocks: [{ address: half, code: "nop+ret" }],
    executors: [{ count: 1 }],
    preempt: true,
    cpus: 2,
    patchers: [
      {
        sites: [0],
        flips: 1,
        strategy: around(strategy, () => ({
          behind: [...bug, ...(isBug ? [] : [waitRcuTasks("wait-tasks")]), freeCode("free", half, 2)],
        })),
      },
    ],
  }),
});

const jit = ["old-or-new", "mid-sequence", "lifetime", "rule"];

const bugs: readonly Bug[] = [
  // Linux e21aa341785c: the image of a BPF trampoline was freed when nobody was in the program, though somebody was in the trampoline.
  freed(x86(), int3(), "call", [waitRcuTasksTrace("wait-trace")]),
  freed(arm64(), nosyncIpi(), "b", []),
  freed(riscv({ fetch: "ziccif" }), nosync(), "j", []),
  {
    // ftrace of Linux 3.5: a CPU that fetched the INT3 before it went finds the flag cleared when its trap is taken.
    name: "ftrace's flag is cleared while others still trap",
    architecture: x86(),
    breaks: "trap-owned",
    scenario: (bug) => ({
      sites: [{ address: at, old: "nop5", new: `call ${half}` }],
      blocks: [{ address: half, code: "ret" }],
      cpus: 2,
      patchers: [
        {
          sites: [0],
          flips: 1,
          strategy: own("ftrace-2012", "x86", ["old-or-new", "done", "progress", "rule"], ({ sites }) => ({
            main: [
              set("set", "modifying", 1),
              ...sites.map(({ address }) => store("int3", address, [0xcc])),
              syncCores("sync-1"),
              ...sites.map(({ address, next }) => store("tail", address + 1n, next.slice(1))),
              syncCores("sync-2"),
              ...sites.map(({ address, next }) => store("first", address, next.slice(0, 1))),
              ...(bug ? [] : [syncCores("sync-3")]),
              set("clear", "modifying", 0),
            ],
            traps: {
              int3: [
                load("look", "modifying", "on"),
                when("ours", eq(local("on"), 1), [emulate("skip", toHex(sites[0]?.old ?? [])), claim()]),
              ],
            },
            words: { modifying: 0 },
          })),
        },
      ],
    }),
  },
  {
    // uprobes: whoever trapped before the removal looked his probe up after it, and got a SIGTRAP.
    name: "a uprobe is gone when its trap is looked up",
    architecture: x86(),
    breaks: "fault",
    scenario: (bug) => ({
      user: true,
      sites: [{ address: 0x401000n, old: "int3", new: "nop" }],
      cpus: 2,
      patchers: [
        {
          sites: [0],
          flips: 1,
          strategy: own("uprobe-unregister", "x86", ["old-or-new"], ({ sites }) => ({
            main: [
              set("unhash", "probes", 0),
              ...sites.map(({ address, next }) => store("remove", address, next)),
              syncCores("sync"),
            ],
            traps: {
              int3: [
                load("find", "probes", "found"),
                when(
                  "ours",
                  eq(local("found"), 1),
                  [emulate("step", "90"), claim()],
                  bug ? [] : [step("again", "restart"), claim("claim-again")],
                ),
              ],
            },
            words: { probes: 1 },
          })),
        },
      ],
    }),
  },
  {
    // Linux 4121d4481b72: an update writes the half of the image that the last one but one left, with readers still in it.
    name: "the BPF dispatcher's other half is rewritten under its readers",
    architecture: x86(),
    breaks: "lifetime",
    scenario: (bug) => ({
      sites: [{ address: at, old: `call ${half}`, new: `call ${other}` }],
      blocks: [
        { address: at - 1n, code: "nop", readSide: true },
        { address: half, code: "nop+ret", readSide: true },
        { address: other, code: "nop+ret", readSide: true },
      ],
      executors: [{ count: 1, entries: [at - 1n] }],
      preempt: true,
      cpus: 2,
      patchers: [
        {
          sites: [0],
          flips: 2,
          strategy: around(int3(), ({ sites }) => {
            const to = sites[0]?.next[2] === 0x0f ? half : other;
            return {
              before: [
                ...(bug ? [] : [waitRcu("wait-readers")]),
                freeCode("free-half", to, 2),
                mapCode("write-half", to, "nop+ret"),
                syncCores("sync-half"),
              ],
            };
          }),
        },
      ],
    }),
  },
  {
    // V8's jump table on ia32, against the one store of x64.
    name: "a jump table's opcode and displacement are stored apart",
    architecture: x86({ fetch: "amd" }),
    breaks: "old-or-new",
    scenario: (bug) => ({
      user: true,
      sites: [{ address: 0x401000n, old: "jmp 0x402000", new: "jmp 0x13003000" }],
      blocks: [0x402000n, 0x13003000n].map((address) => ({ address, code: "ret" })),
      cpus: 2,
      patchers: [
        {
          sites: [0],
          flips: 2,
          strategy: own("wasm-slot", "x86", jit, ({ sites: [site] }) => ({
            main:
              site === undefined
                ? []
                : bug
                  ? [
                      store("opcode", site.address, site.next.slice(0, 1)),
                      store("displacement", site.address + 1n, site.next.slice(1), { width: 2 }),
                    ]
                  : [store("slot", site.address, site.next, { width: 8 })],
          })),
        },
      ],
    }),
  },
  {
    // HotSpot's NativeCall::set_destination_mt_safe wants the displacement inside one aligned word.
    name: "a call's displacement lies over two quadwords",
    architecture: x86({ fetch: "amd" }),
    breaks: "old-or-new",
    scenario: (bug) => ({
      user: true,
      sites: [{ address: 0x401000n + (bug ? 5n : 3n), old: "call 0x402000", new: "call 0x13003000" }],
      blocks: [0x402000n, 0x13003000n].map((address) => ({ address, code: "ret" })),
      cpus: 2,
      patchers: [
        {
          sites: [0],
          flips: 2,
          strategy: own("set-destination", "x86", jit, ({ sites }) => ({
            main: sites.map(({ address, next }) => store("displacement", address + 1n, next.slice(1), { width: 4 })),
          })),
        },
      ],
    }),
  },
  {
    name: "a probe of any instruction of arm64 is written without stopping anybody",
    architecture: arm64(),
    breaks: "rule",
    scenario: (bug) => ({
      sites: [{ address: at, old: "mov x0, x1", new: "nop" }],
      cpus: 2,
      patchers: [{ sites: [0], flips: 1, strategy: bug ? nosyncIpi() : stopArm64() }],
    }),
  },
  {
    name: "code of arm64 is cleaned and not invalidated",
    architecture: arm64(),
    breaks: "done",
    scenario: (bug) => ({
      user: true,
      sites: [{ address: 0x401000n, old: "nop", new: "b" }],
      cpus: 2,
      patchers: [
        {
          sites: [0],
          flips: 2,
          strategy: own("no-ic", "arm64", ["done", ...jit], ({ sites }) => ({
            main: sites.flatMap(({ address, next }) => [
              store("write", address, next, { width: 4 }),
              maintain("clean", "dc cvau", address),
              fence("cleaned", "dsb ish"),
              ...(bug ? [] : [maintain("invalidate", "ic ivau", address), fence("invalidated", "dsb ish")]),
              syncCores("sync"),
            ]),
          })),
        },
      ],
    }),
  },
  {
    name: "two instructions of armv7 that load an address are rewritten under a task that is between them",
    architecture: armv7(),
    breaks: "mid-sequence",
    scenario: (bug) => {
      const pair = (a: string, b: string): string => `mov r0, ${a}${bug ? `+mov r2, ${b}` : ""}`;
      return {
        user: true,
        preempt: true,
        cpus: 2,
        executors: [{ count: 1 }],
        sites: [{ address: 0x401000n, old: pair("r1", "r3"), new: pair("r3", "r1") }],
        patchers: [{ sites: [0], flips: 1, strategy: stopArmv7() }],
      };
    },
  },
  {
    name: "a jump label of armv7 whose no-operation is MOV R0, R0",
    architecture: armv7(),
    breaks: "rule",
    scenario: (bug) => ({
      cpus: 2,
      sites: [{ address: 0x401000n, old: bug ? "mov r0, r0" : "nop", new: "b" }],
      patchers: [{ sites: [0], flips: 2, strategy: nosyncArmv7() }],
    }),
  },
  {
    name: "the stopped CPUs of armv7 go on without an ISB",
    architecture: armv7(),
    breaks: "rule",
    scenario: (bug) => ({
      cpus: 2,
      sites: [{ address: 0x401000n, old: "mov r0, r1", new: "b" }],
      patchers: [{ sites: [0], flips: 1, strategy: bug ? stopMachineLinux() : stopArmv7() }],
    }),
  },
  {
    // As ftrace was until 6.1: the stopped harts had a data barrier alone.
    name: "the stopped harts of riscv execute no FENCE.I",
    architecture: riscv({ fetch: "ziccif" }),
    breaks: "done",
    scenario: (bug) => ({
      sites: [{ address: at, old: "nop", new: "j" }],
      cpus: 2,
      patchers: [{ sites: [0], flips: 1, strategy: stopMachine(), ...(bug ? { drop: ["sync-secondaries"] } : {}) }],
    }),
  },
];

describe.each(bugs)("$name", ({ name, architecture, breaks, scenario }) => {
  const { check } = createSimulation({ architecture });
  it("is unsafe", async () =>
    expect(await check({ name, ...scenario(true) })).toMatchObject({ verdict: "unsafe", property: breaks }));
  it("and its fix is safe", async () =>
    expect(await check({ name, ...scenario(false) })).toMatchObject({ verdict: "safe", notExecuted: [] }));
});
