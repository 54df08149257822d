import * as v from "valibot";
import type { Data } from "../base/data.js";
import { InputError, type InputErrorCode } from "../base/errors.js";
import { MOST_NESTED } from "../base/maxima.js";
import { didYouMean } from "../base/nearest.js";

/*
 * Schemas of what comes from outside. Each is checked against the TypeScript type that it is the schema of: a field that is in one
 * and not in the other does not compile. What goes wrong is said as the end of a sentence that begins with the path of the field.
 */

declare const EXACT: unique symbol;

/** A schema of the values of `T`: neither of more nor of fewer, as far as the type says. */
export type Schema<T> = v.GenericSchema<T> & {
  /** In no value: it makes the compiler take schemas of other types for others. */
  readonly [EXACT]?: (value: T) => T;
};

/** A field that may be absent. */
export type Optional<T> = { readonly optional: Schema<T> };

/** One schema for each field of an object type, by the field's name. */
export type Fields<T> = {
  readonly [K in keyof T]-?: object extends Pick<T, K> ? Optional<Exclude<T[K], undefined>> : Schema<T[K]>;
};

/** Marks a field of {@link object} that may be absent. */
export const optional = <S extends v.GenericSchema>(of: S): { readonly optional: S } => ({ optional: of });

/** Whether an object has fields of its own alone: a literal, of whatever realm, or one without a prototype. */
const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
};

/** An object that is no plain one, by the name of its class. */
const kindOf = (value: object): string => {
  const made: unknown = value.constructor;
  return typeof made === "function" && made !== Object && /^\w+$/.test(made.name)
    ? `an object of the class ${made.name}`
    : "an object that inherits its fields";
};

/**
 * A field that is there and that no copy of the object would have, since it is inherited or hidden, or that no name names. Functions are
 * called where they are.
 */
const hiddenIn = (input: object, names: readonly string[]): string | undefined => {
  const hidden = names.find(
    (name) =>
      name in input &&
      !Object.prototype.propertyIsEnumerable.call(input, name) &&
      typeof (input as Record<string, unknown>)[name] !== "function",
  );
  return hidden === undefined ? symbolIn(input) : `${hidden} inherited or hidden`;
};

/** A field that a symbol names, which nobody looks for. */
const symbolIn = (input: object): string | undefined => {
  const [symbol] = Object.getOwnPropertySymbols(input);
  return symbol === undefined ? undefined : `a field that is named by ${String(symbol)}`;
};

/** How a value is named in a sentence. */
const shown = (value: unknown): string => {
  switch (typeof value) {
    case "string":
      return value.length > 40 ? `${JSON.stringify(value.slice(0, 40))}…` : JSON.stringify(value);
    case "bigint":
      return `the bigint ${value}n`;
    case "function":
      return "a function";
    case "object":
      return value === null ? "null" : Array.isArray(value) ? "a list" : isPlain(value) ? "an object" : kindOf(value);
    case "undefined":
      return "undefined";
    default:
      return String(value);
  }
};

const has = (what: string, input: unknown): string => {
  const call = typeof input === "function" ? `: call it, as in ${input.name || "f"}()` : "";
  return `has to be ${what}, not ${shown(input)}${call}.`;
};

/** Schemas of fields by their names. */
type Entries = { readonly [name: string]: v.GenericSchema | { readonly optional: v.GenericSchema } };

/** An object with these fields and no others, of no TypeScript type of its own; `what` names it, as in `a site`. */
export const fields = (what: string, of: Entries): v.GenericSchema<object> => {
  const entries: { [name: string]: v.GenericSchema } = {};
  for (const [name, field] of Object.entries(of))
    entries[name] = "optional" in field ? v.optional(field.optional) : field;
  const names = Object.keys(entries);
  const strict = v.strictObject(entries, ({ expected, input, path }) => {
    if (expected === "never") return `is no field of ${what}${didYouMean(String(path?.[0]?.key), names)}`;
    if (expected === "Object") return has(what, input);
    const others = Object.keys(path?.[0]?.input as object).filter((name) => !names.includes(name));
    return `is missing from ${what}${others.length === 0 ? "" : `, which has no ${others.join(", ")}`}.`;
  });
  const noList = v.custom<never>(
    () => false,
    ({ input }) => has(what, input),
  );
  const notHidden = v.custom<never>(
    () => false,
    ({ input }) => `has ${hiddenIn(input as object, names)}, where it would be overlooked.`,
  );
  const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
  // A list is an object too, one without any of the fields that may be absent; so are a Map and its like.
  const run: v.GenericSchema<object>["~run"] = (dataset, config) => {
    const { value } = dataset;
    const hides = isObject(value) && !Array.isArray(value) && hiddenIn(value, names) !== undefined;
    return (Array.isArray(value) ? noList : hides ? notHidden : strict)["~run"](dataset, config);
  };
  return { ...strict, "~run": run };
};

