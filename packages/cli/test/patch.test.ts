import { readFileSync } from "node:fs";
import { join } from "node:path";
import { assemble, type CostModel, costPresets, TimedDriver } from "@cmodx/core";
import { toggleWrites } from "@cmodx/image";
import { int3Batch, x86 } from "@cmodx/x86";
import { describe, expect, test } from "vitest";
import { cmodx, fixture, folder, json } from "./harness.js";

describe("patch", () => {
  test("counts the batches, rounds and stops of copies of a site, for each strategy", async () => {
    const { code, document } = await json("patch --sites 300 --strategy int3-batch,int3,stop-machine --cpus 4");
    expect(code).toBe(0);
    expect(document.schema).toBe("cmodx/patch/1");
    expect(document.runs).toMatchObject([
      { strategy: "int3-batch", sites: 300, batches: 2, rounds: 6, calls: 1, complete: true },
      { strategy: "int3", sites: 300, batches: 300, rounds: 900, calls: 300 },
      { strategy: "stop-machine", sites: 300, rounds: 0, stops: 1 },
    ]);
    const { document: arm } = await json("patch --arch armv7 --sites 5 --strategy stop-machine-linux --cpus 2");
    expect(arm.runs).toMatchObject([{ stops: 5 }]);
  });

  test("goes through sizes, as CSV", async () => {
    const cwd = folder();
    await cmodx("patch --strategy int3-batch --sweep cpus=1,2,100 --sweep sites=1,257 --csv out.csv", { cwd });
    const csv = readFileSync(join(cwd, "out.csv"), "utf8");
    expect(csv.split("\n").map((line) => line.split(",").slice(0, 7).join())).toEqual([
      "strategy,cpus,sites,complete,batches,writes,rounds",
      ...[1, 2, 100].map((cpus) => `int3-batch,${cpus},1,true,1,3,3`),
      ...[1, 2, 100].map((cpus) => `int3-batch,${cpus},257,true,2,771,6`),
      "",
    ]);
  });

  test("a list that is not sorted needs many times the rounds of one that is", async () => {
    const line = "patch --sites 1000 --strategy int3-batch --shuffled --cpus 2";
    const [sorted, given] = [await json(line), await json(`${line} --option sorted=false`)];
    expect(sorted.document.runs).toMatchObject([{ rounds: 3 * Math.ceil(1000 / 256), sites: 1000 }]);
    expect(given.document.runs[0].sites).toBe(1000);
    expect(given.document.runs[0].rounds).toBeGreaterThan(20 * sorted.document.runs[0].rounds);
  });

  test("prints every store in its order", async () => {
    const { out } = await cmodx("patch --sites 2 --strategy int3-batch --writes --cpus 2");
    const stores = out.split("\n").filter((line) => /^0x[0-9a-f]+ [0-9a-f]+$/.test(line));
    const bytes = stores.map((line) => line.split(" ")[1]);
    expect([bytes[0], bytes[1], bytes[4], bytes[5]]).toEqual(["cc", "cc", "e8", "e8"]);
    expect(bytes.slice(2, 4).map((tail) => tail?.length)).toEqual([8, 8]);
    expect(stores).toHaveLength(6);
  });

  test("is the same for the same seed; a cost file changes the time and no count", async () => {
    const cwd = folder({ "mine.json": '{"base": "vm", "parameters": {"ipiDeliver": 50000}}' });
    const line = "patch --sites 20 --strategy int3-batch --seed 3";
    const [one, again] = [await json(line, { cwd }), await json(line, { cwd })];
    expect(again.document).toEqual(one.document);
    const { document } = await json(`${line} --cost mine.json`, { cwd });
    expect(document.cost).toBe("mine.json");
    expect(document.runs[0].rounds).toBe(one.document.runs[0].rounds);
    expect(document.runs[0].time).toBeGreaterThan(one.document.runs[0].time);
  });

  test("refuses what it does not understand, in one sentence", async () => {
    const cwd = folder({
      "unknown.json": '{"parameters": {"ipiDelivery": 5}}',
      "negative.json": '{"parameters": {"ipiDeliver": -5}}',
      "broken.json": "{",
    });
    for (const [line, sentence] of [
      ["patch --strategy int3", "Say what to patch: a kernel, or --sites N."],
      ["patch --sites 0 --strategy int3", "--sites takes a whole number from 1 to 1000000, not 0."],
      [
        "patch --sites 1 --strategy int3 --sweep cpus=1;2",
        "--sweep takes cpus=N,N,… or sites=N,N,… with numbers from 1 on, not cpus=1;2.",
      ],
      [
        "patch --sites 1 --strategy int3 --cost unknown.json",
        "There is no cost parameter ipiDelivery; did you mean ipiDeliver?",
      ],
      [
        "patch --sites 1 --strategy int3 --cost negative.json",
        "The cost parameter ipiDeliver has to be a number from 0 on, not -5.",
      ],
      ["patch --sites 1 --strategy int3 --cost broken.json", "broken.json is no JSON"],
      ["patch --sites 1 --strategy int3 --key a", "--key needs a kernel to take the sites from."],
      ["cost show nothing", "No cost model is called nothing"],
    ] as const) {
      const { code, err } = await cmodx(line, { cwd });
      expect([line, code]).toEqual([line, 2]);
      expect(err).toContain(sentence);
    }
  });

  test("marks what was cut short", async () => {
    const stop = new AbortController();
    stop.abort();
    const { code, document } = await json("patch --sites 2000 --strategy int3,int3-batch --cpus 64", {
      signal: stop.signal,
    });
    expect(code).toBe(3);
    expect(document.interrupted).toBe(true);
    expect(document.runs).toMatchObject([{ strategy: "int3", complete: false }]);
  });
});

