import { InputError } from "@cmodx/core";
import { CommanderError } from "commander";
import { exit, type Io } from "./io.js";
import type { ErrorJson } from "./json.js";
import { toJson } from "./json.js";

/**
 * Whether an error is about the input. By name, since a scenario module or a plugin may come with another copy of core.
 */
export const isInputError = (error: unknown): error is InputError =>
  error instanceof Error && error.name === "InputError";

/** The message of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** That an answer, in a word, could not be written to where it was to go. */
export const unwritten = (where: string, word: string, why: string): string =>
  `The answer (${word}) cannot be written to ${where}: ${why.replace(/\.$/, "")}.`;

/** Commander's message as one sentence. */
const fromCommander = (error: CommanderError): InputError => {
  const [first = "", ...hints] = error.message.replace(/^error: /, "").split("\n");
  const sentence = `${first.charAt(0).toUpperCase()}${first.slice(1)}`.replace(/\.$/, "");
  return new InputError([`${sentence}.`, ...hints].join(" "), { place: "command line", code: "usage" });
};

/**
 * Prints why a run failed and gives its exit code: one sentence on standard error, or one document on standard output with
 * `--json`. `foreign`: code of others was run, too.
 */
export const report = (error: unknown, io: Io, json: boolean, foreign: boolean): number => {
  const input = error instanceof CommanderError ? fromCommander(error) : isInputError(error) ? error : undefined;
  if (input === undefined && io.env.DEBUG === "cmodx" && error instanceof Error) io.err(`${error.stack}\n`);
  // What a file or a module says about itself may have line breaks.
  const message =
    input?.message.replace(/\s+/g, " ") ??
    (foreign
      ? `A plugin or a module fails, or cmodx with it (${messageOf(error)}); DEBUG=cmodx shows where.`
      : `This is a bug in cmodx (${messageOf(error)}); DEBUG=cmodx shows where.`);
  if (json) {
    const document: ErrorJson = {
      schema: "cmodx/error/1",
      code: input?.code ?? null,
      message,
      file: input?.file ?? null,
      place: input?.place ?? null,
    };
    io.out(toJson(document));
  } else {
    io.err(`cmodx: ${message}\n`);
  }
  return input === undefined && !foreign ? BUG : exit.input;
};

/** The exit code of a bug in cmodx itself (EX_SOFTWARE of sysexits.h). */
const BUG = 70;
