import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { InputError } from "@cmodx/core";
import { hazardKinds, type OtherKind, otherKinds, siteKinds } from "@cmodx/image";
import type { Command } from "commander";
import { filesBelow } from "../files.js";
import { type Colors, colors, type Exit, exit, type Io, type ProgressLine, progressLine } from "../io.js";
import { type ScanJson, type ScannedJson, type SiteRowJson, toJson } from "../json.js";
import { signalWithin } from "../limits.js";
import { option, options, whole } from "../options.js";
import { errorOf } from "../scan-file.js";
import { defaultJobs, scanFiles } from "../scan-files.js";
import { csvOf, oneOfWords, type SiteFilter } from "../site-rows.js";
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
    .summary("count or list the patch sites of real binaries by kind and hazard")
    .argument("<file...>", "kernels and modules, or directories that are searched for them")
    .addOption(options.sites)
    .addOption(options.kind)
    .addOption(options.hazard)
    .addOption(options.key)
    .addOption(options.symbol)
    .addOption(options.csv)
    .addOption(options.json)
    .addOption(
      option(
        "--jobs <n>",
        "files that are read at once (default: one for each core, at most 8)",
        whole("--jobs", 1, 64),
      ),
    )
    .addOption(options.timeout)
    .addHelpText("after", `\n${prose(HELP)}\n`)
    .action(async (names: readonly string[], asked: ScanOptions) => {
      if (asked.csv === true && asked.json === true)
        throw new InputError("--csv does not go with --json: each is a form of its own.", {
          place: "--csv",
          code: "conflict",
        });
      const progress = progressLine(io);
      const document = await scan(names, asked, { ...io, signal: signalWithin(asked, io) }, progress).finally(() =>
        progress.clear(),
      );
      io.out(
        asked.json
          ? toJson(document)
          : asked.csv
            ? csvOf(document.files)
            : textOf(document, filterOf(asked), colors(io.color)),
      );
      if (document.interrupted) return leave(exit.inconclusive);
      leave(document.errors.length > 0 ? exit.input : exit.complete);
    });
};

type ScanOptions = {
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly sites?: boolean;
  readonly kind?: readonly string[];
  readonly hazard?: readonly string[];
  readonly key?: string;
  readonly symbol?: string;
  readonly jobs?: number;
  readonly timeout?: number;
};

const filterOf = ({ kind, hazard, key, symbol }: ScanOptions): SiteFilter => {
  const kinds = oneOfWords("--kind", siteKinds)(kind);
  const found = oneOfWords("--hazard", hazardKinds)(hazard);
  return {
    ...(kinds && { kind: kinds }),
    ...(found && { hazard: found }),
    ...(key !== undefined && { key }),
    ...(symbol !== undefined && { symbol }),
  };
};

const scan = async (
  names: readonly string[],
  asked: ScanOptions,
  io: Io,
  progress: ProgressLine,
): Promise<ScanJson> => {
  const listing = asked.sites === true || asked.csv === true;
  const files: ScannedJson[] = [];
  const errors: { file: string; place: string | null; message: string }[] = [];
  const found = await findFiles(names, io.cwd);
  const complete = await scanFiles(
    found.map(({ file }) => file),
    { folder: io.cwd, filter: filterOf(asked), listing },
    {
      jobs: asked.jobs ?? defaultJobs(),
      signal: io.signal,
      onRead(file, done) {
        if (found.length > 1) progress.show(`${done} of ${found.length} files: ${file}`);
      },
      onAnswer({ scanned, error }, i) {
        const { file, walked } = found[i] as Found;
        if (error === undefined) return void files.push(scanned);
        // A file that the user named is an error of the whole run; one that was merely found is not.
        if (!walked) throw errorOf(error);
        errors.push({ file, place: error.place ?? null, message: error.message });
        progress.clear();
        if (asked.json !== true) io.err(`cmodx: ${error.message}\n`);
      },
    },
  );
  return { schema: "cmodx/scan/1", files, errors, interrupted: !complete };
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

/** Where sites are looked for: sections, and in a linked kernel the symbols around their tables. */
const LOOKED_FOR =
  "none in __jump_table, __mcount_loc, .static_call_sites, __patchable_function_entries and xray_instr_map, or between the symbols around these";

/** What the entries of tables of no sites are. */
const OTHERS: { readonly [K in OtherKind]: string } = {
  alternatives: "alternatives, which are written before their code is executed",
  "kprobe-blacklist": "functions in which no kprobe may be placed",
};

/** Rows of sites are not broken where text is. */
const SITE_WIDTH = 1000;

const rowText = ({
  number,
  kind,
  symbol,
  section,
  address,
  offset,
  hazards: found,
  old,
  new: next,
  key,
}: SiteRowJson) => [
  `  #${number}`,
  kind,
  symbol ?? section,
  address,
  offset === null ? "+?" : `+${offset}`,
  `${old} → ${next ?? "?"}${key === null ? "" : `  ${key}`}${found.length === 0 ? "" : `  [${found.join(", ")}]`}`,
];

const textOf = ({ files, interrupted }: ScanJson, filter: SiteFilter, paint: Colors): string => {
  const total = ({ sites }: ScannedJson): number => Object.values(sites).reduce((sum, each) => sum + each, 0);
  const some = (counts: { readonly [kind: string]: number }): string =>
    Object.entries(counts)
      .filter(([, number]) => number > 0)
      .map(([kind, number]) => `${number} ${kind}`)
      .join(", ") || "none";
  const isAll = Object.keys(filter).length === 0;
  const one = (scanned: ScannedJson): string =>
    [
      `${paint.bold(scanned.file)}: ${scanned.machine}, ${count(total(scanned), "patch site")}`,
      entry("  sites", total(scanned) === 0 && isAll ? LOOKED_FOR : some(scanned.sites), 12),
      entry("  hazards", some(scanned.hazards), 12),
      ...(scanned.padding === 0
        ? []
        : [entry("  padding", `${count(scanned.padding, "run")} of nops before functions, which nobody patches`, 12)]),
      ...otherKinds.flatMap((kind) => {
        const number = scanned.others[kind];
        return number === undefined ? [] : [entry("  others", `${number} ${OTHERS[kind]}`, 12)];
      }),
      ...(scanned.rows === undefined ? [] : columns(scanned.rows.map(rowText), SITE_WIDTH)),
    ].join("\n");
  const all = files.reduce((sum, each) => sum + total(each), 0);
  const parts = files.map(one);
  if (files.length > 1)
    parts.push(...columns([[`${count(files.length, "file")}, ${count(all, "patch site")} in all`]]));
  if (interrupted) parts.push("interrupted: not all files were read");
  return `${parts.join("\n")}\n`;
};
