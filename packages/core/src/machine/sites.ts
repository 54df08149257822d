import type { Bytes } from "../base/data.js";
import { InputError } from "../base/errors.js";
import { fromHex, hexAddress, toHex } from "../base/hex.js";
import { assertRange, MOST_BYTES } from "../base/maxima.js";
import { own } from "../base/own.js";
import type { Architecture } from "../contract/architecture.js";
import type { Registers } from "../contract/instruction-set.js";
import type { Callee, PlacedCode, ResolvedSite, SiteInstruction, Version } from "../contract/layout.js";
import type { Code, Site } from "../contract/scenario.js";
import { startsIn } from "../execution/borders.js";

/** Code as it is written: instructions, or data among them. */
type Written = { readonly bytes: Bytes; readonly isData: boolean };

const assembleLines = (
  code: Code,
  at: bigint,
  mode: string,
  site: bigint,
  architecture: Architecture,
): readonly Written[] => {
  if (typeof code !== "string") return [{ bytes: code, isData: false }];
  if (code.length > MOST_BYTES)
    throw new InputError(
      `The code at ${hexAddress(at)} is a text of ${code.length} characters, more than ${MOST_BYTES}.`,
      {
        code: "out-of-range",
      },
    );
  const written: Written[] = [];
  let next = at;
  for (const line of code.split(/[+\n](?!\d)/).map((text) => text.trim())) {
    if (line === "") continue;
    const [, datum] = /^\.quad\s+(\S+)$/.exec(line) ?? [];
    const words = line.split(/\s+/);
    const branch = own(architecture.branches, words.join(" "));
    const separator = words.length === 1 ? " " : ", ";
    const text =
      branch === undefined ? line : `${line}${separator}${hexAddress(site + BigInt(architecture.reach[branch]))}`;
    const bytes =
      datum === undefined ? architecture.instructionSet.assemble(text, next, mode) : quad(datum, site, architecture);
    written.push({ bytes, isData: datum !== undefined });
    next += BigInt(bytes.length);
  }
  return written;
};

/** Assembles code to lie at `at`; a branch without a target goes where the site's defaults say. */
export const assemble = (code: Code, at: bigint, mode: string, site: bigint, architecture: Architecture): Bytes =>
  assembleLines(code, at, mode, site, architecture).flatMap(({ bytes }) => bytes);

/** The same as a piece of code that lies there. */
export const placeAt = (
  code: Code,
  address: bigint,
  mode: string,
  site: bigint,
  architecture: Architecture,
): PlacedCode => {
  const bytes: number[] = [];
  const starts: number[] = [];
  for (const line of assembleLines(code, address, mode, site, architecture)) {
    const offset = bytes.length;
    if (!line.isData) starts.push(...startsIn(line.bytes, mode, architecture.instructionSet).map((at) => offset + at));
    bytes.push(...line.bytes);
  }
  return { address, bytes, mode, starts };
};

/** Eight bytes of data, little-endian: a number, or the address of the site's own `target` or `callee`. */
const quad = (text: string, site: bigint, { reach }: Architecture): Bytes => {
  const known = text === "target" || text === "callee" ? site + BigInt(reach[text]) : undefined;
  if (known === undefined && !/^(0x[\da-f]{1,16}|\d{1,20})$/i.test(text))
    throw new InputError(`.quad takes a number, \`target\` or \`callee\`, not ${text}.`, { code: "wrong-type" });
  const value = known ?? BigInt(text);
  return Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
};

const isData = ({ data, old, new: next }: Site): boolean =>
  data ?? [old, next].every((code) => typeof code === "string" && /^\s*\.quad\b/.test(code));

/** Data in words of eight bytes, as far as it goes. */
const divideData = (bytes: Bytes): readonly SiteInstruction[] =>
  Array.from({ length: Math.ceil(bytes.length / 8) }, (_, i) => {
    const word = bytes.slice(8 * i, 8 * i + 8);
    return { offset: 8 * i, bytes: toHex(word), text: `.quad 0x${toHex([...word].reverse()).replace(/^0+(?=.)/, "")}` };
  });

/** No instruction of any architecture has more bytes. */
const LONGEST = 16;

const divide = (bytes: Bytes, site: Site, what: string, architecture: Architecture): readonly SiteInstruction[] => {
  const { instructionSet } = architecture;
  const instructions: SiteInstruction[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const insn = instructionSet.decode(bytes.slice(offset, offset + LONGEST), site.mode ?? "");
    const place = `${what} code of the site at ${hexAddress(site.address)}, byte ${offset}`;
    if (insn === "short")
      throw new InputError(`The last instruction is cut off: ${toHex(bytes.slice(offset))}.`, {
        place,
        code: "wrong-type",
      });
    if (typeof insn === "string")
      throw new InputError(
        `The bytes ${toHex(bytes.slice(offset, offset + LONGEST))} are ${insn === "undefined" ? "no instruction" : "an instruction outside the modelled subset"}.`,
        { place, code: "wrong-type" },
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
  const data = isData(site);
  if (!data && site.address % BigInt(instructionSet.alignment) !== 0n) {
    throw new InputError(
      `A site on ${architecture.id} starts at a multiple of ${instructionSet.alignment} bytes, not at ${hexAddress(site.address)}.`,
      { code: "wrong-type" },
    );
  }
  const version = (code: Code, what: string): Version => {
    const bytes = assemble(code, site.address, mode, site.address, architecture);
    return { bytes, instructions: data ? divideData(bytes) : divide(bytes, site, what, architecture) };
  };
  const versions = [version(site.old, "old"), version(site.new, "new")] as const;
  const length = versions[0].bytes.length;
  if (length === 0)
    throw new InputError(`The site at ${hexAddress(site.address)} has no code.`, { code: "missing-field" });
  if (versions[1].bytes.length !== length) {
    throw new InputError(
      `The new code of the site at ${hexAddress(site.address)} has ${versions[1].bytes.length} bytes, the old ${length}; both need the same length.`,
      { code: "conflict" },
    );
  }
  assertRange("The site", site.address, length, "sites");
  const end = site.address + BigInt(length);
  const behind = data ? [] : (site.after ?? architecture.epilogue ?? architecture.returns);
  const after = placeAt(behind, end, mode, site.address, architecture);
  const callees = data ? [] : versions.flatMap((version) => calleesOf(version, site, architecture));
  return {
    address: site.address,
    length,
    mode,
    versions,
    data,
    after,
    callees,
    ...(site.origin === undefined ? {} : { origin: site.origin }),
  };
};

/** Where the calls of a version go when its instructions are executed one after the other, from registers that are all zero. */
const calleesOf = (version: Version, site: Site, { instructionSet }: Architecture): readonly Callee[] => {
  const callees: Callee[] = [];
  let registers: Registers = {};
  for (const { bytes, offset } of version.instructions) {
    const insn = instructionSet.decode(fromHex(bytes), site.mode ?? "");
    if (typeof insn === "string") continue;
    const address = site.address + BigInt(offset);
    let outcome = instructionSet.execute(insn, address, registers);
    if (outcome.do === "load") {
      const zeros = outcome.from.map(() => 0n);
      outcome = instructionSet.execute(insn, address, registers, zeros);
    }
    if (outcome.do !== "retire") continue;
    registers = { ...registers, ...outcome.registers };
    if (outcome.link !== undefined) callees.push({ address: outcome.next, mode: outcome.mode ?? site.mode ?? "" });
  }
  return callees;
};
