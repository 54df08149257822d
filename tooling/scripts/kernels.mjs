// Finds the patch sites of the modules of real kernels and checks what must hold for all of them.
// The packages are the current kernels by the machine's own apt configuration; nothing of the system is changed.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { inspectInstructions } from "./kernel-instructions.mjs";

const jumps = (site) => ["jmp8", "jmp32", "b", "b.w", "jal"].includes(site.instruction);

/** ftrace rewrites one aligned instruction of the two at an entry: the second, behind the literal if there is one. */
const isEntry = ({ address, length, padding, patched }) =>
  length === padding + 8 && patched.at === padding + 4 && patched.length === 4 && Number(address) % 4 === 0;

/**
 * The architectures: the meta packages that depend on the current kernel (Debian's, Ubuntu's), what the image is called when it
 * is refused, the kinds of sites that there are, and what must hold for each.
 */
const architectures = [
  {
    name: "amd64",
    meta: ["linux-image-cloud-amd64", "linux-image-virtual"],
    image: "an x86 bzImage",
    kinds: ["jump-label", "ftrace", "static-call"],
    rules: {
      "every ftrace site calls __fentry__": ({ kind, instruction, relocated }) =>
        kind !== "ftrace" || (instruction === "call" && relocated === "__fentry__"),
      "every static call has a key of its kind": ({ kind, key }) => kind !== "static-call" || /^__SC[KT]__/.test(key),
      "every patchable entry is 16 bytes of padding before its function": ({ kind, length, padding }) =>
        kind !== "patchable-entry" || (length === 16 && padding === 16),
    },
  },
  {
    name: "arm64",
    meta: ["linux-image-cloud-arm64", "linux-image-virtual"],
    image: "an arm64 kernel Image",
    kinds: ["jump-label", "patchable-entry"],
    rules: {
      "of every entry one aligned instruction changes": (site) => site.kind !== "patchable-entry" || isEntry(site),
    },
  },
  {
    name: "armhf",
    meta: ["linux-image-armmp", "linux-image-generic"],
    kinds: ["jump-label", "ftrace"],
    rules: {
      "every ftrace site calls __gnu_mcount_nc": ({ kind, instruction, relocated }) =>
        kind !== "ftrace" || (instruction === "bl" && relocated === "__gnu_mcount_nc"),
      "everything is A32 and aligned": ({ mode, address }) => mode === "a32" && Number(address) % 4 === 0,
    },
  },
  {
    name: "riscv64",
    meta: ["linux-image-riscv64", "linux-image-virtual"],
    image: "a RISC-V kernel Image",
    kinds: ["jump-label", "patchable-entry"],
    rules: {
      "every jump label is aligned": ({ kind, address }) => kind !== "jump-label" || Number(address) % 4 === 0,
      "of every entry the pair changes, or behind a literal one aligned instruction": (site) =>
        site.kind !== "patchable-entry" || isEntry(site) || (site.padding === 0 && site.patched.length === 8),
    },
  },
];

const rulesOfAll = {
  "every site holds an opcode that the kernel accepts there": ({ instruction }) => instruction !== "unknown",
  "every jump label has a key, and its jump leads to its target": (site) => {
    if (site.kind !== "jump-label") return true;
    return site.key !== undefined && site.inReach !== false && (!jumps(site) || leadsTo(site) === Number(site.target));
  },
};

/** Where the jump of a label leads by its bytes, counted from the start of its section; its target when that is open. */
function leadsTo({ address, bytes: code, instruction, relocated, target }) {
  if (relocated !== undefined) return Number(target);
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  const here = Number(address);
  if (instruction === "jmp8") return here + 2 + view.getInt8(1);
  if (instruction === "jmp32") return here + 5 + view.getInt32(1, true);
  const word = view.getUint32(0, true);
  if (instruction === "jal") {
    const [sign, low, middle, high] = [word >> 31, (word >>> 21) & 0x3ff, (word >>> 20) & 1, (word >>> 12) & 0xff];
    return here + (sign * 2 ** 20 + high * 2 ** 12 + middle * 2 ** 11 + low * 2);
  }
  return word >>> 26 === 5 ? here + ((word << 6) >> 4) : here + 8 + ((word << 8) >> 6);
}

