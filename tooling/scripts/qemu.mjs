// Boots kernels under qemu and compares what they say of themselves with what is found in their files: how many functions ftrace knows,
// which places change when a static key is turned, and on amd64 each write to code, by address and bytes, in order. There the log that
// `cmodx conform --how` tells how to make is held against int3 too.
//
// npm run test:qemu [-- --only ARCH]... [--kernel ARCH=FILE]... [--log FOLDER]
// Without --kernel it is the current kernel of each architecture by the machine's own apt configuration, where there is one; else that
// of the same archive's stable release.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { aptWithKernel, filesBelow, unpackPackages } from "./kernel-packages.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A key with some dozens of labels, which a file of /proc turns. */
const KEY = "sched_schedstats";

/** It ends a boot that hangs; how long one takes decides nothing. */
const HANGS = 900_000;

/** How a kernel of each architecture is booted; `patcher` is called once for each label. */
const architectures = {
  amd64: {
    meta: ["linux-image-cloud-amd64", "linux-image-virtual"],
    command: "qemu-system-x86_64 -M q35 -cpu max",
    console: "ttyS0 tsc=unstable",
  },
  arm64: {
    meta: ["linux-image-cloud-arm64", "linux-image-virtual"],
    command: "qemu-system-aarch64 -M virt -cpu cortex-a72",
    console: "ttyAMA0",
    patcher: "arch_jump_label_transform_queue",
  },
  armhf: {
    meta: ["linux-image-armmp", "linux-image-generic"],
    command: "qemu-system-arm -M virt,highmem=off -cpu cortex-a15",
    console: "ttyAMA0",
    patcher: "arch_jump_label_transform",
  },
  riscv64: {
    meta: ["linux-image-riscv64", "linux-image-virtual"],
    command: "qemu-system-riscv64 -M virt",
    console: "ttyS0",
    patcher: "arch_jump_label_transform_queue",
  },
};

/** The first program of the machine. Lines that begin with @@ are read below. */
const init = (name) => `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t tracefs none /sys/kernel/tracing
cd /sys/kernel/tracing
echo "@@UNAME $(uname -a)"
echo "@@TOTAL $(head -n 1 dyn_ftrace_total_info)"
${
  name === "amd64"
    ? `echo 'p:tp __text_poke addr=%si:x64 len=%cx:u64 ${[0, 1, 2, 3, 4].map((i) => `b${i}=+${i}(%dx):x8`).join(" ")}' > kprobe_events
echo 1 > events/kprobes/tp/enable`
    : `echo ${architectures[name].patcher} > set_ftrace_filter
echo function > current_tracer`
}
echo 1 > /proc/sys/kernel/${KEY}
echo 0 > tracing_on
echo "@@TRACE"
grep -v '^#' trace
echo "@@END"
${
  name === "amd64"
    ? `echo 0 > events/kprobes/tp/enable
echo > kprobe_events
echo 0 > /proc/sys/kernel/${KEY}
sh /how.sh /log.txt
echo "@@LOG"
cat /log.txt
echo "@@LOGEND"`
    : ""
}
poweroff -f
`;

/** An archive for the kernel to unpack (Linux Documentation/driver-api/early-userspace/buffer-format.rst, `newc`). */
function archive(entries) {
  const align = (bytes) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
  const field = (value) => value.toString(16).padStart(8, "0");
  const entry = ({ name, mode, content = Buffer.alloc(0) }, i) => {
    const fields = [i + 1, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length + 1, 0].map(field).join("");
    return Buffer.concat([align(Buffer.from(`070701${fields}${name}\0`)), align(content)]);
  };
  return Buffer.concat([...entries, { name: "TRAILER!!!", mode: 0 }].map(entry));
}

const cmodx = (...args) => spawnSync(process.execPath, [join(root, "packages/cli/bin/cmodx.js"), ...args]);

const initramfs = (name, busybox) =>
  gzipSync(
    archive([
      ...["bin", "proc", "sys", "dev"].map((folder) => ({ name: folder, mode: 0o40755 })),
      { name: "bin/busybox", mode: 0o100755, content: readFileSync(busybox) },
      { name: "init", mode: 0o100755, content: Buffer.from(init(name)) },
      ...(name === "amd64" ? [{ name: "how.sh", mode: 0o100644, content: cmodx("conform", "--how").stdout }] : []),
    ]),
  );

let passed = 0;
let failed = 0;

/** Counts one check; `wrong` says what breaks it, where something does. */
function check(title, wrong) {
  if (wrong === undefined) passed++;
  else failed++;
  console.log(`${wrong === undefined ? "ok    " : "FAILED"} ${title}${wrong === undefined ? "" : `: ${wrong}`}`);
}

const hexOf = (bytes) => Buffer.from(bytes).toString("hex");

/** The writes that the kernel logged. */
const logged = (trace) =>
  trace.flatMap((line) => {
    const field = (name) => new RegExp(`\\b${name}=(\\w+)`).exec(line)?.[1];
    if (field("addr") === undefined) return [];
    const bytes = [0, 1, 2, 3, 4].map((i) => Number(field(`b${i}`))).slice(0, Number(field("len")));
    return [{ address: BigInt(field("addr")), text: `${field("addr")} ${hexOf(bytes)}` }];
  });

function compareWrites(name, sites, trace, toggleWrites) {
  const predicted = toggleWrites(sites, KEY).map(({ address, bytes }) => `0x${address.toString(16)} ${hexOf(bytes)}`);
  const labels = sites.filter(({ kind, key }) => kind === "jump-label" && key === KEY);
  const isLabel = ({ address }) =>
    labels.some((site) => address >= site.address && address < site.address + BigInt(site.length));
  const all = logged(trace);
  const own = all.filter(isLabel).map(({ text }) => text);
  const wrong = predicted.findIndex((write, i) => write !== own[i]);
  const same = wrong < 0 && own.length === predicted.length;
  check(
    `${name}: the ${predicted.length} writes of ${KEY} among the ${all.length} of the kernel, address, bytes and order`,
    same ? undefined : `${own.length} were logged; write ${wrong + 1} is ${own[wrong]}, not ${predicted[wrong]}`,
  );
}

