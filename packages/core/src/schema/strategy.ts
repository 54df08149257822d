import type { Writes } from "../contract/effect.js";
import type { PropertyId } from "../contract/property.js";
import type { CpuMap, CpuPredicate, Named, Rule, Turn } from "../contract/rule.js";
import type { CpuState, Part } from "../contract/state.js";
import type { PatchStrategy } from "../contract/strategy.js";
import type { Says } from "../contract/telling.js";
import {
  callable,
  either,
  list,
  name,
  object,
  oneOf,
  only,
  optional,
  record,
  type Schema,
  text,
  words,
} from "./schema.js";

/** Ids of properties; which there are is known when a simulation is wired. */
export const propertiesSchema: Schema<readonly PropertyId[]> = list<PropertyId>("properties", name());

const part = { cpu: true, memory: true, services: true, parked: true } as const;

const namedSchema = oneOf<Named>({
  word: true,
  cpuWord: true,
  anyWord: true,
  vector: true,
  barrier: true,
  maintenance: true,
  lock: true,
  window: true,
});

/** The schema of {@link Rule}. */
export const ruleSchema: Schema<Rule> = object("a rule", {
  id: words,
  source: text,
  reads: list("parts of a state", oneOf<Part>(part)),
  writes: list("parts of a state", oneOf<Writes>({ ...part, everyCpu: true })),
  maps: optional(list("maps over CPUs", text)),
  guard: optional(callable("a function of the arguments")),
  outwaits: optional(text),
  posts: optional(callable("a function of the arguments")),
  ordering: optional(callable("a function of the arguments")),
  urgent: optional(callable("a function of a CPU's part")),
  says: optional(record("functions of an event", callable("a function of an event")) as Schema<object> as Schema<Says>),
  waits: optional(callable("a function of the arguments")),
  fromOutside: optional(only(true)),
  turn: optional(oneOf<Turn>({ posted: true, parked: true, nobody: true })),
  sleeps: optional(only(true)),
  preemptionOff: optional(only(true)),
  runsMachineCode: optional(only(true)),
  names: optional(record("kinds of names", namedSchema)),
  introduces: optional(record("kinds of names", namedSchema)),
  writesData: optional(callable("a function of the arguments")),
  timed: optional(callable("a function of the arguments and of what the timed simulator sees")),
  apply: callable("a function of the parts"),
});

/** The schema of {@link CpuMap}. */
export const mapSchema: Schema<CpuMap> = object("a map over CPUs", {
  id: words,
  touches: optional(
    list(
      "fields of a CPU's part",
      oneOf<keyof CpuState>({
        boot: true,
        stack: true,
        pending: true,
        stale: true,
        excludes: true,
        behind: true,
        fetching: true,
        lag: true,
        words: true,
        order: true,
      }),
    ),
  ),
  apply: callable("a function of a CPU's part"),
});

/** The schema of {@link CpuPredicate}. */
const predicateSchema: Schema<CpuPredicate> = object("a predicate over CPUs", {
  id: words,
  holds: callable("a function of a CPU's part"),
});

/** The schema of {@link PatchStrategy}. */
export const strategySchema: Schema<PatchStrategy> = object("a strategy", {
  id: words,
  summary: text,
  source: text,
  architectures: either('a list of architectures, or "any"', list("architectures", text), only("any")),
  defaultSite: either("OLD:NEW, or that by architecture", text, record("sites", text)),
  promises: propertiesSchema,
  user: optional(only(true)),
  plan: callable("a function of a flip"),
  rules: optional(list("rules", ruleSchema)),
  maps: optional(list("maps over CPUs", mapSchema)),
  predicates: optional(list("predicates over CPUs", predicateSchema)),
});
