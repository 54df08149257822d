import { resolve } from "node:path";
import { InputError } from "@cmodx/core";
import { type Conformance, conform, type Log, readLog } from "@cmodx/record";
import type { Command } from "commander";
import { create, loadCatalogue } from "../catalogue.js";
import { readWhole } from "../files.js";
import { colors, type Exit, exit, type Io } from "../io.js";
import { type ConformJson, toJson } from "../json.js";
import { options } from "../options.js";
import type { StrategyOptions } from "../request.js";
import { count, entry, hex, prose } from "../text.js";

type ConformOptions = {
  readonly strategy?: string;
  readonly arch?: string;
  readonly option?: StrategyOptions;
  readonly plugin?: readonly string[];
  readonly how?: boolean;
  readonly json?: boolean;
};

/** The most bytes of a log. */
const MOST_LOG = 2 ** 28;
/** The most lines of each kind that the text shows. */
const MOST_SHOWN = 8;

const HELP = `
A log of a real kernel's tracefs, of trace-cmd or of cmodx record --trace-dat is followed through the strategy's own program, site by
site. Exit code 0: it conforms; 1: it contradicts the strategy; 3: nothing of it can be judged. A log shows the patcher's side alone: that
it conforms does not make the strategy, or the kernel, safe.

  $ cmodx conform --how > capture.sh
  $ cmodx conform trace.txt --strategy int3 --option events`;

/** How a log is made, as a script for the shell of root. */
const HOW = `#!/bin/sh
# Run as root, on x86, with a kernel that has kprobes. It changes no more than kernel.sched_schedstats, and puts that back.
set -e
cd /sys/kernel/tracing
echo 0 > tracing_on
echo mono > trace_clock
echo 16384 > buffer_size_kb
echo 0 > /proc/sys/debug/kprobes-optimization
cat > kprobe_events <<'END'
p:poke __text_poke addr=%si:x64 len=%cx:u32 b0=+0(%dx):x8 b1=+1(%dx):x8 b2=+2(%dx):x8 b3=+3(%dx):x8 b4=+4(%dx):x8
p:sync_core do_sync_core
p:each_cpu on_each_cpu_cond_mask
p:key_enable static_key_enable_cpuslocked
r:key_enabled static_key_enable_cpuslocked
p:key_disable static_key_disable_cpuslocked
r:key_disabled static_key_disable_cpuslocked
p:e_perf_event_text_poke perf_event_text_poke addr=%di:x64 old_len=%dx:u64 new_len=%r8:u64
END
echo 1 > events/kprobes/enable
echo > trace
echo 1 > tracing_on
sysctl -q -w kernel.sched_schedstats=1
sysctl -q -w kernel.sched_schedstats=0
echo 0 > tracing_on
cat trace > "\${1:-/tmp/trace.txt}"
echo 0 > events/kprobes/enable
echo > kprobe_events
echo 1 > /proc/sys/debug/kprobes-optimization
`;

/** `cmodx conform`: whether a log contradicts a strategy. */
export const addConform = (program: Command, io: Io, leave: (code: Exit) => void): void => {
  program
    .command("conform")
    .summary("hold a log of a kernel that patched itself against a strategy")
    .description(
      "Reads the text of tracefs, a trace.dat or a perf.data, and follows every site through the strategy's program.",
    )
    .argument("[log]", "the log")
    .addOption(options.strategy)
    .addOption(options.option)
    .addOption(options.arch)
    .addOption(options.plugin)
    .addOption(options.how)
    .addOption(options.json)
    .addHelpText("after", `\n${prose(HELP)}\n`)
    .action(async (file: string | undefined, asked: ConformOptions) => {
      if (asked.how) {
        if (file !== undefined) throw new InputError("--how takes no log.", { place: "--how", code: "usage" });
        io.out(HOW);
        return leave(exit.complete);
      }
      if (file === undefined)
        throw new InputError("Say which log; cmodx conform --how prints how one is made.", { code: "usage" });
      if (asked.strategy === undefined)
        throw new InputError("Say which strategy with --strategy ID; `cmodx list` has them.", {
          place: "--strategy",
          code: "usage",
        });
      const catalogue = await loadCatalogue(asked.plugin ?? [], io.cwd);
      const id = asked.arch ?? catalogue.architectureOf(asked.strategy);
      const strategy = catalogue.strategy(
        asked.strategy,
        id,
        asked.option === undefined ? {} : { options: asked.option },
      );
      const { instructionSet, fetch } = create(catalogue.architecture(id), undefined);
      const bytes = await readWhole(resolve(io.cwd, file), file, "a log", MOST_LOG);
      const log = readLog(new Uint8Array(bytes), file);
      const found = conform(log, strategy, { instructionSet, mode: "", reports: fetch.reports ?? null });
      const document = documentOf(file, strategy.id, id, log, found);
      io.out(asked.json ? toJson(document) : textOf(document, io));
      leave(
        found.answer === "conforms" ? exit.complete : found.answer === "contradicts" ? exit.unsafe : exit.inconclusive,
      );
    });
};

