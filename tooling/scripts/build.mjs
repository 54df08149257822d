// Builds the JavaScript of every package in one process; `tsc -b` adds the declarations.
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "tsup";

process.chdir(fileURLToPath(new URL("../..", import.meta.url)));

const packages = readdirSync("packages").filter((name) => existsSync(`packages/${name}/package.json`));

await Promise.all(
  packages.map((name) => {
    const folder = `packages/${name}`;
    const entries = ["index", "main", "worker", "scan-worker", "threads", "schema", "setup", "json-schemas"]
      .map((name) => `${folder}/src/${name}.ts`)
      .filter((file) => existsSync(file));
    return build({
      config: false,
      silent: true,
      entry: entries,
      outDir: `${folder}/dist`,
      tsconfig: `${folder}/tsconfig.build.json`,
      format: "esm",
      target: "node20",
      platform: "node",
      splitting: true,
      sourcemap: true,
      clean: true,
      external: [/^[^./]/],
      removeNodeProtocol: false,
      keepNames: false, // `true` wraps every closure, fifty times slower in a loop.
    });
  }),
);
