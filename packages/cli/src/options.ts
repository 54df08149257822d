import { type Decoder, InputError, MOST_CPUS, MOST_FLIPS } from "@cmodx/core";
import { Option } from "commander";
import type { StrategyOptions } from "./request.js";

/*
 * The options that several commands take, and how their values are read. Each reader throws an InputError with one sentence.
 */

const fail = (flag: string, expected: string, found: string): never => {
  throw new InputError(`${flag} takes ${expected}, not ${found === "" ? "nothing" : found}.`, {
    place: flag,
    code: "usage",
  });
};

/** A whole number from `min` to `max`. */
export const whole =
  (flag: string, min: number, max = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    const range =
      max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min} on` : `a whole number from ${min} to ${max}`;
    return value >= min && value <= max ? value : fail(flag, range, text);
  };

/** A number above 0. */
const positive =
  (flag: string) =>
  (text: string): number => {
    const value = /^(\d+(\.\d+)?|\.\d+)$/.test(text) ? Number(text) : 0;
    return value > 0 ? value : fail(flag, "a number above 0", text);
  };

/** A list of words, none of them empty; the option may be repeated. */
export const words =
  (flag: string) =>
  (text: string, before: readonly string[] = []): readonly string[] => {
    const found = text.split(",").map((word) => word.trim());
    return found.includes("")
      ? fail(flag, "names with commas between them", JSON.stringify(text))
      : [...before, ...found];
  };

const flips = (text: string): number | "forever" => {
  if (text === "forever") return text;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= MOST_FLIPS
    ? value
    : fail("--flips", `a whole number from 1 to ${MOST_FLIPS}, or forever`, text);
};

const address = (text: string): bigint =>
  /^(0x[0-9a-f]{1,16}|\d{1,19})$/i.test(text)
    ? BigInt(text)
    : fail("--at", "an address such as 0xffffffff81000000", text);

const bytes =
  (flag: string) =>
  (text: string): readonly number[] => {
    const digits = text.replace(/[\s,]|0x/g, "");
    if (!/^([0-9a-f]{2})+$/i.test(digits))
      fail(flag, "bytes in hexadecimal, two digits each, such as 0f1f440000", text);
    return Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
  };

const width = (text: string): 1 | 2 | 4 | 8 => {
  const found = ([1, 2, 4, 8] as const).find((each) => String(each) === text);
  return found ?? fail("--width", "1, 2, 4 or 8", text);
};

/** `NAME` or `NAME=VALUE`, as many as there are. */
const strategyOption = (text: string, before: StrategyOptions = {}): StrategyOptions => {
  const [, name = "", value] = /^([A-Za-z]\w*)(?:=(.*))?$/s.exec(text) ?? fail("--option", "NAME or NAME=VALUE", text);
  const read = (given: string): string | number | boolean => {
    if (given === "true" || given === "false") return given === "true";
    return /^-?\d{1,15}$/.test(given) ? Number(given) : given;
  };
  if (Object.hasOwn(before, name)) fail("--option", "each option once", text);
  return { ...before, [name]: value === undefined ? true : read(value) };
};

const memory = (text: string): "sequential" | "architectural" =>
  text === "sequential" || text === "architectural" ? text : fail("--memory", "sequential or architectural", text);

const decoder = (text: string): Decoder =>
  text === "instants" || text === "packets" ? text : fail("--decoder", "instants or packets", text);

const nestedIret = (text: string): "guarded" | "unguarded" =>
  text === "guarded" || text === "unguarded" ? text : fail("--nested-iret", "guarded or unguarded", text);

/** An option that is given once. */
export const option = (
  flags: string,
  description: string,
  parse: (text: string) => unknown = (text) => text,
): Option => {
  const made = new Option(flags, description);
  // Of two values the first would be overlooked.
  return flags.includes("<")
    ? made.argParser((text: string, before: unknown) => {
        if (before !== undefined) throw new InputError(`${made.long} is given twice.`, { code: "usage" });
        return parse(text);
      })
    : made;
};

/** An option that may be given several times; `parse` adds to what was given before. */
const several = (flags: string, description: string, parse: (text: string, before: never) => unknown): Option =>
  new Option(flags, description).argParser(parse as (text: string, before: unknown) => unknown);

/** Options by name; commands pick theirs. */
export const options = {
  arch: option("--arch <id>", "architecture; by default the strategy's only one, else x86"),
  strategy: option("--strategy <id>", "way of patching, see `cmodx list`"),
  site: option(
    "--site <old:new>",
    "code of the site, each insn[+insn…], e.g. nop5:call; by default the strategy's own",
  ),
  offset: option("--offset <n>", "the site's byte offset in a 64-byte line (default 0)", whole("--offset", 0, 63)),
  from: option("--from <file[:symbol|#n]>", "take the site from a real binary, by default its first"),
  all: option("--all", "check every site of the binary: one of each shape, and how many there are"),
  oldBytes: option("--old-bytes <hex>", "old code of the site as bytes", bytes("--old-bytes")),
  newBytes: option("--new-bytes <hex>", "new code of the site as bytes", bytes("--new-bytes")),
  at: option("--at <address>", "where the bytes lie", address),
  scenario: option("--scenario <file>", "check what this module exports, see docs/scenarios.md"),
  cpus: (fallback: number) =>
    option("--cpus <n>", `all CPUs, the patcher's included (default ${fallback})`, whole("--cpus", 1, MOST_CPUS)),
  cpusOrAny: (fallback: number) =>
    option(
      "--cpus <n|any>",
      `all CPUs, the patcher's included (default ${fallback}), or any: every number of them`,
      (text: string) => (text === "any" ? text : whole("--cpus", 1, MOST_CPUS)(text)),
    ),
  flips: option(
    "--flips <n>",
    "patch calls, there and back, or forever (default 2; 1 where there is no way back)",
    flips,
  ),
  fetch: option(
    "--fetch <models>",
    "how CPUs fetch instructions: a fetch model, several (A,B), or all (default: the weakest)",
  ),
  memory: option("--memory <fidelity>", "data memory: sequential (default) or architectural", memory),
  decoder: option(
    "--decoder <clock>",
    "what the decoder of `trace` knows of time: instants (default), or packets, as perf does",
    decoder,
  ),
  irq: option("--irq", "interrupts on every CPU, whose handlers call the patched code"),
  nmi: option("--nmi", "the same with NMIs"),
  nestedIret: option(
    "--nested-iret <how>",
    "x86: what an NMI does after an IRET inside the handler of another: guarded (default) or unguarded",
    nestedIret,
  ),
  preempt: option("--preempt", "tasks can be preempted anywhere and go on on any CPU"),
  user: option("--user", "the code runs in user mode (default where the strategy is for user space)"),
  noUser: option("--no-user", "the code runs in the kernel"),
  drop: several("--drop <ids>", "leave out these steps of the program", words("--drop")),
  add: several(
    "--add <kind@step>",
    "add a synchronisation after a step, e.g. sync@write-int3 or rcu-tasks@start",
    words("--add"),
  ),
  outcomes: option("--outcomes", "list every instruction that each CPU can execute at the site"),
  noRepair: option("--no-repair", "do not look for the one added synchronisation that would repair it"),
  property: several("--property <ids>", "only these properties count, promised or not", words("--property")),
  ignore: several("--ignore <ids>", "these properties do not count", words("--ignore")),
  pairs: option("--pairs", "instead: each instruction changed into each, and what that needs (armv7)"),
  width: option("--width <bytes>", "plain-store: 1, 2, 4 or 8 bytes in each access", width),
  option: several("--option <name[=value]>", "an option of the strategy, e.g. events of int3", strategyOption),
  how: option("--how", "print the commands that make such a log"),
  seed: option("--seed <n>", "which run (default 0)", whole("--seed", 0, 2 ** 32 - 1)),
  calls: option("--flips <n>", "patch calls, there and back (default 2)", whole("--flips", 1, 1_000_000)),
  perf: option("--perf <dir>", "write a directory for `perf script -i`"),
  traceDat: option("--trace-dat <file>", "write a file for `trace-cmd report -i` and KernelShark"),
  ctf: option("--ctf <dir>", "write a directory for `babeltrace2`"),
  chrome: option("--chrome <file>", "write a file for ui.perfetto.dev"),
  maxStates: option("--max-states <n>", "stop after this many states", whole("--max-states", 1)),
  maxMemory: option(
    "--max-memory <mb>",
    "stop when the process needs more megabytes; by default half of the memory",
    positive("--max-memory"),
  ),
  timeout: option("--timeout <s>", "stop after this many seconds, whatever the command is at", positive("--timeout")),
  save: option("--save <file>", "write the counterexample to a file that `cmodx replay` reads"),
  plugin: several(
    "--plugin <module>",
    "load further strategies or architectures: a path or a package",
    words("--plugin"),
  ),
  allowPlugins: option(
    "--allow-plugins",
    "run the code that the file names, and cmodx.config.mjs beside it; see SECURITY.md",
  ),
  sites: option("--sites", "list the sites, one a line: number, kind, place, hazards, old and new code, key"),
  csv: option("--csv", "list the sites as comma-separated values"),
  kind: several("--kind <kinds>", "only sites of these kinds", words("--kind")),
  hazard: several("--hazard <hazards>", "only sites with one of these hazards", words("--hazard")),
  key: option("--key <name>", "only sites of this key; * stands for any characters"),
  symbol: option(
    "--symbol <name>",
    "only sites in this function, or at this symbol+0xoff; * stands for any characters",
  ),
  json: option("--json", "print one JSON document"),
} as const;

/**
 * The options by which the model of a run is asked for, in the order in which the help lists them. `flips`: how long its patcher goes on;
 * `cpus`: how many there may be.
 */
export const modelOptions = (cpus: Option, flips: Option): readonly Option[] => [
  options.arch,
  options.strategy,
  options.option,
  options.site,
  options.offset,
  options.from,
  options.oldBytes,
  options.newBytes,
  options.at,
  options.scenario,
  cpus,
  flips,
  options.fetch,
  options.memory,
  options.decoder,
  options.irq,
  options.nmi,
  options.nestedIret,
  options.preempt,
  options.user,
  options.noUser,
  options.drop,
  options.add,
  options.property,
  options.ignore,
  options.width,
];
