import type { Data } from "./data.js";

const known = new WeakMap<object, string>();

/** The key of a value that holds no others: it tells the type as well. */
const leafKey = (value: Exclude<Data, object> | null): string => {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "bigint":
      return `${value}i`;
    case "undefined":
      return "u";
    default:
      return value === null ? "n" : String(value);
  }
};

/**
 * A string that is the same for two values if and only if they have the same structure; the order of an object's keys does not
 * matter. Keys of objects and arrays are remembered, since states share most of their structure.
 */
export const keyOf = (value: Data): string => {
  if (typeof value !== "object" || value === null) return leafKey(value);
  const found = known.get(value);
  if (found !== undefined) return found;
  const key = Array.isArray(value) ? keyOfArray(value) : keyOfObject(value as { readonly [key: string]: Data });
  known.set(value, key);
  return key;
};

const keyOfArray = (array: readonly Data[]): string => {
  let key = "[";
  for (const element of array) key += `${keyOf(element)},`;
  return `${key}]`;
};

const keyOfObject = (object: { readonly [key: string]: Data }): string => {
  let key = "{";
  for (const name of Object.keys(object).sort()) {
    const value = object[name];
    if (value !== undefined) key += `${JSON.stringify(name)}:${keyOf(value)},`;
  }
  return `${key}}`;
};

/** Compares two values by structure. */
export const same = (a: Data, b: Data): boolean => a === b || keyOf(a) === keyOf(b);

/** The sorted set of these values. */
export const valueSet = (values: Iterable<string>): readonly string[] => [...new Set(values)].sort();
