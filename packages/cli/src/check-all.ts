import { type Architecture, InputError, listed, type Verdict } from "@cmodx/core";
import { hazards, isPadding, lineOffsets, type PatchSite } from "@cmodx/image";
import { type ModelOptions, requestsOf, strongerThan } from "./ask.js";
import { type Catalogue, create } from "./catalogue.js";
import { isInputError } from "./errors.js";
import { type BinarySite, sitesFromBinary } from "./from-binary.js";
import type { Io, ProgressLine } from "./io.js";
import type { CheckAllJson, ClassJson } from "./json.js";
import { judgeWorst } from "./judge.js";
import { type Budget, cutShort } from "./limits.js";
import { replacementsFor } from "./replacements.js";
import { columns, count, entry } from "./text.js";

/*
 * `cmodx check --from FILE --all`: the sites of a file fall into classes of equal shape, and one site of each class answers for all of it.
 */

type SiteClass = { readonly sites: readonly PatchSite[]; readonly binary: BinarySite };

/** Which bytes differ between two texts of code at an address; the new text itself where it leads nowhere that depends on the site. */
const changeOf = (
  { old, next }: { readonly old: string | readonly number[]; readonly next: string | readonly number[] },
  at: bigint,
  mode: string | undefined,
  { instructionSet }: Architecture,
): string => {
  if (typeof next !== "string" || typeof old === "string" || !/[.][+-]/.test(next)) return String(next);
  try {
    const bytes = instructionSet.assemble(next, at, mode);
    return bytes.map((byte, i) => (byte === old[i] ? "=" : "x")).join("");
  } catch (error) {
    if (isInputError(error)) return next;
    throw error;
  }
};

/**
 * What tells the shape of a site: all that a check of it depends on but where its branch leads. Of a branch it counts which of the bytes
 * change.
 */
const shapeOf = (binary: BinarySite, architecture: Architecture): string => {
  const { site, machine, file } = binary;
  const where = [lineOffsets(site).join(","), site.mode, site.boundaries.join(","), site.padding, site.literal];
  try {
    const { skip, old, new: next } = replacementsFor(machine, file).replace(site);
    const at = architecture.base + BigInt((lineOffsets(site)[0] ?? 0) + skip);
    const change = changeOf({ old, next }, at, site.mode, architecture);
    return [site.kind, site.instruction, site.tail, skip, change, ...where].join("|");
  } catch (error) {
    if (!isInputError(error)) throw error;
    return [site.kind, site.instruction, withoutSite(error.message), ...where].join("|");
  }
};