/** An object with the fields of `T` and no others; `what` names it, as in `a site`. */
export const object = <T extends object>(what: string, of: Fields<NoInfer<T>>): Schema<T> =>
  fields(what, of as Entries) as v.GenericSchema as Schema<T>;

/** A list of values. */
export const list = <T>(what: string, of: Schema<T>): Schema<readonly T[]> =>
  v.array(of, ({ input }) => has(`a list of ${what}`, input)) as v.GenericSchema as Schema<readonly T[]>;

/** A list of one value at the least; `what` names it, as in `one site`. */
export const some = <T>(what: string, of: Schema<T>): Schema<readonly T[]> =>
  v.pipe(
    v.array(of, ({ input }) => has(`a list with ${what} at the least`, input)),
    v.minLength(1, `has to be a list with ${what} at the least, not an empty one.`),
  ) as v.GenericSchema as Schema<readonly T[]>;

/** Names that every object has: no list of names may hold them. */
const RESERVED = ["__proto__", "constructor", "prototype"];

/** Values by names of the caller's choice. */
export const record = <T>(what: string, of: Schema<T>): Schema<{ readonly [name: string]: T }> =>
  v.pipe(
    // Before the record, which would leave them out.
    v.custom(
      (input) => !isOther(input) && reservedIn(input) === undefined,
      ({ input }) =>
        isOther(input)
          ? has(`an object of ${what} by name`, input)
          : `has ${reservedIn(input)}, a name that cannot be used here.`,
    ),
    v.record(v.string(), of, ({ input }) => has(`an object of ${what} by name`, input)),
  ) as v.GenericSchema as Schema<{ readonly [name: string]: T }>;

/** A list, a Map and their like are objects, without a name that anybody gave. */
const isOther = (input: unknown): boolean =>
  typeof input === "object" && input !== null && (Array.isArray(input) || !isPlain(input));

const reservedIn = (input: unknown): string | undefined => {
  if (typeof input !== "object" || input === null) return undefined;
  return RESERVED.find((name) => Object.hasOwn(input, name)) ?? symbolIn(input);
};

/** One of these names; the object has them all as keys, which the compiler checks. */
export const oneOf = <T extends string>(names: { readonly [name in T]: true }): Schema<T> => {
  const known = Object.keys(names) as T[];
  return v.picklist(
    known,
    ({ input }) => `cannot be ${shown(input)}${didYouMean(String(input), known)}`,
  ) as v.GenericSchema as Schema<T>;
};

/** One of these numbers. */
export const oneOfNumbers = <T extends number>(numbers: { readonly [value in T]: true }): Schema<T> => {
  const known = Object.keys(numbers).map(Number) as T[];
  return v.picklist(known, ({ input }) => has(`one of ${known.join(", ")}`, input)) as v.GenericSchema as Schema<T>;
};

/** This one value. */
export const only = <const T extends string | boolean>(value: T): Schema<T> =>
  v.literal(value as string, ({ input }) => has(JSON.stringify(value), input)) as v.GenericSchema as Schema<T>;

/** Null. */
export const nothing: Schema<null> = v.null(({ input }) => has("null", input));

/** A value of one schema or another; `what` names both. */
export const either = <A, B>(what: string, a: Schema<A>, b: Schema<B>): Schema<A | B> =>
  v.union([a, b], ({ input }) => has(what, input)) as v.GenericSchema as Schema<A | B>;

