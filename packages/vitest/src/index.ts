import type {} from "vitest";

export { answerOf, brokenBy } from "./answers.js";
export { environments, type FlipOptions, type Harness, harness } from "./harness.js";
export { matchers, type Question } from "./matchers.js";

declare module "vitest" {
  // biome-ignore lint/suspicious/noExplicitAny: the parameter has to be as vitest declares it
  interface Matchers<T = any> {
    /** The scenario is safe: everything was seen, and nothing broke. Fails with the verdict, and the run that breaks it. */
    toBeSafe(): Promise<void>;
    /** Some run breaks this property, whatever others break beside it. */
    toBreak(property: string): Promise<void>;
  }
}