/** Holds the log of a whole patching against the strategy that the kernel has. */
function compareStrategy(name, log, scratch) {
  const file = join(scratch, "log.txt");
  writeFileSync(file, `${log.join("\n")}\n`);
  const { status, stdout, stderr } = cmodx("conform", file, "--strategy", "int3", "--json");
  const said = status === 2 ? undefined : JSON.parse(stdout);
  check(
    `${name}: a log of ${said?.changes ?? 0} changes conforms to int3`,
    status === 0 ? undefined : `${stdout}${stderr}`.slice(0, 2000),
  );
}

async function boot(name, kernel, busybox, scratch, log) {
  const { command, console: serial, patcher } = architectures[name];
  const image = await readImage(readFileSync(kernel), { name: basename(kernel) });
  const sites = findSites(image);
  const disk = join(scratch, `${name}.cpio.gz`);
  writeFileSync(disk, initramfs(name, busybox));
  const [program, ...machine] = command.split(" ");
  const append = `console=${serial} panic=-1 quiet nokaslr`;
  const { stdout } = spawnSync(
    program,
    [
      ...machine,
      ..."-smp 2 -m 1024 -nographic -no-reboot".split(" "),
      "-kernel",
      kernel,
      "-initrd",
      disk,
      "-append",
      append,
    ],
    { encoding: "latin1", stdio: ["ignore", "pipe", "ignore"], timeout: HANGS, maxBuffer: 2 ** 28 },
  );
  if (log !== undefined) {
    mkdirSync(log, { recursive: true });
    writeFileSync(join(log, `${name}-${basename(kernel)}.log`), stdout);
  }
  const lines = stdout.split(/\r*\n/);
  const said = (word) =>
    lines
      .find((line) => line.includes(word))
      ?.split(word)[1]
      ?.trim();
  const between = (...words) => {
    const [from, to] = words.map((word) => lines.findIndex((line) => line.includes(word)));
    return from < 0 || to < 0 ? undefined : lines.slice(from + 1, to);
  };
  const trace = between("@@TRACE", "@@END");
  check(
    `${name}: ${said("@@UNAME") ?? basename(kernel)} boots`,
    trace === undefined ? "it did not come to its end" : undefined,
  );
  if (trace === undefined) return;
  const total = Number(/^\d+/.exec(said("@@TOTAL") ?? "")?.[0]);
  const functions = sites.filter(
    ({ kind, init: freed, patched }) =>
      (kind === "ftrace" || (kind === "patchable-entry" && patched.length > 0)) && freed !== true,
  ).length;
  check(`${name}: ftrace knows ${total} functions`, total === functions ? undefined : `the file has ${functions}`);
  const labels = sites.filter(
    ({ kind, key, init: freed }) => kind === "jump-label" && key === KEY && freed !== true,
  ).length;
  if (labels === 0) return console.log(`       ${name}: left out: this kernel's symbols do not name the key ${KEY}`);
  if (patcher === undefined) {
    compareWrites(name, sites, trace, toggleWrites);
    return compareStrategy(name, between("@@LOG", "@@LOGEND") ?? [], scratch);
  }
  const calls = trace.filter((line) => line.includes(`${patcher} <-`)).length;
  check(`${name}: ${calls} labels of ${KEY} were turned`, calls === labels ? undefined : `the file has ${labels}`);
}

const dist = join(root, "packages/image/dist/index.js");
if (!existsSync(dist)) {
  console.error("packages/image is not built; run `npm run build` first");
  process.exit(2);
}
const { findSites, readImage, toggleWrites } = await import(pathToFileURL(dist).href);
const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: Object.keys(architectures) },
    kernel: { type: "string", multiple: true, default: [] },
    log: { type: "string" },
  },
});
const scratch = mkdtempSync(join(tmpdir(), "cmodx-qemu-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

const found = (program) => spawnSync(program, ["--version"]).status === 0;
const asked = values.kernel.map((each) => [each.slice(0, each.indexOf("=")), each.slice(each.indexOf("=") + 1)]);
const wanted = asked.length > 0 ? asked : values.only.map((name) => [name, undefined]);
if (!found("apt-get")) console.log("left out: this machine has no apt-get");
else {
  for (const [name, file] of wanted) {
    const [program] = architectures[name].command.split(" ");
    if (!found(program)) {
      console.log(`${name}: left out: this machine has no ${program}`);
      continue;
    }
    const folder = mkdtempSync(join(scratch, `${name}-`));
    const unpacked = join(folder, "unpacked");
    mkdirSync(unpacked);
    const { apt, packages: current } = aptWithKernel(name, folder, architectures[name].meta);
    const packages = file === undefined ? current : [];
    if (packages === undefined) {
      console.log(`${name}: left out: apt knows no kernel of it`);
      continue;
    }
    const download = apt("apt-get", "download", "busybox-static", ...packages);
    const errors = unpackPackages(folder, unpacked);
    check(
      `${name}: the packages can be had`,
      download.ok && errors.length === 0 ? undefined : `${download.error}${errors}`,
    );
    const [busybox] = filesBelow(unpacked, /\/bin\/busybox$/);
    const kernel = file ?? filesBelow(unpacked, /\/(vmlinu[xz]|Image)(-[^/]*)?$/)[0];
    if (busybox && kernel) await boot(name, kernel, busybox, folder, values.log);
    rmSync(folder, { recursive: true });
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
