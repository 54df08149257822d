// Decodes random instructions of real kernel modules and compares length and text with what objdump says of them.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** How many instructions of an architecture are compared. */
const SAMPLE = 20_000;
/** Modules whose code is disassembled, picked at random, until there are this many times the sample to choose from. */
const PLENTY = 10;

/** Package, name of its instruction set, and how objdump is asked. */
const options = {
  amd64: ["x86", "x86InstructionSet", "elf64-x86-64", "-M", "intel", "--insn-width=15"],
  arm64: ["arm64", "arm64InstructionSet", "elf64-littleaarch64"],
  armhf: ["armv7", "armv7InstructionSet", "elf32-littlearm"],
  riscv64: ["riscv", "riscvInstructionSet", "elf64-littleriscv", "-M", "no-aliases"],
};

/** A generator of numbers below 1, the same in every run (mulberry32). */
export const generator = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};

/** The instructions of a file's code as objdump lists them; bytes in the order of memory, left out what it calls data. */
function listed(module, name, flags, scratch) {
  // Relocations would be shown in place of what the bytes say.
  const file = join(scratch, "plain.ko");
  if (spawnSync("objcopy", ["--remove-relocations=*", module, file]).status !== 0) return [];
  const { stdout, status } = spawnSync("objdump", ["-d", "-z", ...flags, file], {
    encoding: "latin1",
    maxBuffer: 2 ** 30,
  });
  if (status !== 0) return [];
  return [...stdout.matchAll(/^ *([0-9a-f]+):\t([0-9a-f ]+)\t(.*)$/gm)].flatMap(([, at, raw, text]) => {
    if (/^\.|\(bad\)|undefined|unknown/.test(text)) return [];
    const groups = raw.trim().split(" ");
    // Other than on x86 these are words and halfwords, written as numbers.
    const bytes = groups.flatMap((group) => {
      const pairs = group.match(/../g);
      return name === "amd64" ? pairs : pairs.reverse();
    });
    return [{ file: module, at: BigInt(`0x${at}`), bytes: bytes.map((pair) => Number.parseInt(pair, 16)), text }];
  });
}

/** The instructions that ours calls by other names. */
const pseudo = (text) =>
  text
    .trim()
    .replace(/\s+/g, " ")
    .replace(/^nop$/, "addi zero,zero,0")
    .replace(/^c\.nop$/, "c.addi zero,0")
    .replace(/^li ([^,]+), ?/, "addi $1,zero,")
    .replace(/^mv ([^,]+), ?(\S+)$/, "addi $1,$2,0")
    .replace(/^sext\.w ([^,]+), ?(\S+)$/, "addiw $1,$2,0")
    .replace(/^j (\S+)$/, "jal zero,$1")
    .replace(/^jal (0x\S+)$/, "jal ra,$1")
    .replace(/^ret$/, "jalr zero,0(ra)")
    .replace(/^jr (\w+)$/, "jalr zero,0($1)")
    .replace(/^jalr (\w+)$/, "jalr ra,0($1)")
    .replace(/^(beq|bne)z ([^,]+), ?/, "$1 $2,zero,");

