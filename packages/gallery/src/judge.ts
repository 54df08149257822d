import { type CheckOptions, createSimulation, type Scenario, type Simulation, type Verdict } from "@cmodx/core";
import type { GalleryEntry } from "./entry.js";

/**
 * Whether the machine says of an entry what it claims: that the bug breaks its property and that the fix is safe. `undecided` when a
 * limit or an interruption kept the machine from saying so.
 */
export type GalleryStatus = "as expected" | "not as expected" | "undecided";

/** What the machine says of an entry. */
export type Judged = {
  readonly entry: GalleryEntry;
  readonly wrong: Verdict;
  readonly fixed: Verdict;
  readonly status: GalleryStatus;
  /** What is not as expected, one sentence each; empty when everything is. */
  readonly complaints: readonly string[];
};

/** The simulation that both scenarios of an entry run on. */
export const simulationOf = ({ architecture, plugins = [] }: GalleryEntry): Simulation =>
  createSimulation({ architecture: architecture(), plugins });

/** Asks the machine about the bug of an entry and about its fix. A limit of time is one for both, others hold for each. */
export const judge = async (entry: GalleryEntry, options: CheckOptions = {}): Promise<Judged> => {
  const simulation = simulationOf(entry);
  const began = performance.now();
  const check = (scenario: Scenario): Promise<Verdict> => {
    const { bounds = {} } = options;
    const { milliseconds } = bounds;
    const spent = performance.now() - began;
    const left = milliseconds === undefined ? {} : { milliseconds: Math.max(0, milliseconds - spent) };
    return simulation.check(scenario, { ...options, bounds: { ...bounds, ...left } });
  };
  const wrong = await check(entry.wrong);
  const fixed = await check(entry.fixed);
  const ofWrong = wrongIs(wrong, entry);
  const ofFixed = fixedIs(fixed);
  const decided = (verdict: Verdict): boolean => verdict.verdict !== "inconclusive";
  const disagrees = (ofWrong.length > 0 && decided(wrong)) || (ofFixed.length > 0 && decided(fixed));
  const complaints = [...ofWrong, ...ofFixed];
  const status = disagrees ? "not as expected" : complaints.length > 0 ? "undecided" : "as expected";
  return { entry, wrong, fixed, status, complaints };
};

const wrongIs = (verdict: Verdict, { property }: GalleryEntry): readonly string[] => {
  if (verdict.verdict !== "unsafe")
    return [`The bug was not found: its scenario is ${verdict.verdict}, not unsafe with ${property}.`];
  return verdict.property === property
    ? []
    : [`What breaks is ${verdict.property}, not ${property}, so it is another bug that was found.`];
};

const fixedIs = (verdict: Verdict): readonly string[] => {
  if (verdict.verdict === "unsafe") return [`The fix does not hold: it breaks ${verdict.property}. ${verdict.why}`];
  if (verdict.verdict === "vacuous") return [`The fix is vacuous, not safe. ${verdict.reason}`];
  return verdict.verdict === "safe" ? [] : [`The fix is ${verdict.verdict}, not safe.`];
};
