import { type Code, InputError, own, type PropertyId } from "@cmodx/core";

/** The site of a request. */
export type SiteRequest = {
  readonly address: string;
  readonly old: Code;
  readonly new: Code;
  /** Decoder mode, where the architecture has several. */
  readonly mode?: string;
  /** Where it comes from: `vmlinux:schedule+0x5`. */
  readonly origin?: string;
};

/** What is asked of one strategy. */
export type StrategyRequest = {
  readonly strategy: string;
  readonly width?: 1 | 2 | 4 | 8;
  readonly site: SiteRequest;
  readonly cpus: number;
  readonly flips: number | "forever";
  /** Why there are fewer flips than by default. */
  readonly flipsWhy?: string;
  readonly irq: boolean;
  readonly nmi: boolean;
  readonly preempt: boolean;
  readonly user?: boolean;
  readonly nestedIret?: "guarded" | "unguarded";
  /** Where it does not say, what the sequential order breaks is asked of the architectural one too. */
  readonly memory?: "sequential" | "architectural";
  readonly drop: readonly string[];
  /** Synchronisations to add, each `KIND@STEP`. */
  readonly add?: readonly string[];
};

/** What is asked of a scenario module. What is given besides comes before what the module says. */
export type ScenarioRequest = {
  readonly scenario: string;
} & Partial<
  Pick<StrategyRequest, "cpus" | "irq" | "nmi" | "nestedIret" | "preempt" | "user" | "memory" | "drop" | "add">
>;

/**
 * Everything that a model is made from, as plain JSON: a saved counterexample carries it. Paths are as seen from the folder of
 * the saved file, or from the working directory while nothing is saved.
 */
export type Request = {
  readonly architecture?: string;
  readonly fetch?: string;
  readonly plugins: readonly string[];
  readonly properties?: readonly PropertyId[];
  readonly ignore?: readonly PropertyId[];
} & (StrategyRequest | ScenarioRequest);

/** Whether a request is about a scenario module. */
export const isScenario = (request: Request): request is Request & ScenarioRequest => "scenario" in request;

const isBytes = (value: unknown): boolean =>
  Array.isArray(value) && value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte < 256);

const isCode = (value: unknown): boolean => typeof value === "string" || isBytes(value);

const isStrings = (value: unknown): boolean => Array.isArray(value) && value.every((word) => typeof word === "string");

type Form = { readonly [name: string]: (value: unknown) => boolean };

const optional =
  (is: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === undefined || is(value);
const isString = (value: unknown): boolean => typeof value === "string";
const isBoolean = (value: unknown): boolean => typeof value === "boolean";

const common: Form = {
  architecture: optional(isString),
  fetch: optional(isString),
  plugins: isStrings,
  properties: optional(isStrings),
  ignore: optional(isStrings),
};
const forScenario: Form = { scenario: isString };
const forStrategy: Form = {
  strategy: isString,
  width: optional((value) => [1, 2, 4, 8].includes(value as number)),
  site: (value) => typeof value === "object" && value !== null,
  cpus: Number.isInteger,
  flips: (value) => value === "forever" || Number.isInteger(value),
  flipsWhy: optional(isString),
  irq: isBoolean,
  nmi: isBoolean,
  preempt: isBoolean,
  user: optional(isBoolean),
  nestedIret: optional((value) => value === "guarded" || value === "unguarded"),
  memory: optional((value) => value === "sequential" || value === "architectural"),
  drop: isStrings,
  add: optional(isStrings),
};
const forSite: Form = {
  address: (value) => typeof value === "string" && /^0x[0-9a-f]+$/.test(value),
  old: isCode,
  new: isCode,
  mode: optional(isString),
  origin: optional(isString),
};

/** Checks the form of a request that was read from a file. */
export const parseRequest = (value: unknown, file: string): Request => {
  const check = (object: unknown, form: Form, place: string): void => {
    if (typeof object !== "object" || object === null) {
      throw new InputError(`${file} does not say what was checked, so it cannot be replayed.`, { file, place });
    }
    for (const [name, is] of Object.entries(form)) {
      if (is(own(object as { readonly [name: string]: unknown }, name))) continue;
      throw new InputError(`${file}: ${name} has another form than \`cmodx check --save\` gives it.`, {
        file,
        place: `${place}.${name}`,
      });
    }
  };
  check(value, common, "request");
  const request = value as Request;
  if (isScenario(request)) {
    check(request, forScenario, "request");
  } else {
    check(request, forStrategy, "request");
    check(request.site, forSite, "request.site");
  }
  return request;
};
