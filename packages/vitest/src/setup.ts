import { expect } from "vitest";
import { matchers } from "./index.js";

/* Gives `expect` the matchers: for `setupFiles`, or an import of a test. */

expect.extend(matchers);
