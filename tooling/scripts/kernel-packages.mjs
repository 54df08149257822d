// Packages of the machine's own apt configuration, of any architecture, downloaded and unpacked; nothing of the system is changed.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Runs a program to its end. */
export function run(program, args, cwd) {
  const result = spawnSync(program, args, { cwd, encoding: "utf8", maxBuffer: 2 ** 28 });
  return { ok: result.status === 0, out: result.stdout ?? "", error: result.error?.message ?? result.stderr ?? "" };
}

/** The files in a folder and below whose paths match. */
export function filesBelow(folder, pattern) {
  return readdirSync(folder, { recursive: true })
    .map((file) => join(folder, file.toString()))
    .filter((file) => pattern.test(file));
}

/** The keys that Debian's archive is signed with, where its package of them is installed. */
const DEBIAN_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * A line of sources for the stable release of the archive that the machine is configured for: an older one has not every architecture.
 * Undefined where that is not Debian's.
 */
function stableOf() {
  const { out } = run("apt-get", ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]);
  const uri = out.split("\n").find((line) => /\/debian\/?$/.test(line));
  return uri && existsSync(DEBIAN_KEYS) ? `deb [signed-by=${DEBIAN_KEYS}] ${uri} stable main` : undefined;
}

/**
 * apt for one architecture that the machine's archive has a kernel of, and which packages these are: of the release that the machine is
 * configured for, else of the stable one. `packages` is undefined where neither has.
 */
export function aptWithKernel(name, folder, metaPackages) {
  const apt = aptFor(name, folder);
  apt("apt-get", "update");
  const packages = resolveKernel(apt, metaPackages);
  const stable = packages === undefined ? stableOf() : undefined;
  if (stable === undefined) return { apt, packages };
  const other = aptFor(name, folder, stable);
  other("apt-get", "update");
  return { apt: other, packages: resolveKernel(other, metaPackages) };
}

/** apt for one architecture, with package lists and archives of its own, so that it needs no rights; `source` in place of the machine's. */
export function aptFor(name, folder, source) {
  mkdirSync(join(folder, "lists/partial"), { recursive: true });
  mkdirSync(join(folder, "cache/archives/partial"), { recursive: true });
  // An empty list alone would add to the system's; `#clear` needs a file.
  const config = join(folder, "apt.conf");
  const own = [
    `APT::Architecture "${name}";`,
    "#clear APT::Architectures;",
    `APT::Architectures { "${name}"; };`,
    `Dir::State::lists "${folder}/lists";`,
    `Dir::State::status "${folder}/status";`,
    `Dir::Cache "${folder}/cache";`,
    'Acquire::Languages "none";',
  ];
  if (source !== undefined) {
    writeFileSync(join(folder, "sources.list"), `${source}\n`);
    own.push(`Dir::Etc::sourcelist "${folder}/sources.list";`, 'Dir::Etc::sourceparts "/dev/null";');
  }
  if (process.getuid?.() === 0) own.push('APT::Sandbox::User "root";');
  writeFileSync(config, `${own.join("\n")}\n`);
  writeFileSync(join(folder, "status"), "");
  return (program, ...args) => run(program, ["-c", config, ...args], folder);
}

/** The packages that hold the image and the modules of the current kernel; undefined when there is none to be had. */
function resolveKernel(apt, metaPackages) {
  const dependencies = (name) => {
    const { out } = apt("apt-cache", "depends", name);
    return [...out.matchAll(/^ {2}Depends: ([^:\s]+)/gm)].map(([, dependency]) => dependency);
  };
  for (const meta of metaPackages) {
    const image = dependencies(meta).find((name) => /^linux-image-\d/.test(name));
    if (image) return [image, ...dependencies(image).filter((name) => /^linux-(modules|binary)-\d/.test(name))];
  }
  return undefined;
}

/** Unpacks all downloaded packages of a folder into another; the errors. */
export function unpackPackages(folder, unpacked) {
  return filesBelow(folder, /\.deb$/)
    .map((file) => run("dpkg-deb", ["-x", file, unpacked], folder))
    .flatMap(({ ok, error }) => (ok ? [] : [error]));
}
