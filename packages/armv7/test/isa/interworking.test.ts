import {
  type Architecture,
  armTrap,
  claim,
  createSimulation,
  emulate,
  type Flip,
  type InstructionSet,
  type Line,
  local,
  lookup,
  ne,
  noCacheMaintenance,
  type PatchProgram,
  type PatchStrategy,
  propertyIds,
  type Scenario,
  type Site,
  set,
  store,
  syncCores,
  toHex,
  when,
} from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { armv7InstructionSet } from "../../src/index.js";

const caller = 0x80100000n;
const thumb = 0x80100200n;
const call = `blx 0x${thumb.toString(16)}`;

/** The instruction set on a machine that fetches what is stored. */
const architecture: Architecture = {
  id: "armv7",
  instructionSet: armv7InstructionSet as InstructionSet,
  fetch: {
    id: "immediate",
    source: "this test",
    summary: "every fetch sees every store",
    unit: 4,
    stale: "never",
    granule: 0,
    reports: {},
    admits: () => "run",
  },
  fetchModels: [],
  cache: noCacheMaintenance,
  cpu: {
    id: "armv7",
    source: "this test",
    accepts: (_interrupt, _levels, masked) => !masked,
    synchronizes: ["trap-entry", "trap-return", "irq-return"],
    breakpoints: ["und"],
    trapsMask: true,
  },
  returns: "bx lr",
  branches: {},
  reach: { target: 0x40, callee: 0x1000 },
  base: caller,
};

const strategy = (lines: (flip: Flip) => readonly Line[], more: Omit<PatchProgram, "main"> = {}): PatchStrategy => ({
  id: "test",
  summary: "written for this test",
  source: "this test",
  architectures: ["armv7"],
  defaultSite: "nop:bl",
  promises: propertyIds,
  plan: (flip) => ({ main: lines(flip), ...more }),
});

const plain = strategy((flip) => [
  store("new", flip.sites[0]!.address, flip.sites[0]!.next, { width: 2 }),
  syncCores("sync"),
]);

/** T32 code that is reached from A32 code alone; read as A32 it would be an instruction that no version of it has. */
const callee: Site = { address: thumb, old: "nop", new: "movs r0, #1", mode: "t32" };

const check = (of: Pick<Scenario, "sites" | "patchers" | "executors" | "exits" | "cpus" | "blocks">) =>
  createSimulation({ architecture, development: true }).check({ name: "a call of T32 code", ...of });

describe("a context goes on in the mode that an instruction chose", () => {
  it("when it executes it", async () => {
    const verdict = await check({
      sites: [callee],
      patchers: [{ strategy: plain, sites: [0], flips: 1 }],
      blocks: [{ address: caller, code: `${call}+bx r9`, mode: "a32" }],
      executors: [{ entries: [caller] }],
      exits: [0n],
      cpus: 2,
    });
    expect(verdict).toMatchObject({ verdict: "safe" });
  });

  it("when a handler emulates it", async () => {
    const probed = strategy(
      ({ sites: [site] }) => [
        set("fill", "entries", [{ address: caller, bytes: toHex(site!.next) }]),
        armTrap("arm", "und"),
        store("probe", caller, armv7InstructionSet.assemble("udf #24", caller), { width: 4 }),
        syncCores("sync"),
      ],
      {
        words: { entries: [] },
        traps: {
          und: [
            lookup("find", "entries", "entry"),
            when("ours", ne(local("entry"), null), [emulate("emulate", local("entry")), claim()]),
          ],
        },
      },
    );
    const verdict = await check({
      sites: [{ address: caller, old: "nop", new: call, mode: "a32", after: "bx r9" }, callee],
      patchers: [
        { strategy: probed, sites: [0], flips: 1 },
        { strategy: plain, sites: [1], flips: 1 },
      ],
      executors: [{ entries: [caller] }],
      exits: [0n],
      cpus: 3,
    });
    expect(verdict).toMatchObject({ verdict: "safe" });
  });
});
