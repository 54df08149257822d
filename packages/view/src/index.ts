export type * from "./json.js";
export { placeOf, tell } from "./tell.js";
export { type Paint, renderTimeline, type TimelineOptions } from "./timeline.js";
export { valuesOf } from "./values.js";
export {
  brokenToJson,
  counterexampleToJson,
  limitText,
  toPlain,
  verdictText,
  verdictToJson,
  whyOf,
} from "./verdict.js";
export { wrap } from "./wrap.js";
