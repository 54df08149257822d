import { createSimulation, type PatchStrategy, type Scenario, type SiteOutcome, store } from "@cmodx/core";
import { x86 } from "@cmodx/x86";
import { finalViews } from "../memory/final-views.js";
import { LINE } from "../protocols/check.js";
import type { LitmusRow, Pattern, StoreRow } from "./measured.js";

/** Stores parts of the new code in an order, each part with one access. */
const inOrder = (stores: StoreRow["stores"]): PatchStrategy => ({
  id: "in-order",
  summary: "stores in an order, and nothing else",
  source: "the programs that measured",
  architectures: ["x86"],
  defaultSite: "nop5:call",
  promises: [],
  plan: ({ sites }) => ({
    main: sites.flatMap(({ address, next }) =>
      stores.map(([offset, length], i) =>
        store(`write.${i}`, address + BigInt(offset), next.slice(offset, offset + length), { width: 8 }),
      ),
    ),
  }),
});

/** What was computed for a key before, or else now: several tests ask for the same. */
const once = <T>(known: Map<string, T>, key: string, compute: () => T): T => {
  const found = known.get(key) ?? compute();
  known.set(key, found);
  return found;
};

const scenarios = new Map<string, Scenario>();

/** The measurement of a row, as a scenario: one CPU flips, one calls the site in a loop. */
export const flipping = (row: StoreRow, offset: number): Scenario =>
  once(scenarios, JSON.stringify([row.old, row.new, row.stores, row.once, offset]), () => ({
    name: row.id,
    sites: [{ address: LINE + BigInt(offset), old: row.old, new: row.new }],
    patchers: [{ strategy: inOrder(row.stores), sites: [0], flips: row.once ? 1 : 2 }],
    cpus: 2,
  }));

const listings = new WeakMap<Scenario, Map<string, Promise<readonly SiteOutcome[]>>>();

/** What can be executed at the sites of a scenario. */
export const outcomesOf = (scenario: Scenario, fetch: string): Promise<readonly SiteOutcome[]> => {
  const byModel = listings.get(scenario) ?? new Map();
  listings.set(scenario, byModel);
  return once(byModel, fetch, async () => {
    const { outcomes, limit } = await createSimulation({ architecture: x86({ fetch }) }).outcomes(scenario);
    if (limit !== null) throw new Error(`The outcomes of ${scenario.name} are not complete.`);
    return outcomes;
  });
};

/** Whether a pattern of what was measured describes something that can be executed. */
export const reaches = async (scenario: Scenario, fetch: string, pattern: Pattern): Promise<boolean> => {
  if ("property" in pattern) {
    const { check } = createSimulation({ architecture: x86({ fetch }) });
    return (await check({ ...scenario, properties: [pattern.property] })).verdict === "unsafe";
  }
  return (await outcomesOf(scenario, fetch)).some(({ how, offset, bytes, text, kind }) => {
    if (how !== "executed" || offset !== (pattern.offset ?? 0)) return false;
    if ("bytes" in pattern) return bytes.startsWith(pattern.bytes);
    return "text" in pattern ? text === pattern.text : kind === pattern.kind;
  });
};

/** Where the datum x lies, and its register or that of a fetch, in the order in which a thread asks. */
const X = "0x1000";
const answers = ["ebx", "esi"] as const;
/** Immediates whose bytes all differ, so that a torn fetch is neither. */
const [OLD, NEW] = [0x11111111n, 0x22222222n];
const hex = (value: bigint): string => `0x${value.toString(16)}`;
const siteAt = (index: number): bigint => LINE + 0x40n * BigInt(index);

/** How many bytes lines of code take; it does not depend on where a branch in them goes. */
const sizeOf = (lines: readonly string[]): bigint =>
  BigInt(lines.reduce((sum, line) => sum + x86().instructionSet.assemble(line, LINE).length, 0));

