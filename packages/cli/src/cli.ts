import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { addAblate } from "./commands/ablate.js";
import { addCheck } from "./commands/check.js";
import { addGallery } from "./commands/gallery.js";
import { addList } from "./commands/list.js";
import { addLitmus } from "./commands/litmus.js";
import { addMatrix } from "./commands/matrix.js";
import { addReplay } from "./commands/replay.js";
import { addScan } from "./commands/scan.js";
import { addShow } from "./commands/show.js";
import { report } from "./errors.js";
import { type Exit, exit, type Io } from "./io.js";
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
export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  let code: Exit = exit.complete;
  const leave = (left: Exit): void => {
    code = left;
  };
  try {
    await parser(io, leave).parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exit.complete;
    // Commander prints the help to standard error itself when no command is given.
    if (error instanceof CommanderError && error.code === "commander.help") return exit.input;
    return report(error, io, argv.includes("--json"));
  }
};

const parser = (io: Io, leave: (code: Exit) => void): Command => {
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
  for (const add of [addList, addShow, addCheck, addMatrix, addAblate, addScan, addReplay, addGallery, addLitmus])
    add(program, io, leave);
  return program;
};
