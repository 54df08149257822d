import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { inThreads } from "@cmodx/core/threads";
import { type LitmusOptions, type LitmusResult, runLitmus } from "./run.js";

/** A litmus file: its name as the user knows it, and its text. */
export type LitmusFile = { readonly file: string; readonly text: string };

/** The answer to one file: a result, or why there is none. */
export type LitmusAnswer =
  | { readonly result: LitmusResult; readonly error?: undefined }
  | { readonly result?: undefined; readonly error: LitmusError };

/** Why a file has no result: what is wrong with it and where. */
export type LitmusError = { readonly message: string; readonly file: string; readonly place: string | null };

/** How many files are run. */
export type RunAllOptions = {
  /** Threads beside this one; default 1. Without a built package all is run in this one, which then hears of nothing else. */
  readonly jobs?: number;
  /** How instructions are fetched, in place of what each file says; see {@link LitmusOptions}. */
  readonly fetch?: string;
  /** The most states of the machine that are explored of a test; see {@link LitmusOptions}. */
  readonly states?: number;
  readonly signal?: AbortSignal;
  /** Told after each file. */
  readonly onAnswer?: (done: number) => void;
};

const WORKER = new URL("./worker.js", import.meta.url);
/** To start a thread takes as long as this many tests. */
const FEW = 32;

/** Runs litmus files; answers are in the order of the files. Those after an interruption are undefined. */
export const runAll = async (
  files: readonly LitmusFile[],
  { jobs = 1, fetch, states, signal, onAnswer }: RunAllOptions = {},
): Promise<readonly (LitmusAnswer | undefined)[]> => {
  const answers: (LitmusAnswer | undefined)[] = files.map(() => undefined);
  const options = { ...(fetch === undefined ? {} : { fetch }), ...(states === undefined ? {} : { states }) };
  const tasks = files.map((file): LitmusTask => ({ file, options }));
  let done = 0;
  const answered = (i: number, answer: LitmusAnswer): void => {
    answers[i] = answer;
    onAnswer?.(++done);
  };
  // One thread at the least, so that an interruption is heard while a test is explored.
  const threads = existsSync(fileURLToPath(WORKER)) ? Math.min(jobs, Math.ceil(files.length / FEW)) : 0;
  await inThreads(WORKER, tasks, { threads, signal, answered, ...(threads === 0 && { here: answerTo }) });
  return answers;
};

/** A file and how it is run. */
export type LitmusTask = { readonly file: LitmusFile; readonly options: Pick<LitmusOptions, "fetch" | "states"> };

/** The answer to one file; an error that is not the file's is thrown. */
export const answerTo = ({ file: { file, text }, options }: LitmusTask): LitmusAnswer => {
  try {
    return { result: runLitmus(text, file, options) };
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "InputError") throw error;
    const { place } = error as Error & { readonly place?: string };
    return { error: { message: error.message, file, place: place ?? null } };
  }
};
