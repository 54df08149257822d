import type { Architecture } from "../contract/architecture.js";
import type { CacheMaintenance } from "../contract/cache-maintenance.js";
import type { Cpu } from "../contract/exception-model.js";
import type { FetchModel, FetchVariant } from "../contract/fetch-model.js";
import type { InstructionSet } from "../contract/instruction-set.js";
import type { MemoryOrder } from "../contract/memory-order.js";
import type { Cell } from "../contract/state.js";
import type { StoreAtomicity } from "../contract/store-atomicity.js";
import type { Plugin } from "../wiring/container.js";
import type { SimulationOptions } from "../wiring/options.js";
import type { Token } from "../wiring/tokens.js";
import {
  address,
  anything,
  callable,
  flag,
  list,
  number,
  object,
  oneOf,
  oneOfNumbers,
  optional,
  record,
  type Schema,
  text,
  where,
  whole,
} from "./schema.js";
import { mapSchema, ruleSchema } from "./strategy.js";

const names = list("names", text);

const instructionSetSchema: Schema<InstructionSet> = object("an instruction set", {
  maxLength: whole(1),
  alignment: oneOfNumbers({ 1: true, 2: true, 4: true }),
  undefinedVector: optional(text),
  vectors: optional(names),
  modes: optional(names),
  registers: optional(names),
  decode: callable("a function of bytes"),
  assemble: callable("a function of text"),
  format: callable("a function of an instruction"),
  inputs: callable("a function of an instruction"),
  execute: callable("a function of an instruction"),
  enter: callable("a function of addresses"),
});

const powerOfTwo = (min: number, max: number): Schema<number> =>
  where(whole(min, max), (value) =>
    (value & (value - 1)) === 0 ? undefined : `has to be a power of two, not ${value}.`,
  );

/** The schema of {@link FetchModel}. */
const fetchModelSchema: Schema<FetchModel> = object("a fetch model", {
  id: text,
  source: text,
  summary: text,
  unit: powerOfTwo(1, 64),
  stored: optional(powerOfTwo(1, 64)),
  stale: oneOf<FetchModel["stale"]>({ never: true, "in-order": true, "until-sync": true, "until-maintenance": true }),
  behind: optional(whole(0)),
  granule: powerOfTwo(0, 4096),
  orderedAfter: optional(text),
  lateTrap: optional(flag),
  reports: anything,
  admits: callable("a function of what is fetched"),
});

const fetchVariantSchema: Schema<FetchVariant> = object("a variant of fetch models", {
  id: text,
  summary: text,
  apply: callable("a function of a fetch model"),
});

const cacheSchema: Schema<CacheMaintenance> = object("cache maintenance", {
  line: powerOfTwo(1, 65536),
  operations: record<(cell: Cell) => Cell>("functions of a cell", callable("a function of a cell")),
  broadcast: names,
});

const cpuSchema: Schema<Cpu> = object("an exception model", {
  id: text,
  source: text,
  accepts: callable("a function of an interrupt"),
  synchronizes: names,
  unblocksNmis: optional(names),
  breakpoints: names,
  trapsMask: flag,
  raise: optional(callable("a function of registers")),
});

const memoryOrderSchema: Schema<MemoryOrder> = object("a memory order", {
  id: text,
  source: text,
  execute: ruleSchema,
  spontaneous: list("rules", ruleSchema),
  rules: optional(list("rules", ruleSchema)),
  maps: optional(list("maps over CPUs", mapSchema)),
  barriers: optional(names),
  write: callable("a function of a write"),
  pending: callable("a function of a CPU's part"),
  fetchable: optional(callable("a function of a CPU's part")),
  narrow: optional(callable("a function of a CPU's part")),
  conditional: optional(callable("a function of an instruction")),
  discard: optional(callable("a function of a CPU's part")),
  strand: optional(callable("a function of a CPU's part")),
  loaded: optional(callable("a function of a CPU's part")),
  holdsBack: callable("a function of a CPU's part"),
});

const architectureSchema: Schema<Architecture> = object("an architecture", {
  id: text,
  instructionSet: instructionSetSchema,
  fetch: fetchModelSchema,
  fetchModels: list("fetch models", fetchModelSchema),
  fetchVariants: optional(list("variants of fetch models", fetchVariantSchema)),
  cache: cacheSchema,
  cpu: cpuSchema,
  stores: optional(object<StoreAtomicity>("atomicity of stores", { aligned: whole(1), block: whole(1) })),
  memory: optional(memoryOrderSchema),
  returns: text,
  epilogue: optional(text),
  branches: record("names of places", oneOf({ callee: true, target: true })),
  reach: object<Architecture["reach"]>("distances", { target: number, callee: number }),
  base: address,
});

/** The schema of {@link Plugin}. */
export const pluginSchema: Schema<Plugin> = object("a plugin", {
  id: text,
  replaces: optional(
    list<Token<unknown>>(
      "tokens",
      where<Token<unknown>>(anything, (value) =>
        typeof value === "symbol" ? undefined : "has to be a token, such as FETCH_MODEL.",
      ),
    ),
  ),
  install: callable("a function of a binder"),
});

/** The schema of {@link SimulationOptions}. */
export const simulationOptionsSchema: Schema<SimulationOptions> = object("options of a simulation", {
  architecture: architectureSchema,
  plugins: optional(list("plugins", pluginSchema)),
  development: optional(flag),
});
