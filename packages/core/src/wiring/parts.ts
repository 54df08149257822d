import type { Architecture } from "../contract/architecture.js";
import type { CacheMaintenance } from "../contract/cache-maintenance.js";
import type { Cpu } from "../contract/exception-model.js";
import type { FetchModel } from "../contract/fetch-model.js";
import type { InstructionSet } from "../contract/instruction-set.js";
import type { MemoryOrder } from "../contract/memory-order.js";
import type { Property } from "../contract/property.js";
import type { RuleBook } from "../contract/rule.js";
import type { Scenario } from "../contract/scenario.js";
import { token } from "./tokens.js";

/** What one run is wired from. Each run gets a container of its own. */

/** The architecture as a whole. */
export const ARCHITECTURE = token<Architecture>("architecture");
/** The instruction set of the victims. */
export const INSTRUCTION_SET = token<InstructionSet>("instruction set");
/** How the CPUs fetch. */
export const FETCH_MODEL = token<FetchModel>("fetch model");
/** What cache maintenance does. */
export const CACHE_MAINTENANCE = token<CacheMaintenance>("cache maintenance");
/** The exception model. */
export const CPU = token<Cpu>("cpu");
/** How data accesses reach memory. */
export const MEMORY = token<MemoryOrder>("memory order");
/** Rules, maps and predicates; a list. */
export const RULES = token<RuleBook>("rules");
/** Properties judged at events; a list, in the order in which they are reported. */
export const PROPERTIES = token<Property>("properties");
/** What the run is about. */
export const SCENARIO = token<Scenario>("scenario");
/** Freeze parts, check footprints and determinism. */
export const DEVELOPMENT = token<boolean>("development");
