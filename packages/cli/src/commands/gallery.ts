import { type CheckOptions, InputError, listed, type Scenario, type Verdict } from "@cmodx/core";
import type { GalleryEntry, Judged } from "@cmodx/gallery";
import { brokenToJson, counterexampleToJson, renderTimeline, whyOf, wrap } from "@cmodx/view";
import type { Command } from "commander";
import { sitesOf } from "../document.js";
import { breathe, type Colors, colors, type Exit, exit, type Io, type Leave, progressLine } from "../io.js";
import { type GalleryEntryJson, type GalleryJson, toJson } from "../json.js";
import { type Budget, budgetOf, type LimitOptions, memoryInUse } from "../limits.js";
import { options } from "../options.js";
import { brokenText, siteText } from "../report.js";
import { columns, count, entry as paragraph, prose, WIDTH } from "../text.js";

type GalleryOptions = LimitOptions & { readonly json?: boolean };

/** What the gallery exports; loaded when it is asked for. */
type Gallery = typeof import("@cmodx/gallery");

const HELP = `
Each entry is a bug that was in real code, with its fix. For both the machine is asked: the bug has to be unsafe with the
property it is known to break, the fix has to be safe. Without IDs all entries are judged; with IDs their stories are told.

Exit codes: 0 everything as expected, 1 something is not, 2 wrong usage or input, 3 inconclusive or interrupted.

  $ cmodx gallery
  $ cmodx gallery 2`;

/** `cmodx gallery`: historical bugs, each found by the machine, and cured by its fix. */
export const addGallery = (program: Command, io: Io, leave: Leave): void => {
  program
    .command("gallery")
    .summary("find historical bugs of live patching, and see that their fixes are safe")
    .argument("[ids...]", "entries to tell the story of, by the numbers of the list")
    .addOption(options.maxStates)
    .addOption(options.maxMemory)
    .addOption(options.timeout)
    .addOption(options.json)
    .addHelpText("after", `\n${prose(HELP)}\n`)
    .action(async (ids: readonly string[], asked: GalleryOptions) => {
      const budget = budgetOf(asked, io);
      const gallery = await import("@cmodx/gallery");
      const entries = chosen(ids, gallery);
      const judged = await judgeAll(entries, budget, gallery, io);
      const interrupted = judged.length < entries.length;
      const paint = colors(io.color);
      if (asked.json) {
        const document: GalleryJson = {
          schema: "cmodx/gallery/1",
          entries: judged.map((each) => entryJson(each, ids.length > 0, gallery)),
          interrupted,
        };
        io.out(toJson(document));
      } else {
        if (ids.length === 0) io.out(tableOf(judged, entries.length, paint));
        else io.out(judged.map((each) => storyOf(each, gallery, paint)).join("\n"));
        if (interrupted) io.out("interrupted: not all entries were judged\n");
      }
      const code = codeOf(judged, interrupted);
      leave(code, code === exit.unsafe ? "not as expected" : undefined);
    });
};

/** The entries of these ids, without repetition; all of them where there are none. */
const chosen = (ids: readonly string[], { gallery, entriesOf }: Gallery): readonly GalleryEntry[] => {
  if (ids.length === 0) return gallery;
  const found = ids.flatMap((id) => {
    const entries = entriesOf(id);
    if (entries.length > 0) return entries;
    throw new InputError(`The gallery has no entry ${id}; it has ${listed(gallery.map((each) => each.id))}.`, {
      place: "ids",
      code: "unknown-name",
    });
  });
  return [...new Set(found)];
};

const judgeAll = async (
  entries: readonly GalleryEntry[],
  budget: Budget,
  { judge }: Gallery,
  io: Io,
): Promise<readonly Judged[]> => {
  const progress = progressLine(io);
  const judged: Judged[] = [];
  try {
    for (const entry of entries) {
      await breathe();
      if (io.signal.aborted || budget.isOver) break;
      const how: CheckOptions = {
        bounds: budget.left(),
        memory: memoryInUse,
        signal: io.signal,
        onProgress: ({ states }) => progress.show(`${entry.id}: ${count(states, "state")}`),
      };
      judged.push(await judge(entry, how));
    }
  } finally {
    progress.clear();
  }
  return judged;
};

const codeOf = (judged: readonly Judged[], interrupted: boolean): Exit => {
  if (judged.some(({ status }) => status === "not as expected")) return exit.unsafe;
  return interrupted || judged.some(({ status }) => status === "undecided") ? exit.inconclusive : exit.complete;
};

