import { type Decoder, InputError, type PropertyId } from "@cmodx/core";
import { type Catalogue, create, defaultSiteOf } from "./catalogue.js";
import { type BinarySite, siteFromBinary, siteRequests } from "./from-binary.js";
import { words } from "./options.js";
import type { ArchitecturePackage } from "./plugin.js";
import { strategyFor } from "./replacements.js";
import type { Request, SiteRequest, StrategyOptions, StrategyRequest } from "./request.js";
import { noWayBack, subjectOf } from "./subject.js";
import { hex } from "./text.js";

/** The options from which a model is made, as they were given. */
export type ModelOptions = {
  readonly arch?: string;
  readonly strategy?: string;
  readonly site?: string;
  readonly offset?: number;
  readonly from?: string;
  readonly oldBytes?: readonly number[];
  readonly newBytes?: readonly number[];
  readonly at?: bigint;
  readonly scenario?: string;
  readonly cpus?: number;
  readonly flips?: number | "forever";
  readonly fetch?: string;
  readonly memory?: "sequential" | "architectural";
  readonly irq?: boolean;
  readonly nmi?: boolean;
  readonly preempt?: boolean;
  readonly user?: boolean;
  readonly decoder?: Decoder;
  readonly nestedIret?: "guarded" | "unguarded";
  readonly drop?: readonly string[];
  readonly add?: readonly string[];
  readonly property?: readonly PropertyId[];
  readonly ignore?: readonly PropertyId[];
  readonly width?: 1 | 2 | 4 | 8;
  readonly option?: StrategyOptions;
  readonly plugin?: readonly string[];
};

/** CPUs of a check when the user does not say. */
export const DEFAULT_CPUS = 3;
/** Flips of a check when the user does not say: there and back. */
const DEFAULT_FLIPS = 2;

/**
 * What the options ask for: one request, or one for each place in a line that the site can have. `known`: the site, where the file was read
 * already. Throws {@link InputError} when options contradict each other.
 */
export const requestsOf = async (
  asked: ModelOptions,
  catalogue: Catalogue,
  folder: string,
  known?: BinarySite,
): Promise<readonly Request[]> => {
  refuseMixes(asked);
  const common = {
    plugins: asked.plugin ?? [],
    ...(asked.fetch === undefined ? {} : { fetch: asked.fetch }),
    ...(asked.property === undefined ? {} : { properties: asked.property }),
    ...(asked.ignore === undefined ? {} : { ignore: asked.ignore }),
  };
  if (asked.scenario !== undefined) {
    const named = asked.arch === undefined ? {} : { architecture: catalogue.architecture(asked.arch).id };
    const { cpus, irq, nmi, nestedIret, preempt, user, memory, decoder, drop, add } = asked;
    const variations = given({ cpus, irq, nmi, nestedIret, preempt, user, memory, decoder, drop, add });
    return [{ ...common, ...named, ...variations, scenario: asked.scenario }];
  }
  const binary = known ?? (asked.from === undefined ? undefined : await siteFromBinary(asked.from, folder));
  const chosen = asked.strategy === undefined && binary !== undefined ? strategyFor(binary) : undefined;
  const strategy = asked.strategy ?? chosen?.strategy;
  if (strategy === undefined) {
    throw new InputError(
      "Say what to check with --strategy ID, --from FILE or --scenario FILE; `cmodx list` has the strategies.",
      { place: "--strategy", code: "usage" },
    );
  }
  const architecture = asked.arch ?? catalogue.architectureOf(strategy, binary?.architecture);
  const sites = await sitesOf(asked, strategy, architecture, binary, catalogue);
  const base = {
    ...common,
    architecture,
    strategy,
    ...(chosen === undefined ? {} : { strategyWhy: chosen.why }),
    ...strategyOptions(asked),
    cpus: asked.cpus ?? DEFAULT_CPUS,
    irq: asked.irq ?? false,
    nmi: asked.nmi ?? false,
    preempt: asked.preempt ?? false,
    ...(asked.user === undefined ? {} : { user: asked.user }),
    ...(asked.nestedIret === undefined ? {} : { nestedIret: asked.nestedIret }),
    ...(asked.memory === undefined ? {} : { memory: asked.memory }),
    ...(asked.decoder === undefined ? {} : { decoder: asked.decoder }),
    drop: asked.drop ?? [],
    ...(asked.add === undefined ? {} : { add: asked.add }),
  };
  const { fetchFor } = catalogue.architecture(architecture);
  return Promise.all(
    sites.map((site) => {
      const { mode } = site;
      const ofMode = asked.fetch === undefined && mode !== undefined ? fetchFor?.(mode) : undefined;
      const fetch = ofMode === undefined ? {} : { fetch: ofMode };
      return withFlips({ ...base, ...fetch, site }, asked.flips, catalogue, folder);
    }),
  );
};

/**
 * The fetch models that `--fetch` names: `A,B`, or `all` of the architecture. None where there is no `--fetch`.
 * Throws {@link InputError} where the architecture has no such model.
 */
export const fetchesOf = async (
  asked: ModelOptions,
  catalogue: Catalogue,
  folder: string,
): Promise<readonly string[]> => {
  if (asked.fetch === undefined) return [];
  const named = words("--fetch")(asked.fetch);
  if (named.length === 1 && named[0] !== "all") return named;
  const { fetch: _, ...others } = asked;
  const [first] = await requestsOf(others, catalogue, folder);
  if (first === undefined) return [];
  const id = first.architecture ?? (await subjectOf(first, catalogue, folder)).architecture;
  return fetchModelsOf(asked.fetch, catalogue.architecture(id));
};

