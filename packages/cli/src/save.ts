import { access, constants, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { InputError } from "@cmodx/core";
import { messageOf } from "./errors.js";
import type { Io } from "./io.js";
import { isPath } from "./modules.js";
import { isScenario, type Request } from "./request.js";

/** Refuses a file that cannot be written, before anything is computed for it. */
export const assertWritable = async (file: string, folder: string, place = "--save"): Promise<void> => {
  const path = resolve(folder, file);
  const fail = (why: string, cause?: unknown): never => {
    throw new InputError(`${file} cannot be written: ${why}.`, { file, place, cause, code: "unreadable" });
  };
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory()) fail("it is a directory");
  await access(dirname(path), constants.W_OK | constants.X_OK).catch((error) =>
    fail(`${dirname(file)} is no directory that can be written to`, error),
  );
};

/** Writes a file whole or not at all; what is no file, such as a pipe or a device, is written to as it stands. Throws {@link InputError}. */
export const writeWhole = async (
  file: string,
  io: Pick<Io, "cwd" | "writing">,
  text: string,
  place = "--save",
): Promise<void> => {
  const path = resolve(io.cwd, file);
  const there = await stat(path).catch(() => undefined);
  const isFile = there === undefined || there.isFile();
  const temporary = `${path}.${process.pid}.tmp`;
  if (isFile) io.writing?.(temporary);
  try {
    await writeFile(isFile ? temporary : path, text, { flag: isFile ? "wx" : "w" });
    if (isFile) await rename(temporary, path);
  } catch (error) {
    if (isFile) await rm(temporary, { force: true });
    throw new InputError(messageOf(error), { file, place, cause: error, code: "unreadable" });
  }
};

/** The request with its paths as seen from the folder of the file that it is saved in, so that both can be moved together. */
export const relocate = (request: Request, file: string, folder: string): Request => {
  const target = dirname(resolve(folder, file));
  const move = (name: string): string => {
    const path = relative(target, resolve(folder, name)).replaceAll("\\", "/");
    return path.startsWith(".") ? path : `./${path}`;
  };
  const moved = { ...request, plugins: request.plugins.map((name) => (isPath(name) ? move(name) : name)) };
  return isScenario(moved) ? { ...moved, scenario: move(moved.scenario) } : moved;
};
