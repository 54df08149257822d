import { InputError, type InputErrorCode } from "../base/errors.js";
import { hexAddress } from "../base/hex.js";
import { didYouMean } from "../base/nearest.js";
import type { Architecture } from "../contract/architecture.js";
import type { ResolvedSite } from "../contract/layout.js";
import type { Pair } from "../contract/program.js";
import type { CodeBlock, Scenario } from "../contract/scenario.js";
import { assemble } from "./sites.js";

/* What a scenario says of its code has to fit together: of two things in one place one would silently be left out. */

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
  throw new InputError(`${a.what} overlaps ${b.what} at ${hexAddress(at)} and says something else of it.`, {
    place: a.what,
    code: "overlap",
  });
};

/**
 * Throws {@link InputError} where blocks of code or of data, sites and the code that is said to follow a site lie in each other and differ. What a
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
  const planned = ofStrategies.map((block) => runOf(block, `A strategy's block at ${hexAddress(block.address)}`));
  const changed = sites.map(
    ({ address, versions }, i): Run => ({ what: `scenario.sites[${i}]`, address, bytes: versions[0].bytes }),
  );
  const behind = sites.flatMap(({ after }, i): readonly Run[] =>
    scenario.sites[i]?.after === undefined ? [] : [{ what: `scenario.sites[${i}].after`, ...after }],
  );
  blocks.forEach((block, i) => {
    for (const other of [...blocks.slice(0, i), ...changed, ...behind]) refuseOverlap(block, other);
  });
  for (const run of behind) for (const site of changed) refuseOverlap(run, site);
  const data = (scenario.data ?? []).map((block, i): Run => ({ what: `scenario.data[${i}]`, ...block }));
  data.forEach((block, i) => {
    for (const other of [...data.slice(0, i), ...changed.filter((_, site) => sites[site]?.data)])
      refuseOverlap(block, other);
  });
  planned.forEach((block, i) => {
    for (const site of changed) refuseOverlap(block, site);
    for (const other of planned.slice(0, i)) refuseOverlap(block, other);
  });
};

/**
 * Throws {@link InputError} where an executor starts inside an instruction of every version of a site, or in a site of data.
 * `ofStrategies`: where strategies say that those start which do not say themselves.
 */
export const assertEntries = (
  { executors = [] }: Scenario,
  sites: readonly ResolvedSite[],
  ofStrategies: readonly bigint[],
): void => {
  executors.forEach(({ entries = [] }, i) => {
    entries.forEach((entry, j) => {
      assertBegins(entry, sites, `scenario.executors[${i}].entries[${j}]`);
    });
  });
  for (const entry of ofStrategies) assertBegins(entry, sites, "An entry that a strategy names");
};

const assertBegins = (entry: bigint, sites: readonly ResolvedSite[], place: string): void => {
  const index = sites.findIndex(({ address, length }) => entry >= address && entry < address + BigInt(length));
  const site = sites[index];
  if (site === undefined) return;
  const offset = Number(entry - site.address);
  const isBorder = site.versions.some(({ instructions }) => instructions.some((insn) => insn.offset === offset));
  if (isBorder && !site.data) return;
  const why = site.data ? "which is data" : "where no version of it has the start of an instruction";
  throw new InputError(`${place} is ${hexAddress(entry)}, byte ${offset} of scenario.sites[${index}], ${why}.`, {
    place,
    code: "no-code",
  });
};

/**
 * Throws {@link InputError} where values that belong together could never be looked at: at an address without code, in registers that there
 * are not, or in more or fewer of them than there are values.
 */
export const assertPairs = (
  pairs: ReadonlyMap<bigint, Pair>,
  text: ReadonlyMap<bigint, number>,
  { id, instructionSet: { registers } }: Pick<Architecture, "id" | "instructionSet">,
): void => {
  for (const [at, { registers: named, published }] of pairs) {
    const place = `program.pairs at ${hexAddress(at)}`;
    const fail = (why: string, code: InputErrorCode): never => {
      throw new InputError(`${place} ${why}`, { place, code });
    };
    if (!text.has(at)) fail("is where no code lies.", "no-code");
    const unknown = registers === undefined ? undefined : named.find((name) => !registers.includes(name));
    if (unknown !== undefined)
      fail(
        `names the register ${unknown}, which ${id} does not have${didYouMean(unknown, registers ?? [])}`,
        "unknown-name",
      );
    const wrong = published.find((values) => values.length !== named.length);
    if (wrong !== undefined) fail(`has ${named.length} registers, but ${wrong.length} values for them.`, "conflict");
  }
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
