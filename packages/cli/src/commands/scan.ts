import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { InputError } from "@cmodx/core";
import { findSites, hazardKinds, hazards, siteKinds } from "@cmodx/image";
import type { Command } from "commander";
import { isInputError } from "../errors.js";
import { filesBelow } from "../files.js";
import { readBinary } from "../from-binary.js";
import { breathe, type Colors, colors, type Exit, exit, type Io } from "../io.js";
import { type ScanJson, type ScannedJson, toJson } from "../json.js";
import { signalWithin } from "../limits.js";
import { options } from "../options.js";
import { columns, count, entry, prose } from "../text.js";

const HELP = `
Kernels and modules are read as they are shipped: ELF, bzImage, zImage, Image, or compressed with gzip, xz, zstd or
lz4. Of a directory every .o, .ko (.gz, .xz, .zst), .elf and kernel (vmlinux, vmlinuz, Image) in it is read. Hazards are properties of a site's place and code
that make it harder to patch; what follows from one is for \`cmodx check --from FILE:SYMBOL\` to say.

  crosses-8, crosses-32     over two aligned words of 8 bytes, blocks of 32 bytes
  crosses-line              over two cache lines of 64 bytes
  crosses-page              over two pages of 4096 bytes
  misaligned                a 4-byte instruction of RISC-V or Thumb-2 straddles two aligned words,
                            or the 8-byte literal of CALL_OPS does
  multi-instruction         several instructions are patched as one
  out-of-reach              a jump label's target is further away than its branch leads
  unknown-opcode            not what the kernel would accept there`;

/** `cmodx scan`: the patch sites of real binaries. */
export const addScan = (program: Command, io: Io, leave: (code: Exit) => void): void => {
  program
    .command("scan")
    .summary("count the patch sites of real binaries by kind and hazard")
    .argument("<file...>", "kernels and modules, or directories that are searched for them")
    .addOption(options.json)
    .addOption(options.timeout)
    .addHelpText("after", `\n${prose(HELP)}\n`)
    .action(async (names: readonly string[], asked: { readonly json?: boolean; readonly timeout?: number }) => {
      const document = await scan(names, asked.json === true, { ...io, signal: signalWithin(asked, io) });
      io.out(asked.json ? toJson(document) : textOf(document, colors(io.color)));
      if (document.interrupted) return leave(exit.inconclusive);
      leave(document.errors.length > 0 ? exit.input : exit.complete);
    });
};

const scan = async (names: readonly string[], json: boolean, io: Io): Promise<ScanJson> => {
  const files: ScannedJson[] = [];
  const errors: { file: string; place: string | null; message: string }[] = [];
  for (const { file, walked } of await findFiles(names, io.cwd)) {
    await breathe();
    if (io.signal.aborted) return { schema: "cmodx/scan/1", files, errors, interrupted: true };
    try {
      files.push(await scanFile(file, io.cwd));
    } catch (error) {
      // A file that the user named is an error of the whole run; one that was merely found is not.
      if (!isInputError(error) || !walked) throw error;
      errors.push({ file, place: error.place ?? null, message: error.message });
      if (!json) io.err(`cmodx: ${error.message}\n`);
    }
  }
  return { schema: "cmodx/scan/1", files, errors, interrupted: false };
};

const scanFile = async (file: string, folder: string): Promise<ScannedJson> => {
  const elf = await readBinary(resolve(folder, file), file);
  const sites = findSites(elf);
  const tally = <K extends string>(kinds: readonly K[], found: readonly K[]): { readonly [kind: string]: number } =>
    Object.fromEntries(kinds.map((kind) => [kind, found.filter((each) => each === kind).length]));
  return {
    file,
    machine: elf.machine.name,
    sites: tally(
      siteKinds,
      sites.map(({ kind }) => kind),
    ),
    hazards: tally(
      hazardKinds,
      sites.flatMap((site) => hazards(site)),
    ),
  };
};

/** Names of modules, of object files and of kernels, which stand before or behind a version: `vmlinuz-6.12.0`, `Image.gz`. */
const IMAGE = /\.(o|elf|ko(\.(gz|xz|zst))?)$|^(vmlinu[xz]|[bz]?Image)(-[^/]*|\.(gz|xz|zst|lz4|efi))?$/;

type Found = { readonly file: string; readonly walked: boolean };

const findFiles = async (names: readonly string[], folder: string): Promise<readonly Found[]> => {
  const found: Found[] = [];
  for (const name of names) {
    const there = await stat(resolve(folder, name)).catch(() => undefined);
    if (there === undefined)
      throw new InputError(`${name} is not there; expected a kernel, a module or a directory.`, {
        file: name,
        code: "unreadable",
      });
    if (!there.isDirectory()) {
      found.push({ file: name, walked: false });
      continue;
    }
    const inside = await filesBelow(resolve(folder, name), name, (each) => IMAGE.test(each));
    if (inside.length === 0) {
      throw new InputError(`${name} holds no module and no kernel.`, { file: name, code: "unreadable" });
    }
    for (const path of inside) found.push({ file: join(name, path), walked: true });
  }
  return found;
};

const textOf = ({ files, interrupted }: ScanJson, paint: Colors): string => {
  const total = ({ sites }: ScannedJson): number => Object.values(sites).reduce((sum, each) => sum + each, 0);
  const some = (counts: { readonly [kind: string]: number }): string =>
    Object.entries(counts)
      .filter(([, number]) => number > 0)
      .map(([kind, number]) => `${number} ${kind}`)
      .join(", ") || "none";
  const one = (scanned: ScannedJson): string =>
    [
      `${paint.bold(scanned.file)}: ${scanned.machine}, ${count(total(scanned), "patch site")}`,
      entry("  sites", some(scanned.sites), 12),
      entry("  hazards", some(scanned.hazards), 12),
    ].join("\n");
  const all = files.reduce((sum, each) => sum + total(each), 0);
  const parts = files.map(one);
  if (files.length > 1)
    parts.push(...columns([[`${count(files.length, "file")}, ${count(all, "patch site")} in all`]]));
  if (interrupted) parts.push("interrupted: not all files were read");
  return `${parts.join("\n")}\n`;
};
