// Finds a piece of code in the sources, whatever its variables are called and wherever it stands.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";
import { parseSync } from "vite";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** @typedef {{ type: string, start: number, end: number }} Node an ESTree node */

/** Names that the language defines: they mean the same everywhere, all others may be renamed. */
const intrinsics = new Set(runInNewContext("Object.getOwnPropertyNames(globalThis)"));

/** What the tree says beside the program itself. `{ a }` is `{ a: a }`. */
const beside = new Set(["type", "start", "end", "raw", "shorthand"]);

/** Whether a child is the name of a property: part of what the code means, unlike the name of a variable. */
function isPropertyName(node, key) {
  const names = key === "property" || (key === "key" && node.type !== "TSMappedType");
  return names && !node.computed && node[key].type === "Identifier";
}

const isNode = (value) => typeof value === "object" && value !== null;

/** The children of a node, lists of them, and its values, each with its key. */
function childrenOf(node) {
  if (node.type === "Literal") return [["value", node.regex ? node.raw : node.value]];
  if (node.type === "TemplateElement") return [["value", node.value.raw]];
  const children = [];
  for (const key in node) if (!beside.has(key)) children.push([key, node[key]]);
  return children;
}

/** The name of a hole in a piece of code, `$like` this: it stands for any expression or statement. */
const holeOf = (node) => {
  const { type, name } = node.type === "ExpressionStatement" ? node.expression : node;
  return type === "Identifier" && name.startsWith("$") ? name : undefined;
};

/** What the names in a piece of code stand for in a source: each for one other name, no two for the same; holes for text. */
class Renaming {
  #source;
  #to = new Map();
  #from = new Map();

  constructor(source) {
    this.#source = source;
  }

  /** Lets a hole stand for a node. */
  fill(hole, { start, end }) {
    this.#to.set(hole, this.#source.text.slice(start, end));
    return true;
  }

  /** Whether `name` may stand for `other`, beside all that it was asked so far. */
  admits(name, other) {
    if (intrinsics.has(name) || intrinsics.has(other)) return name === other;
    if (!this.#to.has(name) && !this.#from.has(other)) {
      this.#to.set(name, other);
      this.#from.set(other, name);
    }
    return this.#to.get(name) === other;
  }

  has(name) {
    return this.#to.has(name);
  }

  of(name) {
    return this.#to.get(name) ?? name;
  }

