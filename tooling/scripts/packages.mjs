import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The packages that are published: their folders, names, and the files in `scratch` that `pnpm pack` makes of them there. */
export const publishedPackages = (scratch) =>
  readdirSync(join(root, "packages"))
    .map((folder) => join(root, "packages", folder))
    .map((folder) => ({ folder, ...JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) }))
    .filter((entry) => !entry.private)
    .map(({ folder, name, version }) => {
      const file = `${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
      return { folder, name, tarball: join(scratch, file) };
    });

/** The version of a development dependency that the workspace has installed. */
export const installedVersion = (name) =>
  JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version;
