import { InputError } from "../base/errors.js";
import { hexAddress } from "../base/hex.js";
import { assertRange, MOST_BYTES } from "../base/maxima.js";
import type { PlacedCode, Stretch, TextLayout } from "../contract/layout.js";
import type { CompiledProgram, Operation } from "../contract/program.js";
import type { Scenario } from "../contract/scenario.js";
import type { TextState } from "../contract/state.js";
import { bytesIn, covers, meets, type Range } from "./text.js";

/* How all that a scenario and its programs say of text divides it into stretches (R47). */

const RANGED: ReadonlySet<string> = new Set(["freeCode", "mapCode", "setMemory"]);

const operationsOf = (programs: ReadonlyMap<string, CompiledProgram>): readonly Operation[] =>
  [...programs.values()].flatMap(({ code }) => code.flatMap((entry) => (entry.kind === "op" ? [entry] : [])));

/** Divides text by all that is said of it. Throws {@link InputError} where that does not fit what lies there. */
export const divideText = (
  scenario: Scenario,
  programs: ReadonlyMap<string, CompiledProgram>,
  mapped: readonly PlacedCode[],
  stores: TextLayout["stores"],
  text: ReadonlyMap<bigint, number>,
  siteOf: ReadonlyMap<bigint, unknown>,
): TextLayout => {
  const operations = operationsOf(programs);
  const declared = scenario.text ?? [];
  const ranges = operations.flatMap(({ op, step, args }) =>
    RANGED.has(op) ? [{ op, step, range: args as Range }] : [],
  );
  const mapping = ranges.filter(({ op }) => op === "mapCode").map(({ range }) => range);
  const isCode = (at: bigint): boolean => text.has(at) || mapping.some((range) => covers(range, at));
  declared.forEach((range, i) => {
    assertSize(range, `text[${i}]`);
    if (!bytesIn(range).some(isCode))
      throw new InputError(`No code lies at ${hexAddress(range.address)}, where text has permissions.`, {
        place: `text[${i}]`,
        code: "no-code",
      });
    const other = declared.findIndex((each, j) => j > i && meets(each, range));
    if (other >= 0)
      throw new InputError(
        `The ranges of text at ${hexAddress(range.address)} and ${hexAddress(declared[other]?.address ?? 0n)} overlap.`,
        {
          place: `text[${other}]`,
          code: "overlap",
        },
      );
  });
  for (const { op, step, range } of ranges) {
    assertSize(range, step);
    if (op === "mapCode") {
      const site = bytesIn(range).find((at) => siteOf.has(at));
      if (site !== undefined)
        throw new InputError(
          `Step ${step} maps code over the site at ${hexAddress(site)}; what a site is changed to is its new version.`,
          { place: step, code: "overlap" },
        );
    } else if (!bytesIn(range).some(isCode)) {
      throw new InputError(`No code lies at ${hexAddress(range.address)}, of which step ${step} speaks.`, {
        place: step,
        code: "no-code",
      });
    }
  }
  for (const { op, step, args } of operations) {
    if (op !== "storeData" && op !== "freeData") continue;
    const { address, bytes = "", size = bytes.length / 2 } = args as { address: bigint; bytes?: string; size?: number };
    const code = bytesIn({ address, size }).find(isCode);
    if (code === undefined) continue;
    throw new InputError(
      op === "freeData"
        ? `Step ${step} gives data back at ${hexAddress(code)}, where code lies; code is given back with freeCode.`
        : `Step ${step} stores data at ${hexAddress(code)}, where code lies; code is stored with store.`,
      { place: step, code: "conflict" },
    );
  }
  const all = [...declared, ...ranges.map(({ range }) => range)];
  const borders = [...new Set(all.flatMap(({ address, size }) => [address, address + BigInt(size)]))].sort((a, b) =>
    a < b ? -1 : 1,
  );
  const stretches = borders.flatMap((from, i): readonly Stretch[] => {
    const to = borders[i + 1];
    return to !== undefined && all.some((range) => covers(range, from)) ? [{ from, to }] : [];
  });
  const initial = stretches.map(({ from, to }): TextState => {
    const access = declared.find((range) => covers(range, from))?.access ?? "r-x";
    const lies = bytesIn({ address: from, size: Number(to - from) }).some((at) => text.has(at));
    return lies ? { access } : { access, freed: true };
  });
  return { stretches, mapped, stores, initial };
};

const assertSize = ({ address, size }: Range, place: string): void => {
  if (!Number.isInteger(size) || size < 1 || size > MOST_BYTES)
    throw new InputError(`A range of text has 1 to ${MOST_BYTES} bytes, not ${size}.`, { place, code: "out-of-range" });
  assertRange("A range of text", address, size, place);
};