const entryJson = (
  { entry, wrong, fixed, status, complaints }: Judged,
  whole: boolean,
  { simulationOf }: Gallery,
): GalleryEntryJson => {
  const { id, fetch } = entry.architecture();
  const unsafe = wrong.verdict === "unsafe" ? wrong : null;
  return {
    id: entry.id,
    title: entry.title,
    wrong: wrong.verdict,
    fixed: fixed.verdict,
    property: unsafe?.property ?? null,
    length: unsafe?.trace.length ?? null,
    status,
    complaints,
    expected: entry.property,
    why: unsafe?.why ?? null,
    architecture: id,
    fetch: fetch.id,
    source: entry.source,
    counterexample:
      whole && unsafe !== null
        ? {
            ...counterexampleToJson(simulationOf(entry).machine(entry.wrong), unsafe.trace, unsafe.loop),
            shortest: unsafe.shortest,
          }
        : null,
  };
};

const tableOf = (judged: readonly Judged[], entries: number, paint: Colors): string => {
  const rows = judged.map(({ entry, wrong, fixed }) => [
    entry.id,
    wrong.verdict === "unsafe" ? wrong.property : wrong.verdict,
    wrong.verdict === "unsafe" ? String(wrong.trace.length) : "",
    fixed.verdict,
    entry.title,
  ]);
  const [head = "", ...lines] = columns([["id", "breaks", "steps", "fix", "what was wrong"], ...rows]);
  const met = judged.filter(({ status }) => status === "as expected").length;
  const complaints = judged.flatMap(({ entry, complaints: each }) =>
    each.map((complaint) => paint.red(paragraph(entry.id, complaint))),
  );
  const summary = `${met} of ${entries} entries are as expected: the bug breaks what it is known to break, in a shortest counterexample of so many steps, and its fix is safe. \`cmodx gallery ID\` tells the story of one.`;
  return `${[paint.bold(head), ...lines, "", ...complaints, prose(summary)].join("\n")}\n`;
};

const storyOf = (judged: Judged, { simulationOf }: Gallery, paint: Colors): string => {
  const { entry, wrong, fixed, complaints } = judged;
  const machine = simulationOf(entry).machine(entry.wrong);
  const architecture = entry.architecture();
  const counterexample =
    wrong.verdict !== "unsafe"
      ? []
      : [
          renderTimeline(machine, wrong.trace, {
            paint,
            ...(wrong.loop === undefined ? {} : { loop: wrong.loop }),
          }).trimEnd(),
          "",
          ...brokenText(brokenToJson(machine, wrong.trace, wrong.broken), wrong.alsoBroken, paint),
          "",
        ];
  return `${[
    paint.bold(`${entry.id}  ${entry.title}`),
    "",
    paragraph("Bug", entry.bug),
    paragraph("Fix", entry.fix),
    paragraph("Source", entry.source),
    ...sitesOf(machine).map((site) => paragraph("Site", siteText(site))),
    paragraph("Machine", `${architecture.id}, ${architecture.fetch.id}; ${environmentText(entry.wrong)}`),
    "",
    verdictText("the bug", entry.wrong, wrong, paint),
    "",
    ...counterexample,
    verdictText("the fix", entry.fixed, fixed, paint),
    ...complaints.map((complaint) => paint.red(paragraph("Unexpected", complaint))),
  ].join("\n")}\n`;
};

const environmentText = ({ cpus, patchers, interrupts, preempt }: Scenario): string =>
  [
    count(cpus, "CPU"),
    ...patchers.map(({ flips }) => (flips === "forever" ? "flips for ever" : count(flips, "flip"))),
    ...(interrupts?.irq ? ["IRQs"] : []),
    ...(interrupts?.nmi ? ["NMIs"] : []),
    ...(preempt ? ["preemption"] : []),
  ].join(", ");

const verdictText = (what: string, { name }: Scenario, verdict: Verdict, paint: Colors): string => {
  const told = {
    unsafe: ["UNSAFE", paint.red],
    safe: ["SAFE", paint.green],
    vacuous: ["VACUOUS", paint.yellow],
    inconclusive: ["INCONCLUSIVE", paint.yellow],
  } as const;
  const [word, color] = told[verdict.verdict];
  const found =
    verdict.verdict === "unsafe"
      ? `breaks ${listed(verdict.broken.map(({ property }) => property))}`
      : `${verdict.verdict === "safe" ? "no interleaving breaks a property" : (whyOf(verdict) ?? "")}, ${count(verdict.states, "state")}`;
  const [first = "", ...rest] = wrap(`${word}  ${what}, ${name}: ${found}`, WIDTH, "        ");
  return [paint.bold(first.replace(word, color(word))), ...rest.map(paint.bold)].join("\n");
};
