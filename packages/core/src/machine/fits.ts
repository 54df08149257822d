import type { Architecture } from "../architecture.js";
import { InputError } from "../errors.js";
import { didYouMean } from "../nearest.js";
import type { CodeBlock, Scenario } from "../scenario.js";
import { assemble, type ResolvedSite } from "./sites.js";

/* What a scenario says of its code has to fit together: of two things in one place one would silently be left out. */

const hex = (address: bigint): string => `0x${address.toString(16)}`;

/** A run of code, and what it is called. */
type Run = { readonly what: string; readonly address: bigint; readonly bytes: readonly number[] };

/** The first address that both hold. */
const meet = (a: Run, b: Run): bigint | undefined => {
  if (a.address > b.address) return meet(b, a);
  return b.address < a.address + BigInt(a.bytes.length) && b.bytes.length > 0 ? b.address : undefined;
};

/** Whether two runs say the same of all that both hold. */
const agree = (a: Run, b: Run): boolean =>
  a.bytes.every((byte, i) => {
    const other = b.bytes[Number(a.address - b.address) + i];
    return other === undefined || other === byte;
  });

const refuseOverlap = (a: Run, b: Run): void => {
  const at = meet(a, b);
  if (at === undefined || agree(a, b)) return;
  throw new InputError(`${a.what} overlaps ${b.what} at ${hex(at)} and says something else of it.`, {
    place: a.what,
    code: "overlap",
  });
};

/**
 * Throws {@link InputError} where blocks of code, sites and the code that is said to follow a site lie in each other and differ. What a
 * scenario says itself comes before what strategies put around.
 */
export const assertApart = (
  scenario: Scenario,
  sites: readonly ResolvedSite[],
  ofStrategies: readonly CodeBlock[],
  architecture: Architecture,
): void => {
  const runOf = (block: CodeBlock, what: string): Run => ({
    what,
    address: block.address,
    bytes: assemble(block.code, block.address, block.mode ?? "", block.address, architecture),
  });
  const blocks = (scenario.blocks ?? []).map((block, i) => runOf(block, `scenario.blocks[${i}]`));
  const planned = ofStrategies.map((block) => runOf(block, `A strategy's block at ${hex(block.address)}`));
  const changed = sites.map(
    ({ address, versions }, i): Run => ({ what: `scenario.sites[${i}]`, address, bytes: versions[0].bytes }),
  );
  const behind = sites.flatMap(({ address, length, after }, i): readonly Run[] =>
    scenario.sites[i]?.after === undefined
      ? []
      : [{ what: `scenario.sites[${i}].after`, address: address + BigInt(length), bytes: after }],
  );
  blocks.forEach((block, i) => {
    for (const other of [...blocks.slice(0, i), ...changed, ...behind]) refuseOverlap(block, other);
  });
  for (const run of behind) for (const site of changed) refuseOverlap(run, site);
  planned.forEach((block, i) => {
    for (const site of changed) refuseOverlap(block, site);
    for (const other of planned.slice(0, i)) refuseOverlap(block, other);
  });
};

/** Throws {@link InputError} where an executor starts inside an instruction of every version of a site, or in a site of data. */
export const assertEntries = ({ executors = [] }: Scenario, sites: readonly ResolvedSite[]): void => {
  executors.forEach(({ entries = [] }, i) => {
    entries.forEach((entry, j) => {
      const place = `scenario.executors[${i}].entries[${j}]`;
      const index = sites.findIndex(({ address, length }) => entry >= address && entry < address + BigInt(length));
      const site = sites[index];
      if (site === undefined) return;
      const offset = Number(entry - site.address);
      const isBorder = site.versions.some(({ instructions }) => instructions.some((insn) => insn.offset === offset));
      if (isBorder && !site.data) return;
      const why = site.data ? "which is data" : "where no version of it has the start of an instruction";
      throw new InputError(`${place} is ${hex(entry)}, byte ${offset} of scenario.sites[${index}], ${why}.`, {
        place,
        code: "no-code",
      });
    });
  });
};

/** Throws {@link InputError} where a scenario names a decoder mode or a register that the instruction set does not have. */
export const assertModesAndRegisters = (
  { sites, blocks = [], executors = [] }: Scenario,
  { id, instructionSet: { modes = [], registers } }: Pick<Architecture, "id" | "instructionSet">,
): void => {
  const check = (name: string | undefined, known: readonly string[], what: string, place: string): void => {
    if (name === undefined || name === "" || known.includes(name)) return;
    throw new InputError(`${place} names the ${what} ${name}, which ${id} does not have${didYouMean(name, known)}`, {
      place,
      code: "unknown-name",
    });
  };
  sites.forEach(({ mode }, i) => {
    check(mode, modes, "mode", `scenario.sites[${i}].mode`);
  });
  blocks.forEach(({ mode }, i) => {
    check(mode, modes, "mode", `scenario.blocks[${i}].mode`);
  });
  if (registers === undefined) return;
  executors.forEach((executor, i) => {
    for (const name of Object.keys(executor.registers ?? {}))
      check(name, registers, "register", `scenario.executors[${i}].registers`);
  });
};
