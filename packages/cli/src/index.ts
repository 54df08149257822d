export { run } from "./cli.js";
export type { Io } from "./io.js";
export type * from "./json.js";
export type { ArchitecturePackage, CmodxPlugin } from "./plugin.js";
