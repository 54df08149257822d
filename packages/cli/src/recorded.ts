import { mkdir, open, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { InputError } from "@cmodx/core";
import {
  chromeTrace,
  ctf,
  type PerfRecording,
  perfRecording,
  type Recording,
  type SparseFile,
  traceDat,
} from "@cmodx/record";
import { isInputError, messageOf } from "./errors.js";
import type { Io } from "./io.js";
import type { RecordedFilesJson } from "./json.js";
import { assertWritable } from "./save.js";

/** Where a recording is to be written, by the options that say so. */
export type OutputOptions = {
  readonly perf?: string;
  readonly traceDat?: string;
  readonly ctf?: string;
  readonly chrome?: string;
};

const FLAGS = { perf: "--perf", traceDat: "--trace-dat", ctf: "--ctf", chrome: "--chrome" } as const;
type Output = keyof typeof FLAGS;
const OUTPUTS = Object.keys(FLAGS) as readonly Output[];

const targets = (asked: OutputOptions): readonly (readonly [Output, string])[] =>
  OUTPUTS.flatMap((output) => (asked[output] === undefined ? [] : [[output, asked[output]] as const]));

/** Whether a recording is to be written anywhere. */
export const isRecorded = (asked: OutputOptions): boolean => targets(asked).length > 0;

/** Refuses targets that are there already, that cannot be written, or that are the same, before anything is computed for them. */
export const assertOutputs = async (asked: OutputOptions, folder: string): Promise<void> => {
  const seen = new Map<string, Output>();
  for (const [output, path] of targets(asked)) {
    const place = FLAGS[output];
    const there = await stat(resolve(folder, path)).catch(() => undefined);
    if (there !== undefined)
      throw new InputError(`${path} is there already; ${place} writes to a new one.`, {
        file: path,
        place,
        code: "conflict",
      });
    await assertWritable(path, folder, place);
    const other = seen.get(resolve(folder, path));
    if (other !== undefined)
      throw new InputError(`${place} and ${FLAGS[other]} name the same target ${path}.`, { place, code: "conflict" });
    seen.set(resolve(folder, path), output);
  }
};

const whole = (bytes: Uint8Array): SparseFile => ({ size: bytes.length, parts: [{ at: 0, bytes }] });

/** The files of an output by their paths in it; one without a path is the output itself. */
const filesOf = (output: Output, recording: Recording, perf: PerfRecording | null): ReadonlyMap<string, SparseFile> => {
  switch (output) {
    case "perf":
      return new Map((perf ?? perfRecording(recording)).files.map((file) => [file.path, file]));
    case "ctf":
      return new Map([...ctf(recording)].map(([name, bytes]) => [name, whole(bytes)]));
    case "traceDat":
      return new Map([["", whole(traceDat(recording))]]);
    case "chrome":
      return new Map([["", whole(new TextEncoder().encode(chromeTrace(recording)))]]);
  }
};

const writeSparse = async (path: string, { size, parts }: SparseFile): Promise<void> => {
  const [first] = parts;
  if (parts.length === 1 && first?.bytes.length === size) return writeFile(path, first.bytes, { flag: "wx" });
  const file = await open(path, "wx");
  try {
    await file.truncate(size);
    for (const { at, bytes } of parts) await file.write(bytes, 0, bytes.length, at);
  } finally {
    await file.close();
  }
};

/** What was written, and the branches that each CPU took, where the architecture's are known. */
export type Written = {
  readonly files: RecordedFilesJson;
  readonly branches: PerfRecording["branches"] | null;
};

/** Makes a folder and those above it. Node's own way of that never ends where a folder takes none, such as `/proc`. */
const makeFolder = async (path: string): Promise<void> => {
  const again = await mkdir(path).catch((error: { readonly code?: string }) => {
    if (error.code === "EEXIST") return undefined;
    if (error.code !== "ENOENT" || dirname(path) === path) throw error;
    return true;
  });
  if (again !== true) return;
  await makeFolder(dirname(path));
  await mkdir(path);
};

/**
 * Writes a recording wherever it is asked for: all of it or nothing. Throws {@link InputError} where a format cannot hold it, or a file
 * cannot be written.
 */
export const writeRecording = async (
  recording: Recording,
  asked: OutputOptions,
  io: Pick<Io, "cwd" | "writing">,
): Promise<Written> => {
  const perf = perfOf(recording, asked);
  const outputs = targets(asked).map(([output, path]) => ({ output, path, files: filesOf(output, recording, perf) }));
  const made: string[] = [];
  for (const { output, path, files } of outputs) {
    const temporary = `${resolve(io.cwd, path)}.${process.pid}.tmp`;
    made.push(temporary);
    io.writing?.(temporary);
    try {
      for (const [name, file] of files) {
        const target = join(temporary, name);
        if (name !== "") await makeFolder(dirname(target));
        await writeSparse(target, file);
      }
    } catch (error) {
      for (const each of made) await rm(each, { recursive: true, force: true });
      throw new InputError(`${path} cannot be written: ${messageOf(error)}`, {
        file: path,
        place: FLAGS[output],
        cause: error,
        code: "unreadable",
      });
    }
  }
  for (const [i, { path }] of outputs.entries()) await rename(made[i] as string, resolve(io.cwd, path));
  const { perf: dir = null, traceDat: dat = null, ctf: folderOfCtf = null, chrome = null } = asked;
  return {
    files: { perf: dir, traceDat: dat, ctf: folderOfCtf, chrome },
    branches: perf?.branches ?? null,
  };
};

/** What perf is told, or null where it cannot be told and nobody asked for it. */
const perfOf = (recording: Recording, asked: OutputOptions): PerfRecording | null => {
  try {
    return perfRecording(recording);
  } catch (error) {
    if (asked.perf !== undefined || !isInputError(error)) throw error;
    return null;
  }
};

/** How each target is looked at, one line each. */
export const howToRead = ({ perf, traceDat: dat, ctf: folder, chrome }: RecordedFilesJson): readonly string[] => [
  ...(perf === null ? [] : [`perf script -i ${perf} --itrace=be -F cpu,event,ip,addr`]),
  ...(dat === null ? [] : [`trace-cmd report -i ${dat}`]),
  ...(folder === null ? [] : [`babeltrace2 ${folder}`]),
  ...(chrome === null ? [] : [`${chrome} opens in https://ui.perfetto.dev`]),
];
