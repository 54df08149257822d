// Compares what each package exports with the lists in tooling/api: node tooling/scripts/api.mjs [--write]
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "vite";

const root = fileURLToPath(new URL("../..", import.meta.url));
const lists = join(root, "tooling/api");

const kinds = {
  FunctionDeclaration: "function",
  ClassDeclaration: "class",
  VariableDeclaration: "const",
  TSTypeAliasDeclaration: "type",
  TSInterfaceDeclaration: "interface",
  TSEnumDeclaration: "enum",
};

const modules = new Map();

/** The kinds of the names that a module declares, where its other names come from, and what it exports. */
function read(file) {
  const known = modules.get(file);
  if (known) return known;
  const declared = new Map();
  const imported = new Map();
  const exported = [];
  const near = ({ value }) =>
    value.startsWith(".") ? resolve(dirname(file), value.replace(/\.js$/, ".ts")) : undefined;
  const { program } = parseSync(file, readFileSync(file, "utf8"));
  for (const node of program.body) {
    const declaration = node.type.startsWith("Export") ? node.declaration : node;
    const names = declaration && (declaration.declarations ?? [declaration]).map(({ id }) => id?.name);
    for (const name of names ?? []) {
      if (name && kinds[declaration.type]) declared.set(name, kinds[declaration.type]);
      if (name && node.type === "ExportNamedDeclaration") exported.push({ name, of: name });
    }
    if (node.type === "ImportDeclaration")
      for (const { local, imported: from } of node.specifiers)
        imported.set(local.name, { file: near(node.source), of: from?.name ?? "default" });
    if (node.type === "ExportAllDeclaration") exported.push({ all: near(node.source) });
    if (node.type === "ExportNamedDeclaration")
      for (const { local, exported: as } of node.specifiers)
        exported.push({ name: as.name, of: local.name, ...(node.source ? { file: near(node.source) } : {}) });
    if (node.type === "ExportDefaultDeclaration") exported.push({ name: "default", of: "default" });
  }
  modules.set(file, { declared, imported, exported });
  return modules.get(file);
}

/** What is declared under a name that a module exports or has imported. */
function kindOf(file, name) {
  const { declared, imported, exported } = read(file);
  if (declared.has(name)) return declared.get(name);
  const from = imported.get(name) ?? exported.find((each) => each.name === name && each.file !== undefined);
  if (from) return from.file === undefined ? "other" : kindOf(from.file, from.of);
  for (const { all } of exported) {
    const kind = all && kindOf(all, name);
    if (kind) return kind;
  }
  return undefined;
}

/** The names that a module exports, each with its kind. */
function exportsOf(file) {
  const found = new Map();
  for (const { all, name, of, file: from } of read(file).exported) {
    if (all) for (const [inner, kind] of exportsOf(all)) found.set(inner, found.get(inner) ?? kind);
    else if (name) found.set(name, kindOf(from ?? file, of) ?? "other");
  }
  return found;
}

/** The list of a package: its entry points, with the names that each exports. */
function listOf({ name, exports }, folder) {
  const entries = Object.entries(exports).filter(([, { "@cmodx/source": source }]) => source);
  const parts = entries.map(([entry, { "@cmodx/source": source }]) => {
    const names = [...exportsOf(resolve(folder, source))].sort(([a], [b]) => (a < b ? -1 : 1));
    return [`${join(name, entry)}\n`, ...names.map(([each, kind]) => `  ${kind} ${each}\n`)].join("");
  });
  return parts.join("\n");
}

const write = process.argv.includes("--write");
let differ = 0;
if (write) rmSync(lists, { recursive: true, force: true });
for (const each of readdirSync(join(root, "packages")).sort()) {
  const folder = join(root, "packages", each);
  const now = listOf(JSON.parse(readFileSync(join(folder, "package.json"), "utf8")), folder);
  const file = join(lists, `${each}.txt`);
  if (write) {
    mkdirSync(lists, { recursive: true });
    writeFileSync(file, now);
    continue;
  }
  const was = existsSync(file) ? readFileSync(file, "utf8") : "";
  const [before, after] = [was, now].map((text) => text.split("\n"));
  const lines = [
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line.trim()}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line.trim()}`),
  ];
  if (was !== now) process.stderr.write(`${each}: ${lines.join(", ") || "another order"}\n`);
  differ += Number(was !== now);
}
if (differ > 0)
  process.stderr.write("What packages export has changed: node tooling/scripts/api.mjs --write, and a changeset.\n");
process.exitCode = differ > 0 ? 1 : 0;