const dist = fileURLToPath(new URL("../../packages/image/dist/index.js", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "cmodx-kernels-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

let passed = 0;
let failed = 0;

/** Counts one check; `wrong` lists what breaks it. */
function check(title, wrong) {
  if (wrong.length === 0) passed++;
  else failed++;
  console.log(`${wrong.length === 0 ? "ok    " : "FAILED"} ${title}`);
  for (const line of wrong.slice(0, 5)) console.log(`         ${line}`);
  if (wrong.length > 5) console.log(`         and ${wrong.length - 5} more`);
}

function run(program, args, cwd) {
  const result = spawnSync(program, args, { cwd, encoding: "utf8", maxBuffer: 2 ** 28 });
  return { ok: result.status === 0, out: result.stdout ?? "", error: result.error?.message ?? result.stderr ?? "" };
}

/** apt for one architecture, with package lists and archives of its own, so that it needs no rights. */
function aptFor(name, folder) {
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

function filesBelow(folder, pattern) {
  return readdirSync(folder, { recursive: true })
    .map((file) => join(folder, file.toString()))
    .filter((file) => pattern.test(file));
}

/** Unpacks compressed modules in place; a few hundred to a call keep the command line short. */
function decompress(folder) {
  for (const [pattern, ...command] of [
    [/\.ko\.xz$/, "xz", "-d"],
    [/\.ko\.zst$/, "zstd", "-d", "-q", "--rm"],
    [/\.ko\.gz$/, "gzip", "-d"],
  ]) {
    const files = filesBelow(folder, pattern);
    for (let i = 0; i < files.length; i += 300) {
      const { ok, error } = run(command[0], [...command.slice(1), ...files.slice(i, i + 300)], folder);
      if (!ok) throw new Error(`${command[0]}: ${error}`);
    }
  }
}

/** The kernel's files in a folder; undefined, with the reason said, when there are none to be had. */
function fetchKernel({ name, meta }, folder) {
  const apt = aptFor(name, folder);
  apt("apt-get", "update");
  const packages = resolveKernel(apt, meta);
  if (!packages) {
    console.log(`left out: apt knows none of ${meta.join(", ")}`);
    return undefined;
  }
  console.log(`packages: ${packages.join(", ")}`);
  const download = apt("apt-get", "download", ...packages);
  const unpacked = join(folder, "unpacked");
  mkdirSync(unpacked);
  check(`${name}: the packages can be downloaded`, download.ok ? [] : [download.error.trim()]);
  check(
    `${name}: the packages can be unpacked`,
    filesBelow(folder, /\.deb$/)
      .map((file) => run("dpkg-deb", ["-x", file, unpacked], folder))
      .flatMap(({ ok, error }) => (ok ? [] : [error])),
  );
  decompress(unpacked);
  return unpacked;
}

/** Reads every module, counts what is in it and checks the rules. */
function inspectModules({ name, kinds, rules }, unpacked) {
  const wrong = { read: [], number: [] };
  const broken = new Map(Object.keys({ ...rulesOfAll, ...rules }).map((rule) => [rule, []]));
  const counts = new Map();
  const count = (...names) => counts.set(names.join(" "), (counts.get(names.join(" ")) ?? 0) + 1);
  const modules = filesBelow(unpacked, /\.ko$/);
  let [all, nameless, bytes] = [0, 0, 0];
  const start = performance.now();
  for (const file of modules) {
    const module = file.slice(unpacked.length + 1);
    try {
      const content = readFileSync(file);
      bytes += content.length;
      const found = findSites(readElf(content, { name: module }));
      all += found.length;
      found.forEach((site, i) => {
        const where = `${module} #${site.number} ${site.symbol}: ${site.kind} ${Buffer.from(site.bytes).toString("hex")}`;
        if (site.number !== i + 1 || !lineOffsets(site).includes(Number(site.address % 64n))) wrong.number.push(where);
        count(site.kind);
        count("  ", site.kind, site.instruction);
        for (const hazard of hazards(site)) count("  ", site.kind, hazard);
        if (site.symbol === undefined) nameless++;
        for (const [rule, holds] of Object.entries({ ...rulesOfAll, ...rules })) {
          if (!holds(site)) broken.get(rule).push(where);
        }
      });
    } catch (error) {
      wrong.read.push(error.message);
    }
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(2);
  for (const [counted, number] of [...counts].sort(([a], [b]) => (a.trim() < b.trim() ? -1 : 1))) {
    console.log(`${String(number).padStart(7)} ${counted}`);
  }
  console.log(`${modules.length} modules, ${Math.round(bytes / 1e6)} MB, ${all} sites in ${seconds} s`);

  check(`${name}: every module can be read`, wrong.read);
  check(`${name}: there are more than 10000 sites`, all > 10000 ? [] : [`only ${all}`]);
  check(
    `${name}: every kind of site occurs`,
    kinds.filter((kind) => !counts.has(kind)),
  );
  for (const [rule, places] of broken) check(`${name}: ${rule}`, places);
  check(`${name}: sites are numbered in order, and their offsets in a line fit`, wrong.number);
  check(`${name}: nearly every site lies in a function`, nameless * 100 < all ? [] : [`${nameless} of ${all} do not`]);
}

/** A kernel's image is no ELF file, and refused with the reason. */
function refuseImage({ name, image }, unpacked) {
  for (const file of image ? filesBelow(unpacked, /\/vmlinu[xz]-?[^/]*$/) : []) {
    try {
      findSites(readElf(readFileSync(file), { name: "vmlinuz" }));
      check(`${name}: the kernel's image is refused`, ["it was read"]);
    } catch (error) {
      const expected = error.message.startsWith(`vmlinuz: offset 0: this is ${image}`);
      check(`${name}: the kernel's image is refused`, expected ? [] : [error.message]);
    }
  }
}

if (!existsSync(dist)) {
  console.error("packages/image is not built; run `npm run build` first");
  process.exit(2);
}
const { findSites, hazards, lineOffsets, readElf } = await import(pathToFileURL(dist).href);

if (!run("apt-get", ["--version"], scratch).ok) console.log("left out: this machine has no apt-get");
else {
  for (const architecture of architectures) {
    console.log(`\n${architecture.name}`);
    const folder = join(scratch, architecture.name);
    const unpacked = fetchKernel(architecture, folder);
    if (unpacked === undefined) continue;
    inspectModules(architecture, unpacked);
    await inspectInstructions(architecture.name, filesBelow(unpacked, /\.ko$/), check);
    refuseImage(architecture, unpacked);
    rmSync(folder, { recursive: true });
  }
}

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
