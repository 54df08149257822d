export * from "./entry.js";
export { entriesOf, gallery } from "./gallery.js";
export * from "./judge.js";
