export * from "./architecture.js";
export type { CacheType } from "./cache.js";
export { type CmodxList, cmodxLists } from "./cmodx.js";
export * from "./isa/index.js";
export * from "./strategies/index.js";
