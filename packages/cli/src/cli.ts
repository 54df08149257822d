import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "@cmodx/core";
import { Command, CommanderError } from "commander";
import { CONFIG } from "./catalogue.js";
import { addAblate } from "./commands/ablate.js";
import { addCheck } from "./commands/check.js";
import { addConform } from "./commands/conform.js";
import { addCost } from "./commands/cost.js";
import { addGallery } from "./commands/gallery.js";
import { addList } from "./commands/list.js";
import { addLitmus } from "./commands/litmus.js";
import { addMatrix } from "./commands/matrix.js";
import { addPatch } from "./commands/patch.js";
import { addRecord } from "./commands/record.js";
import { addReplay } from "./commands/replay.js";
import { addScan } from "./commands/scan.js";
import { addShow } from "./commands/show.js";
import { addThread } from "./commands/thread.js";
import { messageOf, report, unwritten } from "./errors.js";
import { type Exit, exit, guarded, type Io, type Leave } from "./io.js";
import { prose, WIDTH } from "./text.js";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

const HELP = `
Every command takes --json and then prints one document on standard output.
Exit codes: 0 safe or complete, 1 unsafe, 2 wrong usage or input, 3 inconclusive, interrupted or vacuous.

  $ cmodx list
  $ cmodx check --strategy int3 --nmi
  $ cmodx matrix --arch x86`;

/**
 * Runs one command line and gives its exit code. Nothing is thrown: whatever goes wrong is reported.
 *
 * `argv`: the arguments, without those of Node.
 */
export const run = async (argv: readonly string[], outside: Io): Promise<number> => {
  const io = guarded(outside);
  const { code, word } = await answer(argv, io);
  const failed = await io.written();
  if (failed === undefined) return code;
  // What was found out is not lost with what was to be said of it.
  io.err(`cmodx: ${unwritten("standard output", word, messageOf(failed))}\n`);
  return code === exit.unsafe ? exit.unsafe : exit.input;
};

/** What the exit codes stand for, where a command has no word of its own. */
const WORDS: { readonly [code in Exit]: string } = { 0: "complete", 1: "unsafe", 2: "an error", 3: "inconclusive" };

const answer = async (argv: readonly string[], io: Io): Promise<{ readonly code: number; readonly word: string }> => {
  let left: { readonly code: Exit; readonly word: string } = { code: exit.complete, word: WORDS[exit.complete] };
  const leave: Leave = (code, word = WORDS[code]) => {
    left = { code, word };
  };
  try {
    if (argv.includes("--user") && argv.includes("--no-user"))
      throw new InputError("--user and --no-user contradict each other.", { code: "usage" });
    await parser(io, leave).parseAsync(argv, { from: "user" });
    return left;
  } catch (error) {
    const failed = { code: exit.input, word: WORDS[exit.input] };
    if (error instanceof CommanderError && error.exitCode === 0) return { code: exit.complete, word: "complete" };
    // Commander prints the help to standard error itself when no command is given.
    if (error instanceof CommanderError && error.code === "commander.help") return failed;
    return { ...failed, code: report(error, io, argv.includes("--json"), runsForeign(argv, io)) };
  }
};

/** Whether a command line runs code of others: what it throws is about the input. */
const runsForeign = (argv: readonly string[], io: Io): boolean =>
  argv.some((word) => /^--(plugin|scenario|allow-plugins)(=|$)/.test(word)) || existsSync(join(io.cwd, CONFIG));

const parser = (io: Io, leave: Leave): Command => {
  const program = new Command("cmodx")
    .description(
      "Tells whether a way of changing running machine code is safe, and shows the interleaving that breaks it.",
    )
    .version(version)
    .exitOverride()
    .configureHelp({ helpWidth: WIDTH, showGlobalOptions: false })
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: (text) => io.err(text),
      // Errors are reported in one form, by whoever catches them.
      outputError: () => {},
      getOutHasColors: () => io.color,
      getErrHasColors: () => false,
    })
    .addHelpText("after", `\n${prose(HELP)}\n`);
  for (const add of [
    addList,
    addShow,
    addCheck,
    addMatrix,
    addAblate,
    addScan,
    addPatch,
    addCost,
    addRecord,
    addConform,
    addReplay,
    addGallery,
    addThread,
    addLitmus,
  ])
    add(program, io, leave);
  return program;
};
