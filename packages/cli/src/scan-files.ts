import { existsSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { inThreads } from "@cmodx/core/threads";
import { type ScanAnswer, type ScanAsked, type ScanTask, scanFile } from "./scan-file.js";

/** The most threads that are started where nobody says how many: each holds a file and what is found in it. */
const MOST = 8;

/** Files that are read at once where nobody says how many. */
export const defaultJobs = (): number => Math.min(availableParallelism(), MOST);

const WORKER = new URL("./scan-worker.js", import.meta.url);

/** To start a thread takes as long as to read a file of so many bytes. */
const WORTHWHILE = 2 ** 21;

/** How the files of a scan are read. */
export type ScanFilesOptions = {
  /** How many are read at once, from 1. Without a built package all are read in this thread. */
  readonly jobs: number;
  readonly signal: AbortSignal;
  /** Told of each file that was read, in the order in which that happens, and how many were until then. */
  readonly onRead: (file: string, done: number) => void;
  /** Told of the answers in the order of the files; what it throws ends the scan. */
  readonly onAnswer: (answer: ScanAnswer, file: number) => void;
};

/** Scans files. True where all were read, false where the signal came first; then those that were read have been told of. */
export const scanFiles = async (
  files: readonly string[],
  asked: ScanAsked,
  { jobs, signal, onRead, onAnswer }: ScanFilesOptions,
): Promise<boolean> => {
  const tasks = files.map((file): ScanTask => ({ file, asked }));
  const waiting = new Map<number, ScanAnswer>();
  let done = 0;
  let next = 0;
  const tell = (file: number): void => {
    const answer = waiting.get(file);
    waiting.delete(file);
    if (answer !== undefined) onAnswer(answer, file);
  };
  const answered = (file: number, answer: ScanAnswer): void => {
    waiting.set(file, answer);
    onRead(files[file] as string, ++done);
    while (waiting.has(next)) tell(next++);
  };
  await inThreads(WORKER, tasks, { threads: threadsFor(files, asked.folder, jobs), here: scanFile, signal, answered });
  for (const file of [...waiting.keys()].sort((a, b) => a - b)) tell(file);
  return done === files.length;
};

/** Threads beside this one. */
const threadsFor = (files: readonly string[], folder: string, jobs: number): number => {
  if (jobs === 1 || !existsSync(fileURLToPath(WORKER))) return 0;
  const size = (file: string): number => statSync(resolve(folder, file), { throwIfNoEntry: false })?.size ?? 0;
  const bytes = files.reduce((sum, file) => sum + size(file), 0);
  return Math.min(jobs - 1, files.length - 1, Math.floor(bytes / WORTHWHILE));
};