/** Text. */
export const text: Schema<string> = v.string(({ input }) => has("text", input));
/** Text with something in it: a name, or a reason that is told. */
export const words: Schema<string> = v.pipe(
  text,
  v.regex(/\S/, "has to be text with something in it, not an empty one."),
);
/** Text of which only a later check knows the values. */
export const name = <T extends string>(): Schema<T> => text as v.GenericSchema as Schema<T>;
/** True or false. */
export const flag: Schema<boolean> = v.boolean(({ input }) => has("true or false", input));
/** Any number. */
export const number: Schema<number> = v.number(({ input }) => has("a number", input));

/** A whole number from `min` to `max`; `what` names it. */
export const whole = (min: number, max = Number.MAX_SAFE_INTEGER, what = "a whole number"): Schema<number> => {
  const range = max === Number.MAX_SAFE_INTEGER ? `${what} from ${min} on` : `${what} from ${min} to ${max}`;
  const wrong = ({ input }: { readonly input: unknown }): string => has(range, input);
  return v.pipe(v.number(wrong), v.integer(wrong), v.minValue(min, wrong), v.maxValue(max, wrong));
};

/** A number from `min` on; infinity is one. */
export const atLeast = (min: number): Schema<number> => {
  const wrong = ({ input }: { readonly input: unknown }): string => has(`a number from ${min} on`, input);
  return v.pipe(v.number(wrong), v.minValue(min, wrong));
};

const LAST = (1n << 64n) - 1n;

const big = (what: string, least: bigint, range: string): Schema<bigint> => {
  const wrong = ({ input }: { readonly input: unknown }): string =>
    typeof input === "number" && Number.isSafeInteger(input) && input >= 0
      ? `has to be ${what}, not the number ${input}: write 0x${input.toString(16)}n.`
      : typeof input === "bigint"
        ? `has to be ${what} ${range}, not ${input}n.`
        : has(what, input);
  return v.pipe(v.bigint(wrong), v.minValue(least, wrong), v.maxValue(LAST, wrong));
};

const unsigned = (what: string): Schema<bigint> => big(what, 0n, "from 0 to 2^64 - 1");

/** An address: 64 bits. */
export const address: Schema<bigint> = unsigned("an address as a bigint, such as 0xffffffff81000000n");
/** A distance in bytes, in either direction: 64 bits. */
export const distance: Schema<bigint> = big("a distance as a bigint, such as -0x10n", -LAST, "of 64 bits");
/** The value of a register: 64 bits. */
export const word64: Schema<bigint> = unsigned("a bigint, such as 0x10n");

/** Bytes in address order. */
export const bytes: Schema<readonly number[]> = v.array(whole(0, 255, "a byte"), ({ input }) =>
  has("a list of bytes, such as [0x0f, 0x0b]", input),
) as v.GenericSchema as Schema<readonly number[]>;

/** A schema that stands for one of any type. */
export type Unasked = v.GenericSchema<never>;

/** Bytes in address order, one at the least, as hexadecimal text, two digits each. */
export const hexBytes: Schema<string> = v.pipe(
  v.string(({ input }) => has("bytes as hexadecimal text, two digits each", input)),
  v.regex(/^(?:[0-9a-f]{2})*$/, ({ input }) => has("bytes as hexadecimal text, two lower-case digits each", input)),
  v.minLength(2, "has to be one byte at the least, as hexadecimal text, not none."),
);

/** A function; its parameters and result are its own matter. */
export const callable = (what: string): Unasked =>
  v.custom<never>(
    (input) => typeof input === "function",
    ({ input }) => has(what, input),
  );

/** A value of which nothing is asked. */
export const anything: Unasked = v.custom<never>(() => true);

/** A value that fits `of` and of which `why` finds nothing to say: the end of a sentence about it. */
export const where = <T>(of: Schema<T>, why: (value: T) => string | undefined): Schema<T> =>
  v.pipe(
    of,
    v.rawCheck(({ dataset, addIssue }) => {
      const message = dataset.typed ? why(dataset.value as T) : undefined;
      if (message !== undefined) addIssue({ message });
    }),
  ) as v.GenericSchema as Schema<T>;

