import { type Code, type Decoder, MOST_CPUS, MOST_FLIPS, type PropertyId } from "@cmodx/core";
import {
  assertFits,
  codeSchema,
  either,
  flag,
  lazy,
  list,
  name,
  number,
  object,
  oneOf,
  oneOfNumbers,
  only,
  optional,
  record,
  type Schema,
  text,
  where,
  whole,
} from "@cmodx/core/schema";

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

/** Options of a strategy by name; `true` where one was given without a value. */
export type StrategyOptions = { readonly [name: string]: string | number | boolean };

/** What is asked of one strategy. */
export type StrategyRequest = {
  readonly strategy: string;
  /** Why it is that strategy, where nobody named one: `what Linux does at jump-label sites of x86-64`. */
  readonly strategyWhy?: string;
  readonly width?: 1 | 2 | 4 | 8;
  readonly options?: StrategyOptions;
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
  /** Which decoder `trace` asks; default `instants`. */
  readonly decoder?: Decoder;
  readonly drop: readonly string[];
  /** Synchronisations to add, each `KIND@STEP`. */
  readonly add?: readonly string[];
};

/** What is asked of a scenario module. What is given besides comes before what the module says. */
export type ScenarioRequest = {
  readonly scenario: string;
} & Partial<
  Pick<
    StrategyRequest,
    "cpus" | "irq" | "nmi" | "nestedIret" | "preempt" | "user" | "memory" | "decoder" | "drop" | "add"
  >
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

const texts = list("texts", text);
const memory = oneOf<NonNullable<StrategyRequest["memory"]>>({ sequential: true, architectural: true });
const decoder = oneOf<Decoder>({ instants: true, packets: true });
const nestedIret = oneOf<NonNullable<StrategyRequest["nestedIret"]>>({ guarded: true, unguarded: true });

const siteSchema: Schema<SiteRequest> = object("a site", {
  address: where(text, (value) =>
    /^0x[0-9a-f]{1,16}$/.test(value) ? undefined : `has to be an address such as "0xffffffff81000000", not "${value}".`,
  ),
  old: codeSchema,
  new: codeSchema,
  mode: optional(text),
  origin: optional(text),
});

const common = {
  architecture: optional(text),
  fetch: optional(text),
  plugins: texts,
  properties: optional(list<PropertyId>("properties", name())),
  ignore: optional(list<PropertyId>("properties", name())),
  user: optional(flag),
  nestedIret: optional(nestedIret),
  add: optional(texts),
};

const ofStrategy: Schema<Extract<Request, StrategyRequest>> = object("a request", {
  ...common,
  strategy: text,
  strategyWhy: optional(text),
  width: optional(oneOfNumbers({ 1: true, 2: true, 4: true, 8: true })),
  options: optional(
    record("options", either("a text, a number, true or false", text, either("a number, true or false", number, flag))),
  ),
  site: siteSchema,
  cpus: whole(1, MOST_CPUS),
  flips: either(`a whole number from 1 to ${MOST_FLIPS}, or "forever"`, whole(1, MOST_FLIPS), only("forever")),
  flipsWhy: optional(text),
  irq: flag,
  nmi: flag,
  preempt: flag,
  memory: optional(memory),
  decoder: optional(decoder),
  drop: texts,
});

const ofScenario: Schema<Exclude<Request, StrategyRequest>> = object("a request", {
  ...common,
  scenario: text,
  cpus: optional(whole(1, MOST_CPUS)),
  irq: optional(flag),
  nmi: optional(flag),
  preempt: optional(flag),
  memory: optional(memory),
  decoder: optional(decoder),
  drop: optional(texts),
});

const requestSchema: Schema<Request> = lazy<Request>((value) =>
  typeof value === "object" && value !== null && Object.hasOwn(value, "scenario") ? ofScenario : ofStrategy,
);

/** Checks the form of a request that was read from a file. Throws {@link InputError} when it has another. */
export const parseRequest = (value: unknown, file: string): Request => {
  assertFits(requestSchema, value, "request", { file, words: `${file} does not say what was checked` });
  return value;
};
