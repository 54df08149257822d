// Kernels and modules read as they are shipped, beside the tools that do a part of it in the same run: ratios of CPU time.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findSites, readImage } from "@cmodx/image";

/** Files of a tree are named to a tool so many at a time. */
const AT_ONCE = 500;

/** Seconds of CPU that a shell's `times` says its children took: the second line, `0m1.5s 0m0.1s`. */
const childSeconds = (text) =>
  [...(text.trim().split("\n")[1] ?? "").matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  );

/** CPU time in seconds of a command with the files behind it; undefined where it is not installed. */
const timeOf = (command, files) => {
  if (spawnSync("bash", ["-c", `command -v ${command.split(" ")[0]}`]).status !== 0) return undefined;
  let sum = 0;
  for (let i = 0; i < files.length; i += AT_ONCE) {
    const args = ["-c", `${command} "$@" >/dev/null 2>&1; times`, "bash", ...files.slice(i, i + AT_ONCE)];
    sum += childSeconds(spawnSync("bash", args, { encoding: "utf8" }).stdout);
  }
  return sum;
};

/** CPU time in seconds of finding all sites of the files, and how many there are. */
const ours = async (files) => {
  const before = process.cpuUsage();
  let sites = 0;
  for (const file of files) sites += findSites(await readImage(readFileSync(file), { name: file })).length;
  const { user, system } = process.cpuUsage(before);
  return { seconds: (user + system) / 1e6, sites };
};

/** What is read, and what it is compared with. */
const parts = [
  { name: "modules, unpacked", files: /\.ko$/, command: "objdump -d", most: 1.5 },
  { name: "modules, .ko.xz", files: /\.ko\.xz$/, command: "xz -dc", most: 2.5 },
];

/** What unpacks a stream, by its first bytes in hexadecimal. */
const unpackers = { "28b52ffd": "zstd -dcq", fd377a58: "xz -dcq", "02214c18": "lz4 -dcq" };

/**
 * CPU time in seconds of unpacking an x86 kernel and `readelf -Sr` of it; undefined where a tool is missing, or it is no such kernel.
 * (Linux Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length)
 */
const timeOfReadelf = (file) => {
  const kernel = readFileSync(file);
  if (kernel.length < 0x250 || kernel.toString("latin1", 0x202, 0x206) !== "HdrS") return undefined;
  const begin = ((kernel[0x1f1] || 4) + 1) * 512 + kernel.readUInt32LE(0x248);
  // The last four bytes are the size of what is packed.
  const payload = kernel.subarray(begin, begin + kernel.readUInt32LE(0x24c) - 4);
  const unpacker = unpackers[payload.toString("hex", 0, 4)];
  if (unpacker === undefined) return undefined;
  const scratch = mkdtempSync(join(tmpdir(), "cmodx-bench-"));
  writeFileSync(join(scratch, "payload"), payload);
  const line = `command -v ${unpacker.split(" ")[0]} readelf >/dev/null || exit 1; cd '${scratch}'; ${unpacker} <payload >vmlinux; readelf -Sr vmlinux >/dev/null 2>&1; times`;
  const { status, stdout } = spawnSync("bash", ["-c", line], { encoding: "utf8" });
  rmSync(scratch, { recursive: true });
  return status === 0 ? childSeconds(stdout) : undefined;
};

const cli = fileURLToPath(new URL("../packages/cli/bin/cmodx.js", import.meta.url));

/** Seconds on the clock that `cmodx scan` takes with so many files at once. */
const clockOf = (trees, jobs) => {
  const began = performance.now();
  spawnSync(process.execPath, [cli, "scan", ...trees, "--jobs", String(jobs)], { stdio: "ignore" });
  return (performance.now() - began) / 1000;
};

const row = (cells) => console.log(cells.map((cell, i) => String(cell).padStart(i === 0 ? 20 : 14)).join(""));

/** Prints the figures for the trees that CMODX_KERNELS names, separated by colons, e.g. /lib/modules/6.12.0. */
export const benchImage = async () => {
  const trees = (process.env.CMODX_KERNELS ?? "").split(":").filter((tree) => tree !== "");
  if (trees.length === 0) {
    console.log(
      "Reading modules is left out: CMODX_KERNELS names no directories of kernels or modules, such as /boot and /lib/modules/VERSION.",
    );
    return;
  }
  const below = trees.flatMap((tree) => readdirSync(tree, { recursive: true }).map((file) => join(tree, file)));
  console.log("Sites of kernel modules, by CPU time.\n");
  row(["", "files", "sites", "seconds", "beside", "seconds", "ratio", "at most"]);
  for (const { name, files: wanted, command, most } of parts) {
    const files = below.filter((file) => wanted.test(file));
    if (files.length === 0) continue;
    await ours(files.slice(0, 50)); // So that the figures do not pay for compilation.
    const { seconds, sites } = await ours(files);
    const other = timeOf(command, files);
    const ratio = other === undefined ? "-" : (seconds / other).toFixed(2);
    row([name, files.length, sites, seconds.toFixed(2), command, other?.toFixed(2) ?? "not there", ratio, most]);
  }
  for (const file of below.filter((each) => /\/vmlinuz[^/]*$/.test(each))) {
    const other = timeOfReadelf(file);
    if (other === undefined) continue;
    await ours([file]); // As above.
    const { seconds, sites } = await ours([file]);
    row(["vmlinuz", 1, sites, seconds.toFixed(2), "+ readelf -Sr", other.toFixed(2), (seconds / other).toFixed(2), 5]);
  }
  const [one, two] = [1, 2].map((jobs) => clockOf(trees, jobs));
  const times = `${one.toFixed(2)} s alone, ${two.toFixed(2)} s with --jobs 2`;
  console.log(
    `\ncmodx scan, on the clock: ${times}: ${(one / two).toFixed(2)} times as fast, at least 1.6 on two idle cores.`,
  );
  console.log(`\nThe most memory that this process took: ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB.`);
};