/** What is said of one site, for all of its class. */
const withoutSite = (message: string): string => message.replace(/^Site #\d+( \([^)]*\))? /, "each ");

const classesOf = (binaries: readonly BinarySite[], architecture: Architecture): readonly SiteClass[] => {
  const classes = new Map<string, { readonly sites: PatchSite[]; readonly binary: BinarySite }>();
  for (const binary of binaries) {
    const shape = shapeOf(binary, architecture);
    const known = classes.get(shape);
    if (known === undefined) classes.set(shape, { sites: [binary.site], binary });
    else known.sites.push(binary.site);
  }
  return [...classes.values()];
};

type Answer = Pick<ClassJson, "strategy" | "verdict" | "property" | "why">;

/** The answer for the first site of a class; `impossible` where nothing can be checked. */
const answerFor = async (
  { binary }: SiteClass,
  asked: ModelOptions,
  catalogue: Catalogue,
  budget: Budget,
  io: Io,
  progress: ProgressLine,
): Promise<Answer> => {
  try {
    const requests = await requestsOf(asked, catalogue, io.cwd, binary);
    const strategy = requests.flatMap((request) => ("strategy" in request ? [request.strategy] : []))[0] ?? null;
    const { verdict } = await judgeWorst(requests, catalogue, budget, io, progress);
    return { strategy, verdict: verdict.verdict, ...wordsOf(verdict) };
  } catch (error) {
    if (!isInputError(error)) throw error;
    return { strategy: asked.strategy ?? null, verdict: "impossible", property: null, why: withoutSite(error.message) };
  }
};

const wordsOf = (verdict: Verdict): Pick<ClassJson, "property" | "why"> => {
  if (verdict.verdict === "unsafe") return { property: verdict.property, why: verdict.why };
  return { property: null, why: verdict.verdict === "vacuous" ? verdict.reason : null };
};

const placeOf = (site: PatchSite): ClassJson["first"] => ({
  number: site.number,
  symbol: site.symbol ?? null,
  address: `0x${site.address.toString(16)}`,
});

/** The first of these fetch models under which nothing breaks in all of these classes; null where there is none. */
const strongerFor = async (
  unsafe: readonly SiteClass[],
  asked: ModelOptions,
  models: readonly string[],
  answer: (of: SiteClass, asked: ModelOptions) => Promise<Answer>,
): Promise<string | null> => {
  for (const fetch of models) {
    let safe = true;
    for (const each of unsafe) safe &&= (await answer(each, { ...asked, fetch })).verdict === "safe";
    if (safe) return fetch;
  }
  return null;
};

/**
 * Checks one site of each class of a file. `asked.from` names the file alone.
 * Throws {@link InputError} where the file cannot be read or has no sites.
 */
export const checkAll = async (
  asked: ModelOptions,
  catalogue: Catalogue,
  budget: Budget,
  io: Io,
  progress: ProgressLine,
): Promise<CheckAllJson> => {
  const found = await sitesFromBinary(asked.from ?? "", io.cwd);
  const { file, machine, architecture: id } = found;
  const binaries = found.sites
    .filter((site) => !isPadding(site))
    .map((site) => ({ architecture: id, machine, file, site }));
  if (binaries.length === 0)
    throw new InputError(`${file}: the file has no patch sites.`, { file, place: "--all", code: "impossible" });
  const pack = catalogue.architecture(asked.arch ?? id);
  const architecture = create(pack, asked.fetch);
  const classes = classesOf(binaries, architecture);
  const answer = (of: SiteClass, options: ModelOptions): Promise<Answer> =>
    answerFor(of, options, catalogue, budget, io, progress);

  const answered: { readonly of: SiteClass; readonly json: ClassJson }[] = [];
  let cut: string | undefined;
  for (const of of classes) {
    cut = cutShort(budget, io);
    if (cut !== undefined) break;
    progress.show(`${answered.length} of ${classes.length} classes of sites checked`);
    const { kind, instruction } = of.binary.site;
    const offsets = lineOffsets(of.binary.site);
    const json: ClassJson = {
      kind,
      instruction,
      offset: offsets.length === 1 ? (offsets[0] ?? 0) : null,
      hazards: hazards(of.binary.site),
      sites: of.sites.length,
      first: placeOf(of.binary.site),
      ...(await answer(of, asked)),
    };
    answered.push({ of, json });
  }
  const unsafe = answered.filter(({ json }) => json.verdict === "unsafe").map(({ of }) => of);
  const models = asked.fetch === undefined ? strongerThan(architecture.fetch.id, pack) : [];
  const stronger = unsafe.length > 0 && cut === undefined ? await strongerFor(unsafe, asked, models, answer) : null;
  return {
    schema: "cmodx/check-all/1",
    file,
    machine,
    fetch: architecture.fetch.id,
    sites: binaries.length,
    padding: found.sites.length - binaries.length,
    unchecked: binaries.length - answered.reduce((sum, { json }) => sum + json.sites, 0),
    cut: cut ?? null,
    stronger,
    classes: answered.map(({ json }) => json),
  };
};

const verdicts = ["safe", "unsafe", "inconclusive", "vacuous", "impossible"] as const;

const sitesIn = (classes: readonly ClassJson[]): number => classes.reduce((sum, { sites }) => sum + sites, 0);

const firstOf = ([first]: readonly ClassJson[]): string =>
  first === undefined
    ? ""
    : `first #${first.first.number}${first.first.symbol === null ? "" : ` ${first.first.symbol}`}`;

/** The answer as people read it: how many sites are safe, then what breaks, by hazard, and the first site of each. */
export const checkAllText = (document: CheckAllJson): string => {
  const { file, machine, fetch, sites, padding, classes, unchecked, cut, stronger } = document;
  const of = (verdict: ClassJson["verdict"]) => classes.filter((each) => each.verdict === verdict);
  const answers = verdicts.flatMap((verdict) =>
    of(verdict).length === 0 ? [] : [`${sitesIn(of(verdict))} ${verdict}`],
  );
  const strategies = [...new Set(classes.map(({ kind, strategy }) => `${kind}: ${strategy ?? "none"}`))];
  const rows = verdicts
    .filter((verdict) => verdict !== "safe")
    .flatMap((verdict) => {
      const causes = [...new Set(of(verdict).map(({ kind, property, why }) => `${kind}|${property ?? why}`))];
      return causes.map((cause) => {
        const those = of(verdict).filter(({ kind, property, why }) => `${kind}|${property ?? why}` === cause);
        return [
          `  ${sitesIn(those)} ${verdict}`,
          those[0]?.kind ?? "",
          `${cause.slice(cause.indexOf("|") + 1)}; ${firstOf(those)}`,
        ];
      });
    });
  const named = [...new Set(classes.flatMap(({ hazards: found }) => found))];
  const hazardRows = named.map((hazard) => {
    const those = classes.filter(({ hazards: found }) => found.includes(hazard));
    const broken = those.filter(({ verdict }) => verdict === "unsafe");
    const what = broken.length === 0 ? "none unsafe" : `${sitesIn(broken)} unsafe, ${firstOf(broken)}`;
    return [`  ${hazard}`, `${sitesIn(those)}`, what];
  });
  return [
    `${file}: ${machine}, ${count(sites, "patch site")} in ${classes.length === 1 ? "1 class" : `${classes.length} classes`}: ${listed(answers)}`,
    ...columns(rows),
    ...(hazardRows.length === 0 ? [] : ["by hazard", ...columns(hazardRows)]),
    ...(stronger === null ? [] : [entry("Stronger", `under ${stronger} all of these are safe`)]),
    ...(padding === 0
      ? []
      : [entry("Padding", `${count(padding, "run")} of nops before functions, which nobody patches`)]),
    ...(cut === null ? [] : [entry("Unchecked", `${count(unchecked, "site")}: ${cut}`)]),
    entry("Strategies", listed(strategies)),
    entry(
      "Fetch",
      `${fetch}; one site of each class was checked: the others differ from it in where their branch leads`,
    ),
    "",
  ].join("\n");
};