test("cost show has every parameter with its source", async () => {
  const { code, document } = await json("cost show vm");
  expect(code).toBe(0);
  expect(document).toMatchObject({ schema: "cmodx/cost/1", id: "vm" });
  for (const { source } of document.parameters) expect(source).not.toBe("");
  const { out } = await cmodx("cost show");
  expect(out).toContain("assumed");
  expect(readFileSync(new URL("../../../docs/cost.md", import.meta.url), "utf8")).toContain("ipiDeliver");
});

test("the 228 writes of a key of a real kernel come in the kernel's order", () => {
  type Row = { readonly address: string; readonly bytes: string; readonly target: string; readonly key: string };
  const file = fixture("linux-6.1.176-cloud-amd64.sched_schedstats.json");
  const starts: { readonly [start: string]: string } = { "66": "nop2", "0f": "nop5", eb: "jmp8", e9: "jmp32" };
  const sites = (JSON.parse(readFileSync(file, "utf8")) as readonly Row[]).map(({ address, bytes, target, key }) => ({
    kind: "jump-label" as const,
    address: BigInt(address),
    bytes: new Uint8Array(Buffer.from(bytes, "hex")),
    instruction: starts[bytes.slice(0, 2)] as string,
    target: BigInt(target),
    key,
  }));
  const predicted = toggleWrites(sites, "sched_schedstats");
  const architecture = x86({});
  const flips = sites.map(({ address, bytes, target }) => {
    const isShort = bytes.length === 2;
    const text = /^(66|0f)/.test(Buffer.from(bytes).toString("hex"))
      ? `${isShort ? "jmp8" : "jmp32"} 0x${target.toString(16)}`
      : isShort
        ? "nop2"
        : "nop5";
    return { address, old: [...bytes], next: assemble(text, address, "", address, architecture) };
  });
  const written: string[] = [];
  const strategy = int3Batch();
  const driver = new TimedDriver(
    {
      architecture,
      cpus: 2,
      cost: costPresets[0] as CostModel,
      seed: 0,
      patchers: [{ calls: [{ strategy, sites: flips }] }],
    },
    ({ what, detail }) => {
      if (what === "store") written.push(detail);
    },
  );
  while (!driver.advance(100_000));
  expect(written).toHaveLength(228);
  expect(written).toEqual(
    predicted.map(({ address, bytes }) => `0x${address.toString(16)} ${Buffer.from(bytes).toString("hex")}`),
  );
});
