export * from "./page.js";
export * from "./page-writer.js";
