import { access, constants, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { InputError } from "@cmodx/core";
import { messageOf } from "./errors.js";
import { isPath } from "./modules.js";
import { isScenario, type Request } from "./request.js";

/** Refuses a file that cannot be written, before anything is computed for it. */
export const assertWritable = async (file: string, folder: string): Promise<void> => {
  const path = resolve(folder, file);
  const fail = (why: string, cause?: unknown): never => {
    throw new InputError(`${file} cannot be written: ${why}.`, { file, place: "--save", cause });
  };
  const there = await stat(path).catch(() => undefined);
  if (there !== undefined && !there.isFile()) fail("it is a directory or a device");
  await access(dirname(path), constants.W_OK | constants.X_OK).catch((error) =>
    fail(`${dirname(file)} is no directory that can be written to`, error),
  );
};

/** Writes a file whole or not at all. */
export const writeWhole = async (file: string, folder: string, text: string): Promise<void> => {
  const path = resolve(folder, file);
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, text, { flag: "wx" });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new InputError(`${file} cannot be written: ${messageOf(error)}.`, { file, place: "--save", cause: error });
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
