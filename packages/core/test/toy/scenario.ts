import {
  type Bytes,
  createSimulation,
  type Flip,
  type Line,
  type Patcher,
  type PatchProgram,
  type PatchStrategy,
  type PropertyId,
  propertyIds,
  type Scenario,
  type Site,
  type Verdict,
} from "../../src/index.js";
import { type ToyOptions, toy } from "./architecture.js";

/** Where sites lie unless a test says otherwise: at the start of a granule. */
export const AT = 0x1010n;

/** A strategy from lines; it promises everything, so that every property counts. */
export const strategy = (
  lines: (flip: Flip) => readonly Line[],
  more: Partial<Omit<PatchStrategy, "plan">> & { readonly program?: (flip: Flip) => Omit<PatchProgram, "main"> } = {},
): PatchStrategy => {
  const { program = () => ({}), ...rest } = more;
  return {
    id: "test",
    summary: "written for one test",
    source: "this test",
    architectures: ["toy"],
    defaultSite: "nop3:call",
    promises: propertyIds,
    ...rest,
    plan: (flip) => ({ main: lines(flip), ...program(flip) }),
  };
};

/** A site that takes up `old` and `new` at an address. */
export const site = (old: Site["old"], next: Site["new"], address = AT): Site => ({ address, old, new: next });

/** One flip of one site by one patcher, an executor on each other CPU. */
export const scenario = (
  patching: PatchStrategy,
  more: Partial<Scenario> & { readonly patcher?: Partial<Patcher> } = {},
): Scenario => {
  const { patcher = {}, ...rest } = more;
  const sites = rest.sites ?? [site("nop3", "call")];
  return {
    name: "test",
    sites,
    patchers: [{ strategy: patching, sites: sites.map((_, i) => i), flips: 1, ...patcher }],
    cpus: 2,
    ...rest,
  };
};

/** The verdict on a scenario on the toy. */
export const check = (of: Scenario, architecture: ToyOptions = {}): Promise<Verdict> =>
  createSimulation({ architecture: toy(architecture), development: true }).check(of);

/** The verdict, and the first property that broke. */
export const answer = (verdict: Verdict): string =>
  verdict.verdict === "unsafe" ? `unsafe: ${verdict.property}` : verdict.verdict;

/** Only these properties count. */
export const only = (...properties: readonly PropertyId[]): { readonly properties: readonly PropertyId[] } => ({
  properties,
});

/** The first site of a flip. */
export const first = (flip: Flip): { readonly address: bigint; readonly old: Bytes; readonly next: Bytes } => {
  const [found] = flip.sites;
  if (found === undefined) throw new Error("A flip has a site.");
  return found;
};
