import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SaxesParser } from "saxes";
import { describe, expect, test } from "vitest";
import type { PatchJson, PatchRunJson } from "../src/json.js";
import { figureOf, patchPage, patchPicture } from "../src/patch-plots.js";
import { heightAxis } from "../src/plot/axes.js";
import { fitted, widthOf } from "../src/plot/widths.js";
import { cmodx, folder } from "./harness.js";

type Text = { readonly text: string; readonly attributes: { readonly [name: string]: string } };

/** The elements of a document with the text in them. Throws where it is not well-formed XML. */
const elementsOf = (document: string, wanted: string): readonly Text[] => {
  const found: { text: string; attributes: { [name: string]: string } }[] = [];
  const inside: (string | undefined)[] = [];
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name, attributes }) => {
    inside.push(name);
    if (name === wanted) found.push({ text: "", attributes: { ...attributes } });
  });
  parser.on("closetag", () => inside.pop());
  parser.on("text", (text) => {
    const last = found.at(-1);
    if (inside.at(-1) === wanted && last !== undefined) last.text += text;
  });
  parser.write(document).close();
  return found;
};

type Box = { readonly text: string; left: number; right: number; top: number; bottom: number };

/** Where the labels of a picture lie, by the table of widths. */
const boxesOf = (svg: string): readonly Box[] =>
  elementsOf(svg, "text").map(({ text, attributes }) => {
    const [x, y, size] = ["x", "y", "font-size"].map((name) => Number(attributes[name])) as [number, number, number];
    const width = widthOf(text, size);
    const anchor = attributes["text-anchor"] ?? "start";
    const left = anchor === "start" ? x : anchor === "end" ? x - width : x - width / 2;
    // Bold letters are not in the table, and what is bold stands alone in its row.
    return { text, left, right: left + width, top: y - 0.8 * size, bottom: y + 0.25 * size };
  });

