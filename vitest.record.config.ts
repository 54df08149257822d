import { defineConfig } from "vitest/config";
import { suites } from "./vitest.config.js";

/** Suites that need perf, trace-cmd and babeltrace2: `npm run test:record`. */
export default defineConfig(suites("test/**/*.record.ts"));