/** The ids of the fetch models that a text names for an architecture: `A,B`, or `all`. Throws as {@link fetchesOf} does. */
export const fetchModelsOf = (text: string, architecture: ArchitecturePackage): readonly string[] => {
  const all = create(architecture, undefined).fetchModels.map(({ id }) => id);
  const named = words("--fetch")(text).flatMap((id) => (id === "all" ? all : [create(architecture, id).fetch.id]));
  if (named.length === 0)
    throw new InputError("--fetch takes fetch models, not nothing.", { place: "--fetch", code: "usage" });
  return [...new Set(named)];
};

const strategyOptions = ({ width, option }: ModelOptions): Pick<StrategyRequest, "width" | "options"> => ({
  ...(width === undefined ? {} : { width }),
  ...(option === undefined ? {} : { options: option }),
});

/** The fetch models of an architecture behind a weaker one; none where they stand for modes of the decoder. */
export const strongerThan = (weaker: string, architecture: ArchitecturePackage): readonly string[] => {
  if (architecture.fetchFor !== undefined) return [];
  const ids = create(architecture, undefined).fetchModels.map(({ id }) => id);
  return ids.slice(ids.indexOf(weaker) + 1);
};

/** The object without what is undefined. */
const given = <T extends object>(object: T): { readonly [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    readonly [K in keyof T]?: Exclude<T[K], undefined>;
  };

type WithoutFlips = Omit<Request & StrategyRequest, "flips" | "flipsWhy">;

/** There and back by default; only there when the strategy cannot go back. */
const withFlips = async (
  request: WithoutFlips,
  flips: number | "forever" | undefined,
  catalogue: Catalogue,
  folder: string,
): Promise<Request> => {
  if (flips !== undefined) return { ...request, flips };
  const there: Request = { ...request, flips: 1 };
  let why: string | undefined;
  try {
    why = noWayBack(await subjectOf(there, catalogue, folder));
  } catch {
    // It does not even work there: whoever checks the request says so.
  }
  return why === undefined
    ? { ...request, flips: DEFAULT_FLIPS }
    : { ...there, flipsWhy: `there is no way back: ${why}` };
};

const sitesOf = async (
  asked: ModelOptions,
  strategy: string,
  architecture: string,
  binary: BinarySite | undefined,
  catalogue: Catalogue,
): Promise<readonly SiteRequest[]> => {
  const made = create(catalogue.architecture(architecture), asked.fetch);
  const { oldBytes, newBytes, at } = asked;
  if (binary !== undefined) {
    if (binary.architecture !== architecture) {
      const message = `${binary.file} is for ${binary.architecture}, but the strategy ${strategy} is for ${architecture}.`;
      throw new InputError(message, { file: binary.file, place: "--from", code: "usage" });
    }
    return siteRequests(binary, made);
  }
  if (oldBytes !== undefined && newBytes !== undefined && at !== undefined) {
    return [{ address: hex(at), old: oldBytes, new: newBytes }];
  }
  const site = asked.site ?? defaultSiteOf(catalogue.strategy(strategy, architecture, strategyOptions(asked)), made);
  if (site === undefined) {
    throw new InputError(
      `The strategy ${strategy} has no default site on ${architecture}; give one with --site OLD:NEW.`,
      {
        place: "--site",
        code: "usage",
      },
    );
  }
  return [siteFromText(site, made.base + BigInt(asked.offset ?? 0))];
};

/** The site that `OLD:NEW` describes. A colon before a bracket is that of a segment, as in `gs:[…]`. */
export const siteFromText = (text: string, address: bigint): SiteRequest => {
  const parts = text.split(/:(?!\[)/);
  const [old = "", next = ""] = parts.map((part) => part.trim());
  if (parts.length !== 2 || old === "" || next === "") {
    throw new InputError(`A site is OLD:NEW, each insn[+insn…], such as nop5:call; not ${text}.`, {
      place: "--site",
      code: "wrong-type",
    });
  }
  return { address: hex(address), old, new: next };
};

const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Three ways to say what the site is, and scenario modules that say themselves what is patched, and how. */
const refuseMixes = (asked: ModelOptions): void => {
  const named = (names: readonly (keyof ModelOptions)[]) => names.filter((name) => asked[name] !== undefined);
  const refuse = (a: keyof ModelOptions, b: keyof ModelOptions | undefined, why: string): void => {
    if (b === undefined) return;
    throw new InputError(`${flagOf(b)} does not go with ${flagOf(a)}: ${why}.`, { place: flagOf(b), code: "conflict" });
  };
  const bytes = ["oldBytes", "newBytes", "at"] as const;
  if (asked.scenario !== undefined) {
    const own = ["strategy", "site", "offset", "from", ...bytes, "flips", "width", "option"] as const;
    refuse("scenario", named(own)[0], "the scenario module says it");
  }
  if (asked.from !== undefined)
    refuse("from", named(["site", "offset", ...bytes])[0], "the file says what the site is");
  const [some, ...more] = named(bytes);
  if (some === undefined) return;
  refuse(some, named(["site", "offset"])[0], "the bytes and their address say what the site is");
  if (more.length < bytes.length - 1) {
    const missing = bytes.find((name) => asked[name] === undefined) as keyof ModelOptions;
    throw new InputError(`${flagOf(some)} needs ${flagOf(missing)} too.`, { place: flagOf(missing), code: "usage" });
  }
};
