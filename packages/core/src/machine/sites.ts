import type { Architecture } from "../architecture.js";
import type { Bytes } from "../data.js";
import { InputError } from "../errors.js";
import { fromHex, toHex } from "../hex.js";
import type { Code, Site } from "../scenario.js";

/** One instruction of a version of a site; `offset` is in bytes from the site's start. */
export type SiteInstruction = { readonly offset: number; readonly bytes: string; readonly text: string };

/** A version of a site: its bytes and how they divide into instructions. */
export type Version = { readonly bytes: Bytes; readonly instructions: readonly SiteInstruction[] };

/** A site with its code assembled: `versions[0]` is the old code, `versions[1]` the new. */
export type ResolvedSite = {
  readonly address: bigint;
  readonly length: number;
  readonly mode: string;
  readonly versions: readonly [Version, Version];
  /** Code that follows the site. */
  readonly after: Bytes;
  readonly origin?: string;
  /** Functions that its calls go to and that are not modelled otherwise: each returns at once. */
  readonly callees: readonly bigint[];
};

const hex = (address: bigint): string => `0x${address.toString(16)}`;

/** Assembles code to lie at `at`; a branch without a target goes where the site's defaults say. */
export const assemble = (code: Code, at: bigint, mode: string, site: bigint, architecture: Architecture): Bytes => {
  if (typeof code !== "string") return code;
  const bytes: number[] = [];
  for (const line of code.split(/[+\n](?!\d)/).map((text) => text.trim())) {
    if (line === "") continue;
    const mnemonic = line.split(/\s/)[0] ?? "";
    const branch = line === mnemonic ? architecture.branches[mnemonic] : undefined;
    const text = branch === undefined ? line : `${line} ${hex(site + BigInt(architecture.reach[branch]))}`;
    bytes.push(...architecture.instructionSet.assemble(text, at + BigInt(bytes.length), mode));
  }
  return bytes;
};

const divide = (bytes: Bytes, site: Site, what: string, architecture: Architecture): readonly SiteInstruction[] => {
  const { instructionSet } = architecture;
  const instructions: SiteInstruction[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const insn = instructionSet.decode(bytes.slice(offset), site.mode ?? "");
    const place = `${what} code of the site at ${hex(site.address)}, byte ${offset}`;
    if (insn === "short")
      throw new InputError(`The last instruction is cut off: ${toHex(bytes.slice(offset))}.`, { place });
    if (typeof insn === "string")
      throw new InputError(
        `The bytes ${toHex(bytes.slice(offset))} are ${insn === "undefined" ? "no instruction" : "an instruction outside the modelled subset"}.`,
        { place },
      );
    const chunk = bytes.slice(offset, offset + insn.length);
    instructions.push({
      offset,
      bytes: toHex(chunk),
      text: instructionSet.format(insn, site.address + BigInt(offset)),
    });
    offset += insn.length;
  }
  return instructions;
};

/** Assembles and checks a site. Throws {@link InputError} when its code cannot be encoded or the versions differ in length. */
export const resolveSite = (site: Site, architecture: Architecture): ResolvedSite => {
  const mode = site.mode ?? "";
  const { instructionSet } = architecture;
  if (site.address % BigInt(instructionSet.alignment) !== 0n) {
    throw new InputError(
      `A site on ${architecture.id} starts at a multiple of ${instructionSet.alignment} bytes, not at ${hex(site.address)}.`,
    );
  }
  const version = (code: Code, what: string): Version => {
    const bytes = assemble(code, site.address, mode, site.address, architecture);
    return { bytes, instructions: divide(bytes, site, what, architecture) };
  };
  const versions = [version(site.old, "old"), version(site.new, "new")] as const;
  const length = versions[0].bytes.length;
  if (length === 0) throw new InputError(`The site at ${hex(site.address)} has no code.`);
  if (versions[1].bytes.length !== length) {
    throw new InputError(
      `The new code of the site at ${hex(site.address)} has ${versions[1].bytes.length} bytes, the old ${length}; both need the same length.`,
    );
  }
  const end = site.address + BigInt(length);
  const after = assemble(site.after ?? architecture.returns, end, mode, site.address, architecture);
  const callees = versions.flatMap((v) => v.instructions.flatMap((insn) => calleeOf(insn, site, architecture)));
  return {
    address: site.address,
    length,
    mode,
    versions,
    after,
    callees,
    ...(site.origin === undefined ? {} : { origin: site.origin }),
  };
};

/** Where a call goes when it is executed with all registers zero. */
const calleeOf = (at: SiteInstruction, site: Site, architecture: Architecture): readonly bigint[] => {
  const { instructionSet } = architecture;
  const bytes = fromHex(at.bytes);
  const insn = instructionSet.decode(bytes, site.mode ?? "");
  if (typeof insn === "string") return [];
  const address = site.address + BigInt(at.offset);
  const first = instructionSet.execute(insn, address, {});
  const outcome =
    first.do === "load"
      ? instructionSet.execute(
          insn,
          address,
          {},
          first.from.map(() => 0n),
        )
      : first;
  return outcome.do === "retire" && outcome.link !== undefined ? [outcome.next] : [];
};