  /** The same names, with holes left as they are. */
  withoutHoles() {
    const names = new Renaming(this.#source);
    for (const [name, other] of this.#to) if (!name.startsWith("$")) names.admits(name, other);
    return names;
  }
}

/** Whether two trees are the same up to the names of their variables, functions and types. */
function isSame(a, b, renaming) {
  if (!isNode(a) || !isNode(b)) return a === b;
  if (holeOf(a) !== undefined) return renaming.fill(holeOf(a), b);
  if (a.type !== b.type) return false;
  if (a.type === "Identifier" && !renaming.admits(a.name, b.name)) return false;
  if (a.type === "PrivateIdentifier") return renaming.admits(`#${a.name}`, `#${b.name}`);
  const children = childrenOf(a);
  const others = childrenOf(b);
  if (children.length !== others.length) return false;
  return children.every(([key, child], i) => {
    const [otherKey, other] = others[i];
    if (key !== otherKey || (a.type === "Identifier" && key === "name")) return key === otherKey;
    if (isPropertyName(a, key)) return isPropertyName(b, key) && child.name === other.name;
    return isSame(child, other, renaming);
  });
}

/** Calls `visit` with each node below `node`, itself included, its parent, its key, and the list that it stands in. */
function walk(node, visit, parent = null, key = "", list = [node]) {
  if (Array.isArray(node)) {
    for (const each of node) if (isNode(each)) walk(each, visit, parent, key, node);
    return;
  }
  visit(node, parent, key, list);
  for (const [name, child] of childrenOf(node)) {
    if (isNode(child)) walk(child, visit, node, name, Array.isArray(child) ? child : [child]);
  }
}

const parse = (text) => parseSync("code.ts", text, { preserveParens: false });

/** Whether a text is a whole source. */
export const parses = (text) => parse(text).errors.length === 0;

/** What a piece of code can be, in the order tried: the text around it, and the list that it then is in the tree. */
const readings = [
  { kind: "elements", before: "[", after: "\n]", list: (body) => body[0].expression.elements },
  { kind: "statements", before: "async function* f() {", after: "\n}", list: (body) => body[0].body.body },
  { kind: "properties", before: "({", after: "\n})", list: (body) => body[0].expression.properties },
  { kind: "members", before: "class C {", after: "\n}", list: (body) => body[0].body.body },
];

/**
 * Reads a piece of code: expressions, statements, or members of an object or a class.
 * @returns {{ kind: string, nodes: Node[], offset: number } | undefined} what it is, with what to take off its positions
 */
export function readCode(text) {
  for (const { kind, before, after, list } of readings) {
    const { program, errors } = parse(before + text + after);
    if (errors.length > 0 || program.body.length !== 1) continue;
    const nodes = list(program.body);
    const isLabel = nodes.some((node) => node?.type === "LabeledStatement"); // `a: 1` is meant as a property.
    if (!isLabel && !nodes.includes(null)) return { kind, nodes, offset: before.length };
  }
  return undefined;
}

/** All sources of the packages: path from the root, with `/`, and text. */
export function readSources() {
  const packages = join(root, "packages");
  return readdirSync(packages).flatMap((name) => {
    const folder = join(packages, name, "src");
    if (!existsSync(folder)) return [];
    return readdirSync(folder, { recursive: true })
      .filter((path) => path.endsWith(".ts"))
      .map((path) => {
        const file = relative(root, join(folder, path)).split(sep).join("/");
        return { file, text: readFileSync(join(folder, path), "utf8") };
      });
  });
}

const indices = new WeakMap();

/** The nodes of a source by their type, with the list that each stands in. */
function indexOf(source) {
  let index = indices.get(source);
  if (index === undefined) {
    index = new Map();
    indices.set(source, index);
    walk(parse(source.text).program, (node, _parent, _key, list) => {
      const found = index.get(node.type) ?? [];
      index.set(node.type, found);
      found.push({ node, list });
    });
  }
  return index;
}

/** Words that a source has to contain where a piece of code occurs in it. */
function wordsOf(nodes) {
  const words = new Set();
  walk(nodes, (node, parent, key) => {
    if (parent !== null && isPropertyName(parent, key)) words.add(node.name);
    if (node.type === "Literal" && /^[\w-]+$/.test(node.value)) words.add(node.value);
  });
  return [...words].filter((word) => typeof word === "string");
}

/**
 * All places where a piece of code occurs.
 * @returns {{ source: { file: string, text: string }, start: number, end: number, renaming: Renaming }[]}
 */
export function findCode({ nodes }, sources) {
  const words = wordsOf(nodes);
  const candidates = sources.filter(({ text }) => words.every((word) => text.includes(word)));
  return candidates.flatMap((source) =>
    (indexOf(source).get(nodes[0].type) ?? []).flatMap(({ node, list }) => {
      const first = list.indexOf(node);
      const renaming = new Renaming(source);
      if (!nodes.every((each, i) => isSame(each, list[first + i], renaming))) return [];
      return [{ source, start: node.start, end: list[first + nodes.length - 1].end, renaming }];
    }),
  );
}

/** Names in a piece of code that only compiling knows: `as T` is gone when it runs. */
const isType = (node) => node.type.startsWith("TS") && !/^TS(As|NonNull|Satisfies)/.test(node.type);

/**
 * A piece of code with other names.
 * @returns {{ text: string, unknown: string[] }} the text, and the names that neither `renaming` nor the code itself defines
 */
export function renamed(text, { nodes, offset }, renaming) {
  const names = [];
  const own = new Set();
  const collect = (node, parent, key, isBinding) => {
    if (Array.isArray(node)) {
      for (const each of node) if (isNode(each)) collect(each, parent, key, isBinding);
      return;
    }
    if (isType(node)) return;
    if (holeOf(node) !== undefined) {
      names.push({ node, name: holeOf(node), key: "" });
      return;
    }
    if (node.type === "Identifier" && !(parent !== null && isPropertyName(parent, key))) {
      if (isBinding) own.add(node.name);
      names.push({ node, name: node.name, key: parent?.shorthand ? `${node.name}: ` : "" });
    }
    if (node.type === "PrivateIdentifier") names.push({ node, name: `#${node.name}`, key: "" });
    for (const [child, value] of childrenOf(node)) {
      const binds = child === "params" || child === "id" || child === "param";
      const goesOn = isBinding && child !== "right" && child !== "body";
      if (isNode(value) && !(node.shorthand && child === "key")) collect(value, node, child, binds || goesOn);
    }
  };
  collect(nodes, null, "", false);
  let result = text;
  for (const { node, name, key } of names.sort((a, b) => b.node.start - a.node.start)) {
    if (renaming.of(name) === name) continue;
    const end = node.type === "Identifier" ? node.start + name.length : node.end;
    result = result.slice(0, node.start - offset) + key + renaming.of(name) + result.slice(end - offset);
  }
  const isKnown = (name) => own.has(name) || renaming.has(name) || intrinsics.has(name);
  return { text: result, unknown: names.map(({ name }) => name).filter((name) => !isKnown(name)) };
}
