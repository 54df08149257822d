// Finds the patch sites of real kernels and of their modules, as they are shipped, and checks what must hold for all of them.
// The packages are the current kernels by the machine's own apt configuration, or those of the
// archive's stable release where it has no others; nothing of the system is changed.
// amd64 and arm64; with --all also armhf and riscv64.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { checkSites } from "./kernel-checks.mjs";
import { inspectInstructions } from "./kernel-instructions.mjs";
import { aptFor, aptWithKernel, filesBelow, run, unpackPackages } from "./kernel-packages.mjs";

const jumps = (site) => ["jmp8", "jmp32", "b", "b.w", "jal"].includes(site.instruction);

/** ftrace rewrites one aligned instruction of the two at an entry: the second, behind the literal if there is one. */
const isEntry = ({ address, length, padding, patched }) =>
  length === padding + 8 && patched.at === padding + 4 && patched.length === 4 && Number(address) % 4 === 0;

/**
 * The architectures: the meta packages that depend on the current kernel (Debian's, Ubuntu's), the kinds of sites that there are, and
 * what must hold for each of a module.
 */
const architectures = [
  {
    name: "amd64",
    meta: ["linux-image-cloud-amd64", "linux-image-virtual"],
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
    kinds: ["jump-label", "patchable-entry"],
    rules: {
      "of every entry one aligned instruction changes": (site) => site.kind !== "patchable-entry" || isEntry(site),
    },
  },
  {
    name: "armhf",
    extra: true,
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
    extra: true,
    meta: ["linux-image-riscv64", "linux-image-virtual"],
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
    return (
      site.key !== undefined &&
      site.inReach !== false &&
      (!jumps(site) || leadsTo(site) === Number(site.target - site.address))
    );
  },
};

/** What must hold for each site of a kernel, which is linked. */
const rulesOfImages = {
  ...rulesOfAll,
  "every site has its place in memory": ({ linked, fixed }) => linked && fixed,
};

/** How far the jump of a label leads by its bytes; to its target when that is open. */
function leadsTo({ address, bytes: code, instruction, relocated, target }) {
  if (relocated !== undefined) return Number(target - address);
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  if (instruction === "jmp8") return 2 + view.getInt8(1);
  if (instruction === "jmp32") return 5 + view.getInt32(1, true);
  const word = view.getUint32(0, true);
  if (instruction === "jal") {
    const [sign, low, middle, high] = [word >> 31, (word >>> 21) & 0x3ff, (word >>> 20) & 1, (word >>> 12) & 0xff];
    return sign * 2 ** 20 + high * 2 ** 12 + middle * 2 ** 11 + low * 2;
  }
  return word >>> 26 === 5 ? (word << 6) >> 4 : 8 + ((word << 8) >> 6);
}

const dist = fileURLToPath(new URL("../../packages/image/dist/index.js", import.meta.url));
const truth = new URL("../../packages/image/fixtures/linux-6.1.176-cloud-amd64.sched_schedstats.json", import.meta.url);
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

/** Unpacks compressed modules in place, for tools that read no others; a few hundred to a call keep the command line short. */
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
  const { apt, packages } = aptWithKernel(name, folder, meta);
  if (!packages) {
    console.log(`left out: apt knows none of ${meta.join(", ")}`);
    return undefined;
  }
  console.log(`packages: ${packages.join(", ")}`);
  const download = apt("apt-get", "download", ...packages);
  const unpacked = join(folder, "unpacked");
  mkdirSync(unpacked);
  check(`${name}: the packages can be downloaded`, download.ok ? [] : [download.error.trim()]);
  check(`${name}: the packages can be unpacked`, unpackPackages(folder, unpacked));
  return { unpacked, packages };
}