/** Mnemonics that objdump spells otherwise, and what it shows beside the operands; both texts are brought to one form. */
const spellings = {
  amd64: (text) =>
    text
      .toLowerCase()
      .replace(/ *#.*| *<.*/, "")
      .replace(/\b(byte|word|dword|qword|[xyz]mmword|fword|oword) (ptr )?/g, "")
      .replace(/^(repz|repe) /, "rep ")
      .replace(
        /^((?:rep |lock )*)(?:(?:cs|ds|es|ss|fs|gs|rex(?:\.\w+)?|data16|addr32|notrack|bnd|xacquire|xrelease) )+/,
        "$1",
      )
      .replace(/\b[cdes]s:(?=\[)/g, "")
      .replace(/\b[cdes]s:(-?0x[0-9a-f]+)/g, "[$1]")
      .replace(/\b([fg]s):(-?0x[0-9a-f]+)/g, "$1:[$2]")
      .replace(/^(rep )?(movs|stos) .*$/, "$1$2")
      // Its operands are decoded by nobody, and shown by some.
      .replace(/^(ud[01]) .*$/, "$1")
      .replace(/^(rep )?(movs|stos)[bwdq]$/, "$1$2")
      .replace(/^(j\w+)8 /, "$1 ")
      .replace(/\*1(?=[\]+-])/g, "")
      .replace(/\+riz(\*\d)?/g, "")
      .replace(/[+-]0x0(?=\])/, "")
      .replace(/^(movabs) /, "mov ")
      .replace(/^(nop|xchg +ax, ?ax).*$/, "nop")
      .replace(/^nop\d+$/, "nop"),
  arm64: (text) =>
    text
      .replace(/ *\/\/.*| *<.*/, "")
      .replace(/(^b\.|, ?)cs\b/, "$1hs")
      .replace(/(^b\.|, ?)cc\b/, "$1lo"),
  armhf: (text) =>
    text
      .replace(/ *@.*| *;.*| *<.*/, "")
      .replace(/^(ldm|stm)ia/, "$1")
      .replace(/\bsl\b/g, "r10")
      .replace(/\bfp\b/g, "r11")
      .replace(/\bip\b/g, "r12")
      // The second of two registers goes without saying.
      .replace(/^((?:ldrd|strd)\w*) +(\w+), ?r\d+, ?\[/, "$1 $2, [")
      .replace(/^nop.*$/, "nop")
      .replace(/^isb.*$/, "isb")
      .replace(/^(\w+)cs\b/, "$1hs")
      .replace(/^(\w+)cc\b/, "$1lo"),
  riscv64: (text) => pseudo(text.replace(/ *#.*| *<.*/, "")),
};

const words = (name, text) =>
  // A target is written without 0x, with its symbol behind it.
  spellings[name](text.replace(/\b([0-9a-f]+)( <[^>]*>)/, "0x$1$2"))
    .trim()
    .replace(/\s+/g, " ")
    .split(/(?<=[\s,[\]+:{}!#-])|(?=[\s,[\]+:{}!#-])/)
    .filter((word) => /[^\s,#]/.test(word));

const numberOf = (word) => {
  const [, sign, digits] = /^(-?)(0x[0-9a-f]+|\d+)$/.exec(word) ?? [];
  return digits === undefined ? undefined : sign ? -BigInt(digits) : BigInt(digits);
};

const fits = (value, bits) => value >= -(2n ** BigInt(bits - 1)) && value < 2n ** BigInt(bits);

/** Whether two numbers are one of some width of operands: each may be written with its sign or without. */
const sameNumber = (left, right) =>
  [64, 32, 16, 8].some(
    (bits) => fits(left, bits) && fits(right, bits) && BigInt.asUintN(bits, left) === BigInt.asUintN(bits, right),
  );

/** Whether two texts say the same. */
function sameText(name, ours, theirs) {
  // A minus belongs to the number behind it, whether it is a sign or stands between two terms.
  const parts = (text) =>
    words(name, text)
      .join(" ")
      .replace(/- (?=[0-9])/g, "-")
      .split(" ")
      .filter((word) => word !== "+");
  const [left, right] = [parts(ours), parts(theirs)];
  return (
    left.length === right.length &&
    left.every((word, i) => {
      const [one, other] = [numberOf(word), numberOf(right[i])];
      return one === undefined || other === undefined ? word === right[i] : sameNumber(one, other);
    })
  );
}

/** Compares a sample of the modules' instructions; `check` counts one check and lists what breaks it. */
export async function inspectInstructions(name, modules, check) {
  const [folder, exported, target, ...flags] = options[name];
  const dist = fileURLToPath(new URL(`../../packages/${folder}/dist/index.js`, import.meta.url));
  if (!existsSync(dist)) throw new Error(`packages/${folder} is not built; run \`npm run build\` first`);
  const { [exported]: instructionSet } = await import(pathToFileURL(dist).href);
  const { stdout = "" } = spawnSync("objdump", ["-i"], { encoding: "latin1" });
  if (!stdout.includes(target)) {
    console.log(`left out: this machine's objdump does not know ${target}; binutils-multiarch has it`);
    return;
  }
  const random = generator(1);
  const scratch = mkdtempSync(join(tmpdir(), "cmodx-instructions-"));
  const open = [...modules];
  const found = [];
  while (open.length > 0 && found.length < SAMPLE * PLENTY) {
    const [file] = open.splice(Math.floor(random() * open.length), 1);
    // A driver of half a million instructions would be all that is looked at.
    const all = listed(file, name, flags, scratch);
    const part = all.length > 20_000 ? all.filter(() => random() < 20_000 / all.length) : all;
    for (const each of part) found.push(each);
  }
  rmSync(scratch, { recursive: true });
  const sample = Array.from(
    { length: Math.min(SAMPLE, found.length) },
    () => found.splice(Math.floor(random() * found.length), 1)[0],
  );
  const mode = name === "armhf" ? "a32" : "";
  const wrong = { length: [], text: [] };
  const counts = { modelled: 0, opaque: 0, nameless: 0, outside: new Map() };
  for (const { file, at, bytes, text } of sample) {
    const where = `${file.split("/").at(-1)} ${at.toString(16)}: ${Buffer.from(bytes).toString("hex")}`;
    const insn = instructionSet.decode([...bytes, ...Array(15).fill(0)], mode);
    if (insn === "unsupported") {
      const [mnemonic] = text.split(/\s/);
      counts.outside.set(mnemonic, (counts.outside.get(mnemonic) ?? 0) + 1);
      continue;
    }
    if (typeof insn === "string" || insn.length !== bytes.length) {
      wrong.length.push(`${where} ${text}: ${typeof insn === "string" ? insn : insn.length}`);
      continue;
    }
    if (insn.opaque) counts.opaque++;
    else counts.modelled++;
    const ours = instructionSet.format(insn, at);
    if (insn.opaque && /^\.(byte|inst|word|short)/.test(ours)) counts.nameless++;
    else if (!sameText(name, ours, text)) wrong.text.push(`${where} is ${ours}, not ${text}`);
  }
  const outside = [...counts.outside.values()].reduce((sum, each) => sum + each, 0);
  const share = (number) => `${((100 * number) / sample.length).toFixed(2)} %`;
  console.log(
    `${sample.length} instructions: ${share(counts.modelled)} modelled, ${share(counts.opaque)} opaque (${share(counts.nameless)} by length alone), ${share(outside)} outside`,
  );
  if (outside > 0)
    console.log(
      `         outside: ${[...counts.outside].map(([mnemonic, number]) => `${mnemonic} ${number}`).join(", ")}`,
    );
  check(`${name}: ${SAMPLE} random instructions were found`, sample.length === SAMPLE ? [] : [`only ${sample.length}`]);
  check(`${name}: objdump agrees on the length of each`, wrong.length);
  check(`${name}: objdump agrees on the operands of each`, wrong.text);
  check(`${name}: under 0.5 % are outside the subset`, outside * 200 < sample.length ? [] : [share(outside)]);
}
