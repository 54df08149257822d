export * from "./architecture.js";
export { partsAtCommas } from "./commas.js";
export * from "./contract/events.js";
export type * from "./contract/world.js";
export * from "./cpu.js";
export * from "./data.js";
export * from "./errors.js";
export { GRANTED, MONITOR, RELEASED, reserving, takesPlace } from "./exclusive.js";
export { becauseOf } from "./explorer/empty.js";
export type { CheckOptions } from "./explorer/explorer.js";
export { countedProperties } from "./explorer/explorer.js";
export { type FinalStates, type FinalStatesOptions, finalStates } from "./explorer/final-states.js";
export {
  type OutcomeKind,
  type Outcomes,
  type OutcomesOptions,
  outcomesBeyond,
  type SiteOutcome,
} from "./explorer/outcomes.js";
export type { Reductions } from "./explorer/search.js";
export type { Settling } from "./explorer/steps.js";
export * from "./explorer/trace.js";
export * from "./fetch-model.js";
export * from "./hex.js";
export * from "./instruction-set.js";
export { keyOf, same } from "./key.js";
export type { Candidate } from "./machine/candidates.js";
export type { Layout } from "./machine/layout.js";
export type { Initial, RuleBook } from "./machine/machine.js";
export { Machine } from "./machine/machine.js";
export type { ResolvedSite, SiteInstruction, Version } from "./machine/sites.js";
export { type Fetched, fetchChoices, latestByte, synchronize } from "./machine/windows.js";
export { MOST_BYTES, MOST_CPUS, MOST_EXECUTORS, MOST_FLIPS, MOST_NESTED } from "./maxima.js";
export { settled } from "./memory/perform.js";
export type { StoreAtomicity } from "./memory/pieces.js";
export { wordSeen } from "./memory/seen.js";
export { sequential } from "./memory/sequential.js";
export { storeBuffer } from "./memory/store-buffer.js";
export { window } from "./memory/window.js";
export type * from "./memory/window-model.js";
export { type WindowState, windowOfCpu } from "./memory/window-state.js";
export * from "./memory-order.js";
export { didYouMean, nearest } from "./nearest.js";
export { own } from "./own.js";
export * from "./program/builder.js";
export * from "./program/program.js";
export { eventProperties } from "./properties/properties.js";
export * from "./properties/property.js";
export {
  parseAddition,
  type Repair,
  type RepairAttempt,
  type RepairOptions,
  type Repairs,
  type Synchronisation,
  synchronisationsOf,
} from "./repair.js";
export * from "./replay/saved-trace.js";
export * from "./rule.js";
export * from "./scenario.js";
export { assertScenario } from "./schema/scenario.js";
export * from "./simulation.js";
export type { Run } from "./simulator/simulator.js";
export * from "./state.js";
export * from "./strategy.js";
export * from "./verdict.js";
export type { Binder, Plugin } from "./wiring/container.js";
export * from "./wiring/parts.js";
export { injectable, type Token, token, use, useAll } from "./wiring/tokens.js";
