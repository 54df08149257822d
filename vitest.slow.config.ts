import { defineConfig } from "vitest/config";
import { suites } from "./vitest.config.js";

/** Suites that take minutes: `npm run test:slow`. */
export default defineConfig(suites("test/**/*.slow.ts"));
