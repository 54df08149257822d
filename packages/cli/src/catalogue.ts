import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Architecture, InputError, listed, nearest, own, type PatchStrategy, type Plugin } from "@cmodx/core";
import { importDefault } from "./modules.js";
import { type ArchitecturePackage, type CmodxPlugin, parsePlugin } from "./plugin.js";
import type { StrategyOptions, StrategyRequest } from "./request.js";

/** How each architecture of cmodx is loaded. */
const packages: { readonly [id: string]: { readonly name: string; load(): Promise<ArchitecturePackage> } } = {
  x86: {
    name: "@cmodx/x86",
    async load() {
      const exports = await import("@cmodx/x86");
      return {
        id: "x86",
        create: exports.x86,
        strategies: exports.strategies,
        plainStore: (width) => exports.plainStore({ width }),
        multiInstructionSite: "nop+nop+nop+nop+nop:call",
        exports,
      };
    },
  },
  arm64: {
    name: "@cmodx/arm64",
    async load() {
      const exports = await import("@cmodx/arm64");
      return {
        id: "arm64",
        create: exports.arm64,
        strategies: exports.strategies,
        plainStore: (width) => exports.plainStore({ width }),
        exports,
      };
    },
  },
  armv7: {
    name: "@cmodx/armv7",
    async load() {
      const exports = await import("@cmodx/armv7");
      return {
        id: "armv7",
        create: exports.armv7,
        fetchFor: (mode) => mode,
        strategies: exports.strategies,
        plainStore: (width) => exports.plainStore({ width }),
        pairs: { groups: exports.pairGroups, ways: exports.pairWays },
        exports,
      };
    },
  },
  riscv: {
    name: "@cmodx/riscv",
    async load() {
      const exports = await import("@cmodx/riscv");
      return {
        id: "riscv",
        create: exports.riscv,
        strategies: exports.strategies,
        plainStore: (width) => exports.plainStore({ width }),
        multiInstructionSite: "c.nop+c.nop+c.nop+c.nop:call t0",
        exports,
      };
    },
  },
};

/** The file in the working directory whose plugins are always loaded. */
export const CONFIG = "cmodx.config.mjs";

/** Everything that a run can choose from: what is installed and what plugins add. */
export class Catalogue {
  readonly architectures: ReadonlyMap<string, ArchitecturePackage>;
  readonly strategies: readonly PatchStrategy[];
  readonly parts: readonly Plugin[];

  constructor(plugins: readonly CmodxPlugin[]) {
    const architectures = new Map<string, ArchitecturePackage>();
    for (const architecture of plugins.flatMap((plugin) => plugin.architectures ?? [])) {
      if (architectures.has(architecture.id)) {
        throw new InputError(`Two architectures are called ${architecture.id}.`, {
          place: "--plugin",
          code: "conflict",
        });
      }
      architectures.set(architecture.id, architecture);
    }
    this.architectures = architectures;
    const own = plugins.flatMap((plugin) => plugin.architectures ?? []).flatMap((each) => each.strategies);
    this.strategies = [...new Set([...own, ...plugins.flatMap((plugin) => plugin.strategies ?? [])])];
    this.parts = plugins.flatMap((plugin) => plugin.parts ?? []);
  }

  /** The architecture package of this id. */
  architecture(id: string): ArchitecturePackage {
    const found = this.architectures.get(id);
    if (found !== undefined) return found;
    const known = `installed: ${listed([...this.architectures.keys()])}`;
    throw new InputError(`No architecture called ${id} is installed; ${known}.`, {
      place: "--arch",
      code: "unknown-name",
    });
  }

  /** The strategies for an architecture. */
  strategiesFor(architecture: string): readonly PatchStrategy[] {
    return this.strategies.filter((strategy) => isFor(strategy, architecture));
  }

  /** The strategy of this id for an architecture. `width`: that of the accesses of `plain-store`; `chosen`: options of the strategy. */
  strategy(
    id: string,
    architecture: string,
    { width, options: chosen }: Pick<StrategyRequest, "width" | "options"> = {},
  ): PatchStrategy {
    const found = this.strategiesFor(architecture).filter((strategy) => strategy.id === id);
    if (found.length > 1)
      throw new InputError(`Two strategies are called ${id}.`, { place: "--strategy", code: "conflict" });
    const [strategy] = found;
    if (strategy === undefined) throw this.#unknown(id, architecture);
    if (chosen !== undefined) {
      if (width !== undefined)
        throw new InputError("--width does not go with --option.", { place: "--width", code: "conflict" });
      return this.#withOptions(id, architecture, chosen);
    }
    if (width === undefined) return strategy;
    const plainStore = this.architecture(architecture).plainStore;
    if (id !== "plain-store" || plainStore === undefined) {
      throw new InputError(`Only plain-store has a width, ${id} has none.`, { place: "--width", code: "conflict" });
    }
    return plainStore(width);
  }

