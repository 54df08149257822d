// npm start [-- FILE]: from a real binary to an answer. By default the binary is a small one of this repository.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { findSites, hazards, readElf } from "@cmodx/image";

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const cli = at("packages/cli/bin/cmodx.js");
const chosen = process.argv[2];
// npm runs scripts in the root of the repository; the user may have been elsewhere.
const file =
  chosen === undefined
    ? at("packages/image/fixtures/patchsites.x86_64.elf")
    : resolve(process.env.INIT_CWD ?? ".", chosen);
// As a user would name it: a file elsewhere by its whole path.
const name = relative(process.cwd(), file).startsWith("..") ? file : relative(process.cwd(), file);

/** Runs cmodx; its output is shown, or given back. Wrong input ends the demonstration. */
const cmodx = (args, { shown = true } = {}) => {
  if (shown) console.log(`\n$ cmodx ${args.join(" ")}`);
  const stdio = ["ignore", shown ? "inherit" : "pipe", "inherit"];
  const { status, stdout } = spawnSync(process.execPath, [cli, ...args], { stdio, encoding: "utf8", maxBuffer: 1e9 });
  if (status === null || status === 2 || status > 3) process.exit(status ?? 1);
  return stdout;
};
const answer = (args) => JSON.parse(cmodx([...args, "--json"], { shown: false }));

/** The site most worth a look: over two cache lines, and of one instruction. */
const pick = (sites) => {
  const checkable = sites.filter((site) => site.padding !== site.length && site.instruction !== "unknown");
  const single = checkable.filter((site) => !hazards(site).includes("multi-instruction"));
  return single.find((site) => hazards(site).includes("crosses-line")) ?? single[0] ?? checkable[0];
};

console.log("cmodx: is this way of changing running code safe?");
cmodx(["scan", name]);
const site = pick(findSites(readElf(readFileSync(file), { name })));

if (site === undefined) {
  console.log("\nNo site of this file is patched while it runs, so there is none to check.");
} else {
  const from = ["--from", `${name}:#${site.number}`];
  console.log(
    `\nEach strategy on site #${site.number}, ${site.kind} at ${site.symbol ?? site.section}, with NMIs on 2 CPUs:`,
  );
  for (const { id, architecture } of answer(["list"]).strategies) {
    const command = ["check", "--arch", architecture, "--strategy", id, ...from, "--cpus", "2", "--nmi"];
    const { status, stdout } = spawnSync(process.execPath, [cli, ...command, "--json"], {
      encoding: "utf8",
      maxBuffer: 1e9,
    });
    const { verdict, property, states, message } = JSON.parse(stdout);
    const text =
      status === 2
        ? `n/a: ${message.replace(/^.*cannot do this: /, "")}`
        : `${verdict}${property ? `, breaks ${property}` : ""} (${states} states)`;
    console.log(`  ${id.padEnd(20)}${text}`);
  }
}

cmodx(["matrix", "--arch", "x86"]);
cmodx(
  site
    ? ["check", "--strategy", "int3", "--from", `${name}:#${site.number}`, "--drop", "sync-2"]
    : ["check", "--strategy", "plain-store"],
);
