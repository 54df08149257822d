import "reflect-metadata";
// biome-ignore lint/style/noRestrictedImports: the one place that makes containers; the global one is never registered with
import { container, type DependencyContainer } from "tsyringe";
import { InputError } from "../base/errors.js";
import type { Token } from "./tokens.js";

// biome-ignore lint/suspicious/noExplicitAny: the one type that every class has
type Class<T> = new (...parameters: any[]) => T;

/** How a plugin puts its parts into a simulation. */
export interface Binder {
  /** The one part of this token; throws {@link InputError} when two owners provide it. */
  provide<T>(token: Token<T>, value: T): void;
  /** The one part of this token, made from a class with {@link use} parameters when it is first asked for. */
  provideClass<T>(token: Token<T>, part: Class<T>): void;
  /** One more part of a list token. */
  add<T>(token: Token<T>, value: T): void;
}

/** A part of a simulation by value: inert until a simulation installs it. */
export interface Plugin {
  /** Named when two plugins provide the same part. */
  readonly id: string;
  /** Tokens whose part this plugin provides in place of core's or the architecture's. */
  readonly replaces?: readonly Token<unknown>[];
  install(binder: Binder): void;
}

/** The name of a token in a sentence. */
export const partName = (token: symbol): string => Symbol.keyFor(token)?.replace("cmodx:", "") ?? String(token);

/** A fresh container: nothing in it is shared with another one, nor with tsyringe's global container. */
export class Wiring {
  readonly #container: DependencyContainer;
  readonly #owners = new Map<symbol, string>();
  readonly #lists = new Set<symbol>();

  constructor(plugins: readonly Plugin[]) {
    // createChildContainer would fall through to the global container; a second root does not.
    this.#container = Reflect.construct(container.constructor, []) as DependencyContainer;
    for (const plugin of plugins) plugin.install(this.#binder(plugin));
    for (const { id, replaces = [] } of plugins) {
      for (const token of replaces) {
        if (this.#owners.get(token) === id) continue;
        const part = partName(token);
        const why = this.#lists.has(token) ? `which is a list: parts are added to it` : `but does not provide it`;
        throw new InputError(`The plugin ${id} says that it replaces ${part}, ${why}.`, {
          place: `plugin ${id}`,
          code: "conflict",
        });
      }
    }
  }

  #binder(plugin: Plugin): Binder {
    const own = (token: symbol): void => {
      const owner = this.#owners.get(token);
      if (owner !== undefined) {
        throw new InputError(`Both ${owner} and ${plugin.id} provide ${partName(token)}; a simulation has one.`, {
          place: `plugin ${plugin.id}`,
          code: "conflict",
        });
      }
      this.#owners.set(token, plugin.id);
    };
    return {
      provide: (token, value) => {
        own(token);
        this.#container.register(token, { useValue: value });
      },
      provideClass: (token, part) => {
        own(token);
        this.#container.registerSingleton(token, part);
      },
      add: (token, value) => {
        this.#lists.add(token);
        this.#container.register(token, { useValue: value });
      },
    };
  }

  /** The part of a token. */
  get<T>(token: Token<T>): T {
    return this.#container.resolve<T>(token);
  }

  /** All parts of a list token. */
  all<T>(token: Token<T>): readonly T[] {
    return this.#container.resolveAll<T>(token);
  }
}