/** Reads every module as it is shipped, counts what is in it and checks the rules. */
async function inspectModules({ name, kinds, rules }, unpacked) {
  const wrong = { read: [], number: [] };
  const broken = new Map(Object.keys({ ...rulesOfAll, ...rules }).map((rule) => [rule, []]));
  const counts = new Map();
  const count = (...names) => counts.set(names.join(" "), (counts.get(names.join(" ")) ?? 0) + 1);
  const modules = filesBelow(unpacked, /\.ko(\.(gz|xz|zst))?$/);
  let [all, nameless, bytes] = [0, 0, 0];
  const start = performance.now();
  for (const file of modules) {
    const module = file.slice(unpacked.length + 1);
    try {
      const content = readFileSync(file);
      bytes += content.length;
      const found = findSites(await readImage(content, { name: module }));
      all += found.length;
      for (const [i, site] of found.entries()) {
        const where = `${module} #${site.number} ${site.symbol}: ${site.kind} ${Buffer.from(site.bytes).toString("hex")}`;
        const step = Math.min(site.alignment, 64);
        const fits = lineOffsets(site).every((offset) => offset % step === Number(site.address) % step);
        if (site.number !== i + 1 || !fits) wrong.number.push(where);
        count(site.kind);
        count("  ", site.kind, site.instruction);
        for (const hazard of hazards(site)) count("  ", site.kind, hazard);
        if (site.symbol === undefined) nameless++;
        for (const [rule, holds] of Object.entries({ ...rulesOfAll, ...rules })) {
          if (!holds(site)) broken.get(rule).push(where);
        }
      }
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

const sum = (counts) => [...counts.values()].reduce((all, one) => all + one, 0);

/** Reads the kernel itself as it is shipped, finds its tables by the symbols that it has of itself, and checks the rules. */
async function inspectImage({ name, kinds }, { unpacked, packages }) {
  const files = filesBelow(unpacked, /\/(vmlinu[xz]|Image)(-[^/]*)?$/);
  check(`${name}: there is a kernel`, files.length > 0 ? [] : ["none was found"]);
  for (const file of files) {
    const broken = new Map(Object.keys(rulesOfImages).map((rule) => [rule, []]));
    const counts = new Map();
    let nameless = 0;
    const image = await readImage(readFileSync(file), { name: file.slice(unpacked.length + 1) });
    const found = findSites(image);
    for (const site of found) {
      const where = `${site.kind} #${site.number} ${site.symbol}: ${Buffer.from(site.bytes).toString("hex")}`;
      counts.set(site.kind, (counts.get(site.kind) ?? 0) + 1);
      if (site.symbol === undefined) nameless++;
      for (const [rule, holds] of Object.entries(rulesOfImages)) if (!holds(site)) broken.get(rule).push(where);
    }
    console.log(`${image.name}: ${[...counts].map(([kind, number]) => `${number} ${kind}`).join(", ")}`);
    check(`${name}: the kernel has more than 30000 sites`, sum(counts) > 30000 ? [] : [`only ${sum(counts)}`]);
    check(
      `${name}: the kernel has every kind of site`,
      kinds.filter((kind) => !counts.has(kind)),
    );
    for (const [rule, places] of broken) check(`${name}: of the kernel: ${rule}`, places);
    check(
      `${name}: nearly every site of the kernel lies in a function`,
      nameless * 100 < found.length ? [] : [nameless],
    );
    const calls = new Set(found.filter(({ kind }) => kind === "ftrace").map(({ target }) => target));
    check(`${name}: every call of the tracer in the kernel leads to one place`, calls.size <= 1 ? [] : [...calls]);
    if (packages.includes(measured)) compareWithTruth(found);
  }
}

/** The kernel whose own counts and writes are known, while archives still have it. */
const measured = "linux-image-6.1.0-50-cloud-amd64";

function fetchMeasured(folder) {
  const apt = aptFor("amd64", folder);
  apt("apt-get", "update");
  const unpacked = join(folder, "unpacked");
  mkdirSync(unpacked);
  if (!apt("apt-get", "download", measured).ok) {
    console.log(`left out: apt no longer has ${measured}`);
    return undefined;
  }
  unpackPackages(folder, unpacked);
  return { unpacked, packages: [measured] };
}

/** What that kernel was seen to have while it ran, and what the tests have of it. */
function compareWithTruth(found) {
  const kept = found.filter(({ kind, init }) => kind === "ftrace" && !init).length;
  check("6.1.176: as many functions as the running kernel counted", kept === 35521 ? [] : [`${kept}, not 35521`]);
  const extract = JSON.parse(readFileSync(truth, "utf8")).map((site) => JSON.stringify(site));
  const labels = found
    .filter(({ kind, key }) => kind === "jump-label" && key === "sched_schedstats")
    .map(({ address, bytes, target, key }) => ({
      address: `0x${address.toString(16)}`,
      bytes: Buffer.from(bytes).toString("hex"),
      target: `0x${target.toString(16)}`,
      key,
    }))
    .map((site) => JSON.stringify(site));
  check(
    "6.1.176: the labels of sched_schedstats are those of the extract",
    labels.length === extract.length ? labels.filter((label, i) => label !== extract[i]) : [`${labels.length} labels`],
  );
}

if (!existsSync(dist)) {
  console.error("packages/image is not built; run `npm run build` first");
  process.exit(2);
}
const { findSites, hazards, lineOffsets, readImage } = await import(pathToFileURL(dist).href);

if (!run("apt-get", ["--version"], scratch).ok) console.log("left out: this machine has no apt-get");
else {
  const all = process.argv.includes("--all");
  for (const architecture of architectures.filter(({ extra }) => all || !extra)) {
    console.log(`\n${architecture.name}`);
    const folder = join(scratch, architecture.name);
    const kernel = fetchKernel(architecture, folder);
    if (kernel === undefined) continue;
    await inspectImage(architecture, kernel);
    await inspectModules(architecture, kernel.unpacked);
    decompress(kernel.unpacked);
    await inspectInstructions(architecture.name, filesBelow(kernel.unpacked, /\.ko$/), check);
    checkSites(architecture.name, filesBelow(kernel.unpacked, /\.ko$/), check);
    rmSync(folder, { recursive: true });
  }
  console.log("\nmeasured");
  const kernel = fetchMeasured(join(scratch, "measured"));
  if (kernel !== undefined) await inspectImage(architectures[0], kernel);
}

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