/** The lines of a fence at an address. IRETQ goes to the line behind it, and leaves the stack as it was. */
const fenceAt = (fence: string, at: bigint): readonly string[] => {
  if (fence === "none") return [];
  if (fence !== "iretq") return [fence];
  const frame = ["mov rdx, rsp", "push 0", "push rdx", "push 2", "push 0x10"];
  const lines = (behind: bigint): readonly string[] => [...frame, `mov rdx, ${hex(behind)}`, "push rdx", "iretq"];
  return lines(at + sizeOf(lines(at)));
};

type Thread = {
  readonly entry: bigint;
  readonly lines: readonly string[];
  /** What each register holds at the end. */
  readonly seen: readonly (readonly [what: string, register: string])[];
};

const threadOf = (steps: readonly string[], index: number, fence: string): Thread => {
  const entry = LINE + 0x1000n * BigInt(index + 1);
  const lines: string[] = [];
  const seen: [string, string][] = [];
  for (const step of steps) {
    const [verb = "", what = "", number = "0"] = step.split(" ");
    const site = siteAt(Number(number));
    const register = answers[seen.length] as string;
    if (verb === "load" || verb === "fetch") seen.push([`${index}:${step.slice(verb.length + 1)}`, register]);
    switch (`${verb} ${what}`) {
      case "store x":
        lines.push(`mov dword ptr [${X}], 1`);
        break;
      case "load x":
        lines.push(`mov ${register}, dword ptr [${X}]`);
        break;
      case "store site":
        lines.push(`mov rdx, ${hex(site + 1n)}`, `mov dword ptr [rdx], ${hex(NEW)}`);
        break;
      case "fetch site":
        lines.push(`call ${hex(site)}`, `mov ${register}, eax`);
        break;
      default:
        lines.push(...fenceAt(verb === "FENCE" ? fence : verb, entry + sizeOf(lines)));
    }
  }
  return { entry, lines, seen };
};

const ended = new Map<string, ReadonlySet<string>>();

/** Everything that the threads of a row can have seen in the end: `1:x=1, 1:site 0=old`; a torn fetch is `torn`. */
export const jointly = (row: LitmusRow, fetch: string, fence: string): ReadonlySet<string> =>
  once(ended, JSON.stringify([row.threads, fetch, fence]), () => seenBy(row, fetch, fence));

const seenBy = (row: LitmusRow, fetch: string, fence: string): ReadonlySet<string> => {
  const threads = row.threads.map((steps, i) => threadOf(steps, i, fence));
  const machine = createSimulation({ architecture: x86({ fetch }) }).machine({
    name: row.id,
    sites: Array.from({ length: row.sites }, (_, i) => ({
      address: siteAt(i),
      old: `mov eax, ${hex(OLD)}`,
      new: `mov eax, ${hex(NEW)}`,
    })),
    patchers: [],
    cpus: threads.length,
    memory: row.needs,
    blocks: threads.map(({ entry, lines }) => ({ address: entry, code: [...lines, "jmp8 ."].join("\n") })),
    executors: threads.map(({ entry }) => ({ entries: [entry], count: 1 })),
  });

  const ends = threads.map(({ entry, lines }) => entry + sizeOf(lines));
  return new Set(
    finalViews(machine, ends).map(({ registers }) =>
      threads
        .flatMap(({ seen }, i) =>
          seen.map(([what, register]) => `${what}=${named(what, registers[i]?.[register.replace("e", "r")] ?? 0n)}`),
        )
        .sort()
        .join(", "),
    ),
  );
};

const named = (what: string, value: bigint): string => {
  if (!what.includes("site")) return String(value);
  return value === OLD ? "old" : value === NEW ? "new" : "torn";
};

/** The weak outcome of a row, as {@link jointly} writes it. */
export const weakOf = (row: LitmusRow): string =>
  Object.entries(row.weak)
    .map(([what, value]) => `${what}=${value}`)
    .sort()
    .join(", ");
