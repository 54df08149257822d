export * from "./architecture.js";
export * from "./cpu.js";
export * from "./fetch-models.js";
export * from "./isa/index.js";
export * from "./strategies/int3.js";
export * from "./strategies/stop-machine.js";
export * from "./strategies/store.js";
export { strategies } from "./strategies/strategies.js";
