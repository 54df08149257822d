// Finds the patch sites of the modules of a real kernel and checks what must hold for all of them.
// The package is the current cloud kernel by the machine's own apt configuration; nothing of the system is changed.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Meta packages that depend on the current kernel: Debian's, Ubuntu's. */
const metaPackages = ["linux-image-cloud-amd64", "linux-image-virtual"];

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

function run(program, args, cwd = scratch) {
  const result = spawnSync(program, args, { cwd, encoding: "utf8", maxBuffer: 2 ** 28 });
  return { ok: result.status === 0, out: result.stdout ?? "", error: result.error?.message ?? result.stderr ?? "" };
}

/** apt with package lists and archives of its own, so that it needs no rights. */
function apt(program, ...args) {
  const own = [`Dir::State::lists=${scratch}/lists`, `Dir::Cache=${scratch}/cache`, "Acquire::Languages=none"];
  if (process.getuid?.() === 0) own.push("APT::Sandbox::User=root");
  return run(program, [...own.flatMap((option) => ["-o", option]), ...args]);
}

function dependencies(name) {
  const { out } = apt("apt-cache", "depends", name);
  return [...out.matchAll(/^ {2}Depends: (\S+)$/gm)].map(([, dependency]) => dependency);
}

/** The packages that hold the image and the modules of the current kernel; undefined when there is none to be had. */
function resolveKernel() {
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
      const { ok, error } = run(command[0], [...command.slice(1), ...files.slice(i, i + 300)]);
      if (!ok) throw new Error(`${command[0]}: ${error}`);
    }
  }
}

function leaveOut(why) {
  console.log(`left out: ${why}`);
  console.log("0 passed, 0 failed");
  process.exit(0);
}

if (!existsSync(dist)) {
  console.error("packages/image is not built; run `npm run build` first");
  process.exit(2);
}
if (!run("apt-get", ["--version"]).ok) leaveOut("this machine has no apt-get");
mkdirSync(join(scratch, "lists/partial"), { recursive: true });
mkdirSync(join(scratch, "cache/archives/partial"), { recursive: true });
apt("apt-get", "update");
const packages = resolveKernel();
if (!packages) leaveOut(`apt knows none of ${metaPackages.join(", ")}`);
console.log(`packages: ${packages.join(", ")}`);
const download = apt("apt-get", "download", ...packages);
const unpacked = join(scratch, "unpacked");
mkdirSync(unpacked);
const archives = filesBelow(scratch, /\.deb$/);
check("the packages can be downloaded", download.ok ? [] : [download.error.trim()]);
check(
  "the packages can be unpacked",
  archives.map((file) => run("dpkg-deb", ["-x", file, unpacked])).flatMap(({ ok, error }) => (ok ? [] : [error])),
);
decompress(unpacked);

const { findSites, hazards, lineOffsets, readElf } = await import(pathToFileURL(dist).href);
const modules = filesBelow(unpacked, /\.ko$/);
const wrong = { read: [], opcode: [], fentry: [], label: [], call: [], number: [], padding: [] };
const counts = new Map();
let [sites, nameless, bytes] = [0, 0, 0];

function count(...names) {
  const name = names.join(" ");
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function displacement({ bytes: code }) {
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  return code.length === 2 ? view.getInt8(1) : view.getInt32(1, true);
}

function inspect(site, where) {
  const { kind, instruction } = site;
  count(kind);
  count("  ", kind, instruction);
  for (const hazard of hazards(site)) count("  ", kind, hazard);
  if (site.symbol === undefined) nameless++;
  if (instruction === "unknown") wrong.opcode.push(`${where}: ${kind} ${Buffer.from(site.bytes).toString("hex")}`);
  if (kind === "ftrace" && (instruction !== "call" || site.relocated !== "__fentry__")) wrong.fentry.push(where);
  if (kind === "static-call" && !/^__SC[KT]__/.test(site.key)) wrong.call.push(`${where}: key ${site.key}`);
  if (kind === "patchable-entry" && (site.length !== 16 || site.padding !== 16)) wrong.padding.push(where);
  if (kind === "jump-label") {
    const jumps = instruction.startsWith("jmp") && site.relocated === undefined;
    const reached = jumps ? Number(site.address) + site.length + displacement(site) : Number(site.target);
    if (reached !== Number(site.target) || site.key === undefined) wrong.label.push(where);
  }
  if (!lineOffsets(site).includes(Number(site.address % 64n))) wrong.number.push(where);
}

const start = performance.now();
for (const file of modules) {
  const name = file.slice(unpacked.length + 1);
  try {
    const content = readFileSync(file);
    bytes += content.length;
    const found = findSites(readElf(content, { name }));
    sites += found.length;
    found.forEach((site, i) => {
      const where = `${name} #${site.number} ${site.symbol}`;
      if (site.number !== i + 1) wrong.number.push(where);
      inspect(site, where);
    });
  } catch (error) {
    wrong.read.push(error.message);
  }
}
const seconds = (performance.now() - start) / 1000;

for (const [name, number] of [...counts].sort(([a], [b]) => (a.trim() < b.trim() ? -1 : 1))) {
  console.log(`${String(number).padStart(7)} ${name}`);
}
console.log(`${modules.length} modules, ${Math.round(bytes / 1e6)} MB, ${sites} sites in ${seconds.toFixed(2)} s`);

check("every module can be read", wrong.read);
check("there are more than 10000 jump labels, static calls and ftrace sites", sites > 10000 ? [] : [`only ${sites}`]);
const missing = ["jump-label", "ftrace", "static-call"].filter((kind) => !counts.has(kind));
check("every kind of site occurs", missing);
check("every site holds an opcode that the kernel accepts there", wrong.opcode);
check("every ftrace site calls __fentry__", wrong.fentry);
check("every jump label has a key, and its jump leads to its target", wrong.label);
check("every static call has a key of its kind", wrong.call);
check("every patchable entry is 16 bytes of padding before its function", wrong.padding);
check("sites are numbered in order, and their offsets in a line fit", wrong.number);
check("nearly every site lies in a function", nameless * 100 < sites ? [] : [`${nameless} of ${sites} do not`]);

for (const file of filesBelow(unpacked, /\/vmlinuz-?[^/]*$/)) {
  try {
    findSites(readElf(readFileSync(file), { name: "vmlinuz" }));
    check("a bzImage is refused", ["it was read"]);
  } catch (error) {
    check(
      "a bzImage is refused",
      /^vmlinuz: offset 0: this is an x86 bzImage/.test(error.message) ? [] : [error.message],
    );
  }
}

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
