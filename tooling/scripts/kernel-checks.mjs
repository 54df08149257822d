// Checks random sites of real kernel modules without a named strategy: none may crash, and none be refused that the kernel patches.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { generator } from "./kernel-instructions.mjs";

/** Sites of each architecture: 60 in all. */
const SITES = 15;
/** Modules that they are taken from. */
const MODULES = 12;

const cli = fileURLToPath(new URL("../../packages/cli/bin/cmodx.js", import.meta.url));

const cmodx = (...args) => {
  const { stdout, status } = spawnSync(process.execPath, [cli, ...args, "--json"], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  return { status, document: JSON.parse(stdout) };
};

/** Random entries, each at most once. */
const pick = (entries, number, random) => {
  const open = [...entries];
  return Array.from(
    { length: Math.min(number, open.length) },
    () => open.splice(Math.floor(random() * open.length), 1)[0],
  );
};

/** Checks random sites of every kind; `check` counts one check and lists what breaks it. */
export function checkSites(name, modules, check) {
  const random = generator(2);
  const { document } = cmodx("scan", "--sites", ...pick(modules, MODULES, random));
  const sites = document.files.flatMap(({ file, rows }) => rows.map((row) => ({ ...row, file })));
  const kinds = [...new Set(sites.map(({ kind }) => kind))];
  const few = kinds.flatMap((kind) =>
    pick(
      sites.filter((site) => site.kind === kind),
      Math.ceil(SITES / kinds.length),
      random,
    ),
  );
  // Where there are few of one kind, others take their places.
  const rest = sites.filter((site) => !few.includes(site));
  const sample = [...few, ...pick(rest, SITES - few.length, random)];
  const wrong = [];
  const verdicts = new Map();
  for (const { file, number, kind, old } of sample) {
    const { status, document: answer } = cmodx("check", "--from", `${file}:#${number}`, "--cpus", "2", "--no-repair");
    const word = `${kind} ${answer.bounds?.patchers[0].strategy}: ${answer.verdict ?? "refused"}`;
    verdicts.set(word, (verdicts.get(word) ?? 0) + 1);
    if (![0, 1].includes(status)) wrong.push(`${file} #${number} ${kind} ${old}: ${answer.message ?? answer.verdict}`);
  }
  for (const [word, number] of verdicts) console.log(`${String(number).padStart(7)} ${word}`);
  check(
    `${name}: ${sample.length} random sites are checked as the kernel patches them`,
    sample.length < SITES ? ["too few"] : wrong,
  );
}
