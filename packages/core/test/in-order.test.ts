import { describe, expect, it } from "vitest";
import { Random } from "../../../tooling/oracle/random.js";
import type { Written } from "../src/contract/memory-order.js";
import { addressKey, type CpuState, type MemoryState } from "../src/contract/state.js";
import { ageWindow, synchronize, withBehind, withChanges } from "../src/fetch/stale-code.js";
import { createSimulation, type FetchModel, fetchChoices, fromHex, store, syncCore, toHex } from "../src/index.js";
import { toy, untilSync } from "./toy/architecture.js";
import { AT, answer, check, first, only, scenario, site, strategy } from "./toy/scenario.js";

const inOrder: FetchModel = { ...untilSync, id: "in-order", stale: "in-order", behind: 100 };

/** Three bytes in three cells: an instruction of which each byte can be fetched at a moment of its own. */
const THREE = [site("nop3 0x100", "call 0x302")];

describe("fetches that see the stores in their order, late", () => {
  it("find exactly what a walk through the history finds (random histories)", () => {
    const patching = strategy((flip) => [store("write", first(flip).address, first(flip).next)]);
    const machine = createSimulation({ architecture: toy({ fetch: inOrder }) }).machine(
      scenario(patching, { sites: THREE }),
    );
    let stale = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const random = new Random(seed);
      const start = machine.initial();
      let cpu = start.cpus[1] as CpuState;
      let memory: MemoryState = start.memory;
      // The history, and the moment up to which this CPU has fetched.
      const keys = [0n, 1n, 2n].map((i) => addressKey(AT + i));
      const history = [keys.map((key) => memory.cells[key]?.latest ?? "")];
      let moment = 0;
      for (let step = 0; step < 30; step++) {
        const what = random.below(5);
        if (what < 2) {
          // One store over one, two or three cells.
          const from = random.below(3);
          const stored = keys.map((key, cell) => {
            const value = toHex([cell === 0 ? (random.below(2) === 0 ? 0x10 : 0x12) : random.below(3)]);
            const old = memory.cells[key]?.latest ?? "";
            return cell < from || random.below(2) === 0 ? { key, old, value: old } : { key, old, value };
          });
          const changes = stored.filter(({ old, value }) => old !== value);
          if (changes.length === 0) continue;
          memory = withChanges(memory, changes, machine);
          cpu = ageWindow(cpu, changes, machine);
          history.push(stored.map(({ value }) => value));
        } else if (what === 2) {
          cpu = synchronize(cpu, memory, machine);
          moment = history.length - 1;
        } else {
          const found = new Map<string, number>();
          for (let a = moment; a < history.length; a++)
            for (let b = a; b < history.length; b++)
              for (let c = b; c < history.length; c++) {
                const bytes = `${history[a]?.[0]}${history[b]?.[1]}${history[c]?.[2]}`;
                found.set(bytes, Math.min(found.get(bytes) ?? c, c));
              }
          const choices = fetchChoices(cpu, memory, AT, "", machine);
          expect(choices.map(({ bytes }) => toHex(bytes)).sort()).toEqual([...found.keys()].sort());
          for (const { bytes, versions } of choices) expect(versions).toContainEqual(bytes);
          const latest = toHex(keys.flatMap((key) => fromHex(memory.cells[key]?.latest ?? "")));
          expect(choices.filter((choice) => !choice.stale).map(({ bytes }) => toHex(bytes))).toEqual([latest]);
          stale += choices.length - 1;
          const chosen = choices[random.below(choices.length)];
          if (chosen === undefined) throw new Error("Something is always fetched.");
          cpu = withBehind(cpu, chosen.behind ?? []);
          // Of all moments at which this was fetched the earliest leaves most.
          moment = found.get(toHex(chosen.bytes)) ?? 0;
        }
      }
    }
    expect(stale).toBeGreaterThan(1000);
  });

  it("of the moments at which the same was fetched, the earliest counts", () => {
    const four = { ...inOrder, unit: 4 };
    const machine = createSimulation({ architecture: toy({ fetch: four }) }).machine(
      scenario(
        strategy((flip) => [store("write", first(flip).address, first(flip).next)]),
        { sites: [site("nop+nop+nop+nop", "nop+nop+nop+ret")] },
      ),
    );
    const { cpus, memory } = machine.initial();
    const key = addressKey(AT);
    const changes = [{ key, old: "00000000", value: "00000001" }];
    const changed = withChanges(memory, changes, machine);
    const cpu = ageWindow(cpus[1] as CpuState, changes, machine);
    // The instruction is the same in both words.
    const [choice, ...others] = fetchChoices(cpu, changed, AT, "", machine);
    expect(others).toEqual([]);
    expect(choice?.behind).toEqual(cpu.behind);
    const last = fetchChoices(withBehind(cpu, choice?.behind ?? []), changed, AT + 3n, "", machine);
    expect(last.map(({ bytes }) => toHex(bytes))).toEqual(["01", "00"]);
  });

  it("of what its own store buffer holds the fetching CPU finds the last at once, and has seen no other's store by that", () => {
    const patching = strategy((flip) => [store("write", first(flip).address, first(flip).next)]);
    const machine = createSimulation({ architecture: toy({ fetch: inOrder }) }).machine(
      scenario(patching, { sites: [site("nop", "ret")], memory: "architectural" }),
    );
    const { cpus, memory } = machine.initial();
    const key = addressKey(AT);
    const changes = [{ key, old: "00", value: "02" }];
    const late = ageWindow(cpus[1] as CpuState, changes, machine);
    const changed = withChanges(memory, changes, machine);
    const write = (bytes: string) => ({ to: "code", address: AT, bytes }) as const;
    const parts = [write("03"), write("01")].reduce((before, each) => machine.order.write(before, each, machine), {
      cpu: late,
      memory: changed,
    } as Written);
    const found = fetchChoices(parts.cpu, changed, AT, "", machine);
    expect(found.map(({ bytes, stale }) => [toHex(bytes), stale])).toEqual([
      ["01", false],
      ["02", true],
      ["00", true],
    ]);
    expect(found.map(({ behind }) => behind?.length)).toEqual([1, 0, 1]);
  });

  it("keep no more than they are allowed to be behind", () => {
    const machine = createSimulation({ architecture: toy({ fetch: { ...inOrder, behind: 2 } }) }).machine(
      scenario(strategy((flip) => [store("write", first(flip).address, first(flip).next)])),
    );
    let cpu = machine.initial().cpus[1] as CpuState;
    for (const value of ["01", "02", "03", "04"])
      cpu = ageWindow(cpu, [{ key: addressKey(AT), old: "00", value }], machine);
    expect(cpu.behind).toHaveLength(2);
    expect(withBehind(cpu, [])).not.toHaveProperty("behind");
  });

  it("in a check: the later store is not seen without the earlier, and a synchronisation ends it", async () => {
    const lines = strategy((flip) => [store("write", first(flip).address, first(flip).next), syncCore("sync")]);
    const sites = [site("nop+nop", "ret+ret")];
    const broken = only("old-or-new", "mid-sequence", "done");
    const verdict = await check(scenario(lines, { sites, ...broken }), { fetch: inOrder });
    expect(answer(verdict)).toBe("unsafe: mid-sequence");
    const here = scenario(lines, { sites, cpus: 1, interrupts: { irq: true }, ...only("done") });
    const cpu = { synchronizes: [] };
    expect(answer(await check(here, { fetch: inOrder, cpu }))).toBe("safe");
    const dropped = { ...here, patchers: here.patchers.map((patcher) => ({ ...patcher, drop: ["sync"] })) };
    expect(answer(await check(dropped, { fetch: inOrder, cpu }))).toBe("unsafe: done");
  });
});
