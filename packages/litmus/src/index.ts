export {
  differenceFrom,
  type Expectation,
  type Expectations,
  expectationOf,
  readExpectations,
} from "./expectations.js";
export { herdText } from "./herd-text.js";
export { parseLitmus } from "./parse.js";
export { type LitmusOptions, type LitmusResult, litmusFetchModels, runLitmus } from "./run.js";
export { type LitmusAnswer, type LitmusError, type LitmusFile, type RunAllOptions, runAll } from "./run-all.js";
export type * from "./test.js";
