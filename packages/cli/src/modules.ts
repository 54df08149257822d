import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { InputError } from "@cmodx/core";
import { messageOf } from "./errors.js";

/** Whether a module's name is a path to a file, not that of a package. */
export const isPath = (name: string): boolean => name.startsWith(".") || isAbsolute(name) || /\.[cm]?js$/.test(name);

/**
 * The default export of a user's module.
 *
 * `name`: a path, or the name of a package; both as seen from `folder`.
 */
export const importDefault = async (name: string, folder: string): Promise<unknown> => {
  const url = locate(name, folder);
  let module: { readonly default?: unknown };
  try {
    module = (await import(url)) as { readonly default?: unknown };
  } catch (error) {
    throw new InputError(`${name} cannot be loaded: ${messageOf(error)}`, {
      file: name,
      cause: error,
      code: "unreadable",
    });
  }
  if (module.default === undefined) {
    throw new InputError(`${name} has no default export.`, { file: name, place: "default export", code: "unreadable" });
  }
  return module.default;
};

const locate = (name: string, folder: string): string => {
  if (isPath(name)) {
    const file = resolve(folder, name);
    if (!existsSync(file))
      throw new InputError(`${name} is not there; expected a module.`, { file: name, code: "unreadable" });
    return pathToFileURL(file).href;
  }
  try {
    return pathToFileURL(createRequire(join(folder, "cmodx.config.mjs")).resolve(name)).href;
  } catch (error) {
    throw new InputError(`The package ${name} is not installed here.`, {
      file: name,
      cause: error,
      code: "unreadable",
    });
  }
};
