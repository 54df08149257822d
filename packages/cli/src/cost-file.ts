import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type CostModel, costPresets, InputError, listed, withCosts } from "@cmodx/core";
import { messageOf } from "./errors.js";
import { readText } from "./files.js";

const EXPECTED = 'a JSON object such as {"base": "vm", "parameters": {"ipiDeliver": 5000}}';

const presetOf = (id: string, file?: string): CostModel => {
  const found = costPresets.find((each) => each.id === id);
  if (found !== undefined) return found;
  throw new InputError(`No cost model is called ${id}; there are ${listed(costPresets.map((each) => each.id))}.`, {
    ...(file === undefined ? {} : { file }),
    place: file === undefined ? "--cost" : "base",
    code: "unknown-name",
  });
};

/** The cost model that a name or a file stands for, by default the first. Throws {@link InputError}. */
export const costModelOf = async (name: string | undefined, folder: string): Promise<CostModel> => {
  if (name === undefined) return costPresets[0] as CostModel;
  const path = resolve(folder, name);
  if (costPresets.some(({ id }) => id === name) || !existsSync(path)) return presetOf(name);
  const fail = (why: string, place?: string): InputError =>
    new InputError(`${name} ${why}; expected ${EXPECTED}.`, {
      file: name,
      ...(place === undefined ? {} : { place }),
      code: "wrong-type",
    });
  let read: unknown;
  try {
    read = JSON.parse(await readText(path, name, EXPECTED));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw fail(`is no JSON (${messageOf(error)})`);
  }
  if (typeof read !== "object" || read === null || Array.isArray(read)) throw fail("is no object");
  const {
    base = costPresets[0]?.id,
    parameters = {},
    summary,
    ...others
  } = read as { readonly [name: string]: unknown };
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw fail(`has a field ${unknown}, which means nothing`, unknown);
  if (typeof base !== "string") throw fail("has a base that is no name", "base");
  if (typeof parameters !== "object" || parameters === null || Array.isArray(parameters))
    throw fail("has parameters that are no object", "parameters");
  const said = typeof summary === "string" ? { summary } : {};
  return withCosts(presetOf(base, name), parameters as { readonly [name: string]: number }, `the file ${name}`, {
    id: name,
    file: name,
    ...said,
  });
};
