import type { Data } from "../base/data.js";
import { InputError } from "../base/errors.js";
import { MOST_BYTES, MOST_CPUS, MOST_EXECUTORS, MOST_FLIPS } from "../base/maxima.js";
import { didYouMean } from "../base/nearest.js";
import { isOwnOfCore, MOST_PROPERTIES, type Property, type PropertyId, propertyIds } from "../contract/property.js";
import type { Executor, InterruptHandler, Patcher, Scenario, Site, TextRange } from "../contract/scenario.js";
import { codeBlockSchema, codeSchema, dataBlockSchema, textAccess } from "./code.js";
import { additionSchema, linesSchema } from "./program.js";
import {
  address,
  assertFits,
  callable,
  data,
  either,
  flag,
  list,
  name,
  object,
  oneOf,
  only,
  optional,
  record,
  type Schema,
  some,
  text,
  where,
  whole,
  word64,
  words,
} from "./schema.js";
import { propertiesSchema, strategySchema } from "./strategy.js";

/* A field that a scenario gets is one line here, beside the one in its type: without it, this does not compile. */

const siteSchema: Schema<Site> = object("a site", {
  address,
  old: codeSchema,
  new: codeSchema,
  mode: optional(text),
  data: optional(flag),
  origin: optional(text),
  after: optional(codeSchema),
});

const patcherSchema: Schema<Patcher> = object("a patcher", {
  strategy: strategySchema,
  sites: some("one index of a site", whole(0)),
  flips: either(`a whole number from 1 to ${MOST_FLIPS}, or "forever"`, whole(1, MOST_FLIPS), only("forever")),
  drop: optional(list("ids of steps", text)),
  add: optional(list("added lines", additionSchema)),
  cpu: optional(whole(0)),
});

const executorSchema: Schema<Executor> = object("an executor", {
  entries: optional(some("one address", address)),
  count: optional(whole(0, MOST_EXECUTORS)),
  once: optional(only(true)),
  registers: optional(record("values of registers", word64)),
  faults: optional(address),
});

const textRangeSchema: Schema<TextRange> = object("a range of text", {
  address,
  size: whole(1, MOST_BYTES),
  access: textAccess,
});

/** The schema of {@link Property}. */
const propertySchema: Schema<Property> = object("a property", {
  id: where(name<PropertyId>(), (id) =>
    isOwnOfCore(id)
      ? `is ${id}, which is one of core's own.`
      : /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(id)
        ? undefined
        : `has to be lower-case words joined by -, not ${JSON.stringify(id)}.`,
  ),
  breaksWhen: words,
  consequenceOf: optional(propertiesSchema),
  judge: callable("a function of an observation"),
});

const handlerSchema: Schema<boolean | InterruptHandler> = either(
  "true, false or what the handler does",
  flag,
  object<InterruptHandler>("a handler", {
    program: optional(linesSchema),
    entries: optional(some("one address", address)),
    notrace: optional(only(true)),
    words: optional(record<Data>("words", data)),
  }),
);

/** The schema of {@link Scenario}; whether it fits together is looked at when the machine is made. */
export const scenarioSchema: Schema<Scenario> = object("a scenario", {
  name: text,
  sites: some("one site", siteSchema),
  patchers: list("patchers", patcherSchema),
  executors: optional(list("executors", executorSchema)),
  cpus: whole(1, MOST_CPUS),
  interrupts: optional(
    object("interrupts", {
      irq: optional(handlerSchema),
      nmi: optional(handlerSchema),
      nestedIret: optional(oneOf({ guarded: true, unguarded: true })),
    }),
  ),
  preempt: optional(flag),
  exits: optional(list("addresses", address)),
  user: optional(flag),
  memory: optional(oneOf({ sequential: true, architectural: true })),
  decoder: optional(oneOf({ instants: true, packets: true })),
  blocks: optional(list("blocks of code", codeBlockSchema)),
  data: optional(list("blocks of data", dataBlockSchema)),
  text: optional(list("ranges of text", textRangeSchema)),
  properties: optional(propertiesSchema),
  ignore: optional(propertiesSchema),
  judges: optional(list("properties", propertySchema)),
});

/**
 * Throws {@link InputError} unless a value has the form of a scenario; whether it fits together a simulation says. `file`: where it comes
 * from, for the message.
 */
export function assertScenario(value: unknown, file?: string): asserts value is Scenario {
  assertFits(scenarioSchema, value, "scenario", file === undefined ? {} : { file });
}

/**
 * Throws {@link InputError} unless all properties of a simulation can be told apart, and those that a scenario and its judges name, and those that
 * its strategies promise, are among them.
 */
export const assertProperties = (scenario: Scenario, judged: readonly Property[]): void => {
  const ids = judged.map(({ id }) => id);
  if (ids.length > MOST_PROPERTIES) {
    throw new InputError(
      `A simulation judges at most ${MOST_PROPERTIES} properties; with those of its plugins this one has ${ids.length}.`,
      { place: "scenario.judges", code: "out-of-range" },
    );
  }
  const twice = ids.find((id, i) => !isOwnOfCore(id) && ids.indexOf(id) !== i);
  if (twice !== undefined)
    throw new InputError(`Two properties have the id ${twice}; ids are unique in a simulation.`, {
      place: "scenario.judges",
      code: "conflict",
    });
  const known = new Set<string>([...propertyIds, ...ids]);
  const check = (ids: readonly string[], place: string): void => {
    ids.forEach((id, i) => {
      if (known.has(id)) return;
      throw new InputError(`${place}[${i}] cannot be ${JSON.stringify(id)}${didYouMean(id, known)}`, {
        place: `${place}[${i}]`,
        code: "unknown-name",
      });
    });
  };
  check(scenario.properties ?? [], "scenario.properties");
  check(scenario.ignore ?? [], "scenario.ignore");
  scenario.judges?.forEach(({ consequenceOf = [] }, i) => {
    check(consequenceOf, `scenario.judges[${i}].consequenceOf`);
  });
  scenario.patchers.forEach(({ strategy }, i) => {
    check(strategy.promises, `scenario.patchers[${i}].strategy.promises`);
  });
};
