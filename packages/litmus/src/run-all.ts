import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { inThreads } from "@cmodx/core/threads";
import { type LitmusOptions, type LitmusResult, litmusFetchModels, runLitmus } from "./run.js";

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
  /** Ids of fetch models, or `all`: each test is run under each of them, whatever its file says. By default, as its file says. */
  readonly fetch?: readonly string[];
  /** The most states of the machine that are explored of a test; see {@link LitmusOptions}. */
  readonly states?: number;
  readonly signal?: AbortSignal;
  /** Told after each file. */
  readonly onAnswer?: (done: number) => void;
};

const WORKER = new URL("./worker.js", import.meta.url);
/** To start a thread takes as long as this many tests. */
const FEW = 32;

/**
 * Runs litmus files. Answers are in the order of the files, of each in the order of its fetch models. A file after an interruption has one
 * that is undefined.
 */
export const runAll = async (
  files: readonly LitmusFile[],
  { jobs = 1, fetch, states, signal, onAnswer }: RunAllOptions = {},
): Promise<readonly (LitmusAnswer | undefined)[]> => {
  const answers: (readonly LitmusAnswer[] | undefined)[] = files.map(() => undefined);
  const options = { ...(fetch === undefined ? {} : { fetch }), ...(states === undefined ? {} : { states }) };
  const tasks = files.map((file): LitmusTask => ({ file, options }));
  let done = 0;
  const answered = (i: number, found: readonly LitmusAnswer[]): void => {
    answers[i] = found;
    onAnswer?.(++done);
  };
  // One thread at the least, so that an interruption is heard while a test is explored.
  const threads = existsSync(fileURLToPath(WORKER)) ? Math.min(jobs, Math.ceil(files.length / FEW)) : 0;
  await inThreads(WORKER, tasks, { threads, signal, answered, ...(threads === 0 && { here: answersTo }) });
  return answers.flatMap((found): readonly (LitmusAnswer | undefined)[] => found ?? [undefined]);
};

/** A file and how it is run. */
export type LitmusTask = { readonly file: LitmusFile; readonly options: Pick<RunAllOptions, "fetch" | "states"> };

/** The answers to one file, one for each fetch model, or why there are none; an error that is not the file's is thrown. */
export const answersTo = ({
  file: { file, text },
  options: { fetch, ...limits },
}: LitmusTask): readonly LitmusAnswer[] => {
  try {
    const models = fetch === undefined ? [undefined] : litmusFetchModels(text, file, fetch);
    return models.map((model) => ({
      result: runLitmus(text, file, model === undefined ? limits : { ...limits, fetch: model }),
    }));
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "InputError") throw error;
    const { place } = error as Error & { readonly place?: string };
    return [{ error: { message: error.message, file, place: place ?? null } }];
  }
};