/** What is not plain data in a value: where, and what it is there. */
const strangeIn = (value: unknown, place: string, depth: number): string | undefined => {
  if (depth > MOST_NESTED) return `is nested more than ${MOST_NESTED} deep.`;
  if (typeof value === "function" || typeof value === "symbol" || Number.isNaN(value))
    return `has to be plain data${place}, not ${shown(value)}.`;
  if (typeof value !== "object" || value === null) return undefined;
  if (!Array.isArray(value) && !isPlain(value)) return `has to be plain data${place}, not ${shown(value)}.`;
  const symbol = symbolIn(value);
  if (symbol !== undefined) return `has to be plain data${place}, without ${symbol}.`;
  for (const [key, each] of Object.entries(value)) {
    const strange = strangeIn(each, ` at ${key}`, depth + 1);
    if (strange !== undefined) return strange;
  }
  return undefined;
};

/** Plain data ({@link Data}): what is compared by structure has nothing that has none. */
export const data: Schema<Data> = where<Data>(v.custom<Data>(() => true) as v.GenericSchema as Schema<Data>, (value) =>
  strangeIn(value, "", 0),
);

/** A value whose schema is chosen when the value is there: where one of several forms is told by a field, and where types recur. */
export const lazy = <T>(choose: (value: unknown) => v.GenericSchema<T>): Schema<T> =>
  v.lazy(choose) as v.GenericSchema as Schema<T>;

/** The path of a field as code writes it. */
const pathOf = (root: string, issue: v.BaseIssue<unknown>): string =>
  (issue.path ?? []).reduce((path, { key }) => {
    if (typeof key === "number") return `${path}[${key}]`;
    const name = String(key);
    return /^[a-z_$][\w$]*$/i.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`;
  }, root);

const codeOf = ({ type, kind, expected, input, message }: v.BaseIssue<unknown>): InputErrorCode => {
  if (type === "strict_object" && expected === "never") return "unknown-field";
  if (type === "strict_object" && expected !== "Object") return "missing-field";
  if (type === "picklist" ? typeof input === "string" : message.startsWith("cannot be ")) return "unknown-name";
  return kind === "validation" && type !== "raw_check" ? "out-of-range" : "wrong-type";
};

/** Of a value that fits none of several schemas, what is wrong by the one that it comes nearest to. */
const nearestIssue = (issue: v.BaseIssue<unknown>): v.BaseIssue<unknown> => {
  // What is wrong deeper inside fitted further out.
  const inner = (issue.type === "union" ? (issue.issues ?? []) : []).find(({ path }) => path !== undefined);
  return inner === undefined
    ? issue
    : nearestIssue({ ...inner, path: [...(issue.path ?? []), ...(inner.path ?? [])] } as v.BaseIssue<unknown>);
};

/**
 * Throws {@link InputError} with one sentence about the first thing that is wrong with a value, unless it fits.
 *
 * `root`: what the value is called; the paths of its fields begin with it. `from`: where it comes from, in words, or as a file.
 */
export function assertFits<T>(
  schema: Schema<T>,
  value: unknown,
  root: string,
  from: { readonly words?: string; readonly file?: string } = {},
): asserts value is T {
  const { success, issues } = v.safeParse(schema, value, { abortEarly: true });
  if (success) return;
  const issue = nearestIssue(issues[0] as v.BaseIssue<unknown>);
  const place = pathOf(root, issue);
  const source = from.words ?? from.file;
  throw new InputError(`${source === undefined ? "" : `${source}: `}${place} ${issue.message}`, {
    place,
    code: codeOf(issue),
    ...(from.file === undefined ? {} : { file: from.file }),
  });
}

/**
 * A function of options of a form, such as one that makes a strategy or an architecture: it throws {@link InputError} for an option that
 * there is not. `name`: what it is called.
 */
export const withOptions = <O extends object, R>(
  name: string,
  of: Fields<NoInfer<O>>,
  make: (options: O) => R,
): ((options?: O) => R) => {
  const schema: Schema<O> = object<O>(`options of ${name}`, of);
  const made = (options?: O): R => {
    const given: unknown = options === undefined ? {} : options;
    assertFits(schema, given, "options", { words: name });
    return make(given);
  };
  // What is not called is told by its name.
  return Object.defineProperty(made, "name", { value: name });
};

/** A function that takes no options: it throws {@link InputError} for any, which would silently make no difference. */
export const withoutOptions = <R>(name: string, make: () => R): (() => R) => withOptions<object, R>(name, {}, make);
