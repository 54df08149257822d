import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";
import { mutant } from "./tooling/mutants/plugin.mjs";

// Packages find each other's sources, so unit tests need no build.
const conditions = ["@cmodx/source", ...defaultServerConditions];

const root = fileURLToPath(new URL(".", import.meta.url));
const projects = ["packages", "examples"]
  .filter((folder) => existsSync(`${root}${folder}`))
  .flatMap((folder) => readdirSync(`${root}${folder}`).map((name) => `${folder}/${name}`))
  .filter((folder) => existsSync(`${root}${folder}/package.json`))
  .concat("tooling");

/** The configuration of the suites whose files match `include`. */
export const suites = (include: string) => ({
  plugins: [mutant()],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    setupFiles: ["reflect-metadata"],
    // It ends a test that hangs; how long one takes on a busy machine decides nothing.
    testTimeout: 600_000,
    // Vitest leaves one CPU to its own process, which has little to do here.
    maxWorkers: "100%",
    // Modules are loaded once for each worker and not for each file: no module keeps anything that a test could change for another.
    isolate: false,
    projects: projects.map((folder) => ({
      // `true` inherits all of the above; project files of their own would not.
      extends: true as const,
      test: { name: folder.replace("packages/", ""), root: `${root}${folder}`, include: [include] },
    })),
    coverage: { provider: "v8" as const, include: ["packages/*/src/**"] },
  },
});

export default defineConfig(suites("test/**/*.test.ts"));
