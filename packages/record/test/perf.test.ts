import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fromHex } from "@cmodx/core";
import { stopMachine } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import { perfRecording, readPerfData, readRecords, readStamp, readTextPoke, textPoke } from "../src/index.js";
import { branchKind } from "../src/perf/flow.js";
import { run } from "./run.js";

/** TID, TIME, CPU, IDENTIFIER. */
const SAMPLE_TYPE = 0x10086n;

const again = (record: ReturnType<typeof readRecords>[number]): Uint8Array =>
  textPoke(readTextPoke(record, "perf"), readStamp(record, SAMPLE_TYPE, "perf"));

describe("text-poke events of a real kernel", () => {
  it("are written as it writes them", () => {
    const bytes = fromHex(
      "14000000010040006804e081ffffffff05000500e9b3982cffe983c93bff000001000000010000" +
        "00bc946d6103000000" +
        "00000000000000000200000000000000",
    );
    const [record] = readRecords(Uint8Array.from(bytes), "perf");
    expect(record?.misc).toBe(1);
    expect(again(record as NonNullable<typeof record>)).toEqual(Uint8Array.from(bytes));
  });

  const golden = join(process.env.CMODX_DATA ?? "", "golden/linux-6.1");
  it.skipIf(process.env.CMODX_DATA === undefined || !existsSync(golden))("all 177 of the golden ring", () => {
    const bytes = new Uint8Array(readFileSync(join(golden, "perf0")));
    const pokes = readRecords(bytes, "perf0").filter(({ type }) => type === 20);
    expect(pokes).toHaveLength(177);
    for (const record of pokes)
      expect(again(record)).toEqual(bytes.slice(record.offset, record.offset + record.body.length + 8));
    expect(readPerfData(new Uint8Array(readFileSync(join(golden, "real.data"))), "real.data").textPokes).toHaveLength(
      177,
    );
  });
});

describe("branches", () => {
  it.each([
    ["74 02", "conditional"],
    ["0f 84 00 00 00 00", "conditional"],
    ["2e 0f 85 00 00 00 00", "conditional"],
    ["e3 00", "conditional"],
    ["eb fe", "direct"],
    ["e9 00 00 00 00", "direct"],
    ["e8 00 00 00 00", "direct"],
    ["c3", "indirect"],
    ["f3 c3", "indirect"],
    ["ff d0", "indirect"],
    ["41 ff e3", "indirect"],
    ["ff 25 00 00 00 00", "indirect"],
    ["48 cf", "indirect"],
    ["ff c0", "none"],
    ["0f 1f 44 00 00", "none"],
    ["cc", "none"],
  ])("%s is %s", (hex, kind) => expect(branchKind(fromHex(hex.replaceAll(" ", "")))).toBe(kind));

  it("lead from where the one before led to: what lies between goes straight on", () => {
    for (const seed of [1, 2, 3]) {
      for (const branches of perfRecording(run({ seed })).branches) {
        for (const [i, { from }] of branches.entries()) {
          const before = branches[i - 1];
          if (before !== undefined && before.to <= from) expect(from - before.to).toBeLessThan(16n);
        }
      }
    }
  });
});

describe("what perf cannot be told", () => {
  it("is refused with a sentence", () => {
    const recording = run({ seed: 1, strategy: stopMachine() });
    expect(() => perfRecording({ ...recording, architecture: "arm64" })).toThrow(/perf decodes branches of x86 alone/);
    const [region] = recording.regions;
    const user = { ...recording, regions: [{ ...(region as NonNullable<typeof region>), address: 0x400000n }] };
    expect(() => perfRecording(user)).toThrow(/0x400000 is no address of the kernel/);
    const begins = run({ seed: 1 });
    const steps = begins.steps.map((step) => ({
      ...step,
      observed: step.observed.map((each) =>
        each.what === "publish-event" ? { ...each, detail: { ...each.detail, begins: true } } : each,
      ),
    }));
    expect(() => perfRecording({ ...begins, steps })).toThrow(/has no beginning/);
  });
});
