/*
 * The schemas of what comes from outside, and what they are made of: `@cmodx/core/schema`. They are values of valibot, so that its tools
 * take them.
 */

export { pluginSchema } from "./schema/architecture.js";
export { codeBlockSchema, codeSchema, dataBlockSchema } from "./schema/code.js";
export { lineForms, lineSchema, programSchema } from "./schema/program.js";
export { scenarioSchema } from "./schema/scenario.js";
export * from "./schema/schema.js";
export { strategySchema } from "./schema/strategy.js";
