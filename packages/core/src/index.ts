export { partsAtCommas } from "./base/commas.js";
export * from "./base/data.js";
export * from "./base/errors.js";
export * from "./base/hex.js";
export { keyOf, same } from "./base/key.js";
export { MOST_BYTES, MOST_CPUS, MOST_EXECUTORS, MOST_FLIPS, MOST_NESTED } from "./base/maxima.js";
export { didYouMean, nearest } from "./base/nearest.js";
export { own } from "./base/own.js";
export * from "./contract/architecture.js";
export * from "./contract/cache-maintenance.js";
export type * from "./contract/effect.js";
export * from "./contract/events.js";
export * from "./contract/exception-model.js";
export * from "./contract/fetch-model.js";
export * from "./contract/instruction-set.js";
export type {
  Initial,
  Layout,
  OpaqueCode,
  OpaqueInstruction,
  ResolvedSite,
  SiteInstruction,
  Version,
} from "./contract/layout.js";
export * from "./contract/memory-order.js";
export type * from "./contract/operations.js";
export type {
  Addition,
  Condition,
  Line,
  LinesArgument,
  Pair,
  PatchProgram,
  Step,
  Surroundings,
  Value,
  When,
  While,
} from "./contract/program.js";
export * from "./contract/property.js";
export * from "./contract/rule.js";
export * from "./contract/scenario.js";
export * from "./contract/state.js";
export type { StoreAtomicity } from "./contract/store-atomicity.js";
export * from "./contract/strategy.js";
export * from "./contract/telling.js";
export type * from "./contract/trace.js";
export * from "./contract/verdict.js";
export type * from "./contract/world.js";
export { exceptionWords } from "./execution/said.js";
export { becauseOf } from "./explorer/empty.js";
export type { CheckOptions } from "./explorer/explorer.js";
export { countedProperties, EXPLORER } from "./explorer/explorer.js";
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
export { type Fetched, fetchChoices, latestByte, synchronize } from "./fetch/stale-code.js";
export type { Candidate } from "./machine/candidates.js";
export { MACHINE, Machine } from "./machine/machine.js";
export { assemble } from "./machine/sites.js";
export { GRANTED, MONITOR, RELEASED, reserving, takesPlace } from "./memory/exclusive.js";
export { settled } from "./memory/perform.js";
export { wordSeen } from "./memory/seen.js";
export { sequential } from "./memory/sequential.js";
export { storeBuffer } from "./memory/store-buffer.js";
export type * from "./memory/window/model.js";
export { type WindowState, windowOfCpu } from "./memory/window/state.js";
export { window } from "./memory/window/window.js";
export * from "./program/builder.js";
export * from "./program/lines.js";
export * from "./program/literals.js";
export * from "./program/strategies.js";
export { eventProperties } from "./properties/properties.js";
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
export { assertScenario } from "./schema/scenario.js";
export { assert, expectText } from "./services/assertions.js";
export { emulate, emulateAll, lookup } from "./services/emulation.js";
export { waitRcu, waitRcuTasks, waitRcuTasksRude, waitRcuTasksTrace, waitSrcu } from "./services/grace-periods.js";
export { maskIrq, restartNmi, stopNmi, unmaskIrq } from "./services/interrupts.js";
export { ack, sendIpi, syncCore, syncCores, waitIpi } from "./services/ipi.js";
export { armTrap, disarmTrap, enterWindow, fence, leaveWindow, lock, unlock } from "./services/locks.js";
export { freeCode, mapCode, setMemoryNx, setMemoryRo, setMemoryRw, setMemoryX } from "./services/mappings.js";
export { freeData, maintain, publish, store, storeData } from "./services/patching.js";
export { readLock, readUnlock } from "./services/read-sections.js";
export { dataText, listed, spaced } from "./services/said.js";
export { stopMachine } from "./services/stop-machine.js";
export { publishEvent } from "./services/text-poke-events.js";
export { claim } from "./services/traps.js";
export { add, addEachCpu, free, load, put, set, setEachCpu, tryGet, until, untilEachCpu } from "./services/words.js";
export * from "./simulation.js";
export {
  type CostModel,
  type CostName,
  type CostValue,
  costNames,
  costParameters,
  withCosts,
} from "./simulator/cost-model.js";
export { costPresets } from "./simulator/presets.js";
export type { Run } from "./simulator/simulator.js";
export { TimedDriver } from "./simulator/timed-driver.js";
export type {
  Spread,
  TimedCall,
  TimedEvent,
  TimedPatcher,
  TimedRun,
  TimedScenario,
} from "./simulator/timed-scenario.js";
export { type WalkOptions, walk } from "./simulator/walk.js";
export type { Binder, Plugin } from "./wiring/container.js";
export type { SimulationOptions } from "./wiring/options.js";
export * from "./wiring/parts.js";
export { injectable, type Token, token, use, useAll } from "./wiring/tokens.js";