  /** The strategy that the architecture's package makes of options: its factory has the strategy's id for a name, `bypassOf2008` that of a year. */
  #withOptions(id: string, architecture: string, chosen: StrategyOptions): PatchStrategy {
    const name = id.replace(/-(?=\d{4}\b)/, "Of").replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    const factory = own((this.architecture(architecture).exports ?? {}) as { readonly [name: string]: unknown }, name);
    const made: unknown = typeof factory === "function" ? factory(chosen) : undefined;
    if (typeof made === "object" && made !== null && (made as PatchStrategy).id === id) return made as PatchStrategy;
    throw new InputError(`The strategy ${id} takes no options.`, { place: "--option", code: "usage" });
  }

  /**
   * The architecture that a strategy's id means when the user names none: that of the binary it is to patch, its only one, else x86
   * where it has that.
   */
  architectureOf(id: string, ofBinary?: string): string {
    const ids = [...this.architectures.keys()].filter((arch) =>
      this.strategiesFor(arch).some((each) => each.id === id),
    );
    const [only, ...others] = ids;
    if (only === undefined) throw this.#unknown(id);
    if (others.length === 0) return only;
    if (ofBinary !== undefined && ids.includes(ofBinary)) return ofBinary;
    if (ids.includes("x86")) return "x86";
    throw new InputError(`The strategy ${id} is for ${listed(ids)}; say which with --arch.`, {
      place: "--arch",
      code: "usage",
    });
  }

  #unknown(id: string, architecture?: string): InputError {
    const elsewhere = this.strategies.find((strategy) => strategy.id === id);
    if (architecture !== undefined && elsewhere !== undefined) {
      const where = listed([...elsewhere.architectures]);
      return new InputError(`The strategy ${id} is for ${where}, not for ${architecture}.`, {
        place: "--strategy",
        code: "conflict",
      });
    }
    const known = [
      ...new Set((architecture === undefined ? this.strategies : this.strategiesFor(architecture)).map(({ id }) => id)),
    ];
    const near = nearest(id, known);
    const hint = near.length > 0 ? `did you mean ${near.join(" or ")}?` : `there are ${listed(known)}.`;
    return new InputError(`No strategy is called ${id}; ${hint}`, { place: "--strategy", code: "unknown-name" });
  }
}

const isFor = (strategy: PatchStrategy, architecture: string): boolean =>
  strategy.architectures === "any" || strategy.architectures.includes(architecture);

/** The default site of a strategy as `OLD:NEW`; undefined where it has none for this architecture and fetch model. */
export const defaultSiteOf = (
  { defaultSite }: PatchStrategy,
  { id, fetch }: Pick<Architecture, "id" | "fetch">,
): string | undefined =>
  typeof defaultSite === "string" ? defaultSite : (own(defaultSite, `${id} ${fetch.id}`) ?? own(defaultSite, id));

/** The architecture of a package with a fetch model, by default the weakest. */
export const create = (architecture: ArchitecturePackage, fetch: string | undefined): Architecture =>
  architecture.create(fetch === undefined ? {} : { fetch });

/**
 * Loads what is installed, what `cmodx.config.mjs` in `folder` exports, and the plugins named.
 *
 * `names`: paths or packages, as seen from `folder`. `config`: false leaves `cmodx.config.mjs` alone.
 */
export const loadCatalogue = async (
  names: readonly string[],
  folder: string,
  { config = true }: { readonly config?: boolean } = {},
): Promise<Catalogue> => {
  const architectures: ArchitecturePackage[] = [];
  for (const { name, load } of Object.values(packages)) {
    try {
      architectures.push(await load());
    } catch (error) {
      // An architecture that is not installed is simply not offered.
      if (!isMissing(error, name)) throw error;
    }
  }
  const modules = [...new Set([...(config && existsSync(join(folder, CONFIG)) ? [`./${CONFIG}`] : []), ...names])];
  const plugins: CmodxPlugin[] = [{ architectures }];
  for (const name of modules) {
    const exported = await importDefault(name, folder);
    plugins.push(...(Array.isArray(exported) ? exported : [exported]).map((plugin) => parsePlugin(plugin, name)));
  }
  return new Catalogue(plugins);
};

const isMissing = (error: unknown, name: string): boolean =>
  error instanceof Error &&
  (error as { readonly code?: string }).code === "ERR_MODULE_NOT_FOUND" &&
  error.message.includes(name);