const overlaps = (boxes: readonly Box[]): readonly string[] =>
  boxes.flatMap((a, i) =>
    boxes
      .slice(i + 1)
      .filter((b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
      .map((b) => `${a.text} over ${b.text}`),
  );

const spread = (max: number) => ({ count: 1, p50: max / 2, p99: max, max });
const run = (strategy: string, cpus: number, asked: number, time: number, pause = time / 10): PatchRunJson => ({
  strategy,
  cpus,
  asked,
  complete: true,
  time,
  calls: 1,
  sites: asked,
  batches: 1,
  writes: 3 * asked,
  rounds: 3,
  interrupts: 3 * cpus,
  traps: 0,
  unclaimed: 0,
  stops: 0,
  stopped: 0,
  graces: 0,
  contended: 0,
  latency: spread(time),
  longestPause: spread(pause),
  lost: pause / time,
  text: null,
});
const documentOf = (runs: readonly PatchRunJson[], rest: Partial<PatchJson> = {}): PatchJson => ({
  schema: "cmodx/patch/1",
  architecture: "x86",
  cost: "small-server",
  seed: 0,
  interrupted: false,
  runs,
  ...rest,
});

const ELEVEN = Array.from({ length: 11 }, (_, i) => 2 ** i);
const hostile = `<b>&"'\u0000\ud800 ${"a name that goes on ".repeat(12)}`;

const documents: { readonly [name: string]: PatchJson } = {
  "11 counts, 4 strategies": documentOf(
    ["int3", "int3-batch", "stop-machine", "a"].flatMap((each, i) =>
      ELEVEN.map((cpus) => run(each, cpus, 20_000, 10 ** (3 + 2 * i) * cpus)),
    ),
  ),
  "12 strategies with long names, and sizes close together": documentOf(
    Array.from({ length: 12 }, (_, i) => `strategy-with-a-long-name-${i}`).flatMap((each) =>
      [60_000, 60_001, 60_010, 60_100, 61_000, 65_536].map((cpus) => run(each, cpus, 1_000_000, 5e12 + cpus)),
    ),
  ),
  "both are swept": documentOf([1, 10].flatMap((sites) => [1, 2, 3].map((cpus) => run("a", cpus, sites, 5000)))),
  "only sites": documentOf([1, 1000].map((sites) => run("a", 8, sites, 5000 * sites))),
  "one size, one time, no pause": documentOf([run("a", 1, 1, 1000, 0)]),
  "18 decades": documentOf([run("a", 1, 1, 1e-3), run("a", 1000, 1, 1e15)]),
  "hostile names": documentOf([run(hostile, 1, 1, 5)], { cost: hostile, interrupted: true }),
  nothing: documentOf([], { interrupted: true }),
};

describe("plots of a sweep", () => {
  test.each(Object.entries(documents))("%s: well-formed, and no label lies over another", (_, document) => {
    const svg = patchPicture(document);
    const boxes = boxesOf(svg);
    expect(overlaps(boxes)).toEqual([]);
    const [{ attributes }] = elementsOf(svg, "svg") as [Text];
    for (const { text, left, right, top, bottom } of boxes)
      expect(
        left >= 0 && right <= Number(attributes.width) && top >= 0 && bottom <= Number(attributes.height),
        text,
      ).toBe(true);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect(elementsOf(patchPage(document), "tr")).toHaveLength(1 + document.runs.length);
  });

  test("axes say what they show and in which unit", () => {
    const texts = elementsOf(patchPicture(documents["11 counts, 4 strategies"] as PatchJson), "text").map(
      ({ text }) => text,
    );
    expect(texts).toEqual(
      expect.arrayContaining(["1,024", "64", "1 µs", "100 ms", "0 %", "10 %", "CPUs, logarithmic", "int3-batch"]),
    );
    expect(texts).toContain("20,000 sites: time of all patch calls, logarithmic");
    const { ticks } = heightAxis([2000, 9000], "ns", [100, 0], 18);
    expect(ticks.map(({ label }) => label)).toEqual(["1 µs", "2 µs", "3 µs", "5 µs", "10 µs"]);
  });

  test("there is a plot of each measure for each size of what is swept too; what was cut short is left out", () => {
    const both = figureOf(documents["both are swept"] as PatchJson);
    expect(both.sizes).toBe("CPUs");
    expect(both.panels.map(({ title }) => title.split(":")[0])).toEqual([
      "1 site",
      "1 site",
      "1 site",
      "10 sites",
      "10 sites",
      "10 sites",
    ]);
    expect(figureOf(documents["only sites"] as PatchJson).sizes).toBe("sites");
    const cut = figureOf(
      documentOf([run("a", 1, 1, 5), { ...run("a", 2, 1, 5), complete: false }], { interrupted: true }),
    );
    expect(cut.panels[0]?.series[0]?.points).toEqual([[1, 5]]);
    expect(cut.notes).toContain("cut short: only what was computed until then");
  });

  test("texts and lines stand out from the ground in the light and in the dark", () => {
    const luminance = (colour: string): number => {
      const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
        const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
        return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const [{ text: style }] = elementsOf(patchPicture(documents.nothing as PatchJson), "style") as [Text];
    const themes = style.split("@media (prefers-color-scheme:dark)");
    expect(themes).toHaveLength(2);
    for (const theme of themes) {
      const colour = (of: string): string => new RegExp(`${of}\\{[^}]*(#[0-9a-f]{6})`).exec(theme)?.[1] ?? "";
      const contrast = (of: string): number => {
        const [a = 0, b = 0] = [luminance(colour(of)), luminance(colour("ground"))].sort((x, y) => y - x);
        return (a + 0.05) / (b + 0.05);
      };
      expect(contrast("text")).toBeGreaterThan(4.5);
      for (const each of ["axis", ...Array.from({ length: 8 }, (_, i) => `\\.s${i}`)])
        expect(contrast(each), each).toBeGreaterThan(3);
    }
  });

  test("a text is as wide as its letters, and cut short where that is too wide", () => {
    expect(widthOf("Wi", 10)).toBeCloseTo(((944 + 222) / 100) * 1.2, 5);
    expect(fitted("abcdefgh", 10, 40)).toMatch(/^abc?d?…$/);
    expect(widthOf(fitted("abcdefgh", 10, 40), 10)).toBeLessThanOrEqual(40);
  });
});

describe("patch writes files", () => {
  const line = "patch --strategy int3-batch --sites 20 --sweep cpus=1,2";

  test("whole, over those that are there", async () => {
    const cwd = folder({ "a.svg": "old" });
    const { code, out } = await cmodx(`${line} --svg a.svg --html a.html --csv a.csv`, { cwd });
    expect(code).toBe(0);
    expect(out).toContain("int3-batch");
    expect(elementsOf(readFileSync(join(cwd, "a.svg"), "utf8"), "svg")).toHaveLength(1);
    expect(elementsOf(readFileSync(join(cwd, "a.html"), "utf8"), "svg")).toHaveLength(1);
    expect(readFileSync(join(cwd, "a.csv"), "utf8").split("\n")).toHaveLength(4);
    expect(readdirSync(cwd)).toHaveLength(3);
  });

  test.each([
    [`${line} --svg a --csv a`, "--csv and --svg name the same file a."],
    [`${line} --svg none/a.svg`, "none/a.svg cannot be written"],
    [`${line} --cost cost.json --html cost.json`, "--html and what is read name the same file cost.json."],
    [
      "patch --strategy int3-batch --sites 20 --svg a.svg",
      "--svg plots a sweep; say --sweep cpus=N,N,… or --sweep sites=N,N,… too.",
    ],
    [`${line} --cpus 3`, "--cpus does not go with --sweep cpus=…, which says how many."],
    [`${line} --sweep cpus=3`, "--sweep cpus=… is given twice."],
    [`${line} --sweep sites=`, "--sweep takes cpus=N,N,… or sites=N,N,… with numbers from 1 on, not sites=."],
  ])("%s is refused before anything is computed", async (words, sentence) => {
    const cwd = folder();
    writeFileSync(join(cwd, "cost.json"), "{}");
    const { code, out, err } = await cmodx(words, { cwd });
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(sentence);
    expect(readdirSync(cwd)).toEqual(["cost.json"]);
    expect(existsSync(join(cwd, "a.svg"))).toBe(false);
  });
});