const documentOf = (
  file: string,
  strategy: string,
  architecture: string,
  log: Log,
  found: Conformance,
): ConformJson => {
  const { answer, contradictions, foreign, ...rest } = found;
  return {
    schema: "cmodx/conform/1",
    file,
    strategy,
    architecture,
    answer,
    counts: log.counts,
    cpus: log.cpus,
    ...rest,
    contradictions: contradictions.map((each) => ({ ...each, site: each.site === null ? null : hex(each.site) })),
    foreign: foreign.map(({ line, address }) => ({ line, address: hex(address) })),
  };
};

const ANSWERS = { conforms: "CONFORMS", contradicts: "CONTRADICTS", "not-covered": "NOT COVERED" } as const;

/** A list of which no more than the first few are shown. */
const some = (all: readonly string[]): string =>
  all.length <= MOST_SHOWN
    ? all.join("; ")
    : `${all.slice(0, MOST_SHOWN).join("; ")}; and ${all.length - MOST_SHOWN} more`;

const textOf = (document: ConformJson, io: Io): string => {
  const { file, strategy, answer, counts, changes, writes, calls, gaps, before } = document;
  const paint = colors(io.color);
  const whole = document.notCovered.length + gaps.notCovered + before === 0;
  const head = `${ANSWERS[answer]}  ${file} and ${strategy}${answer === "conforms" && !whole ? ", as far as logged" : ""}`;
  const seen = `${count(changes, "change")}, ${count(writes, "write")}, ${count(calls, "call")} of ${count(document.cpus, "CPU")}`;
  return `${[
    paint.bold(`${head}: ${seen}`),
    ...document.contradictions.slice(0, MOST_SHOWN).map(({ line, step, site, why }) => {
      const of = step === null ? "" : `step ${step}${site === null ? "" : ` of ${site}`}: `;
      return entry(`${counts === "line" ? "Line" : "Event"} ${line}`, `${of}${why}.`);
    }),
    ...(document.contradictions.length > MOST_SHOWN
      ? [entry("", `and ${document.contradictions.length - MOST_SHOWN} more`)]
      : []),
    entry("Gaps", `${gaps.judged} between writes judged, ${gaps.notCovered} not covered`),
    ...(before > 0 ? [entry("Before", `${count(before, "write")} of changes that had begun before the log`)] : []),
    ...(document.notCovered.length > 0
      ? [
          entry(
            "Not covered",
            some(
              document.notCovered.map(
                ({ from, to, why }) => `${counts === "line" ? "lines" : "events"} ${from} to ${to}, ${why}`,
              ),
            ),
            14,
          ),
        ]
      : []),
    ...(document.foreign.length > 0
      ? [
          entry(
            "Outside",
            some(document.foreign.map(({ line, address }) => `${counts} ${line} writes ${address} outside of calls`)),
          ),
        ]
      : []),
    ...(answer === "conforms" && document.more.length > 0
      ? [
          entry(
            "More",
            `synchronisations that the program does not ask for: ${counts}s ${some(document.more.map(String))}`,
          ),
        ]
      : []),
    ...(document.silent.length > 0 ? [entry("Silent", `steps that no log shows: ${document.silent.join(", ")}`)] : []),
    ...(answer === "conforms"
      ? [entry("Means", "the patcher did its part; what CPUs fetched no log shows, so this is no verdict of safe")]
      : []),
  ].join("\n")}\n`;
};
