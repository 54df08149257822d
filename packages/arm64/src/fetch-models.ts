import type { FetchModel, FetchVariant } from "@cmodx/core";
import type { CacheType } from "./cache.js";
import { type CmodxList, cmodxLists, isInList } from "./cmodx.js";

const admitsBy =
  (list: CmodxList): FetchModel["admits"] =>
  (_window, _chosen, { versions }) => {
    const refused = versions.length > 1 && !versions.every((version) => isInList(version, list));
    if (!refused) return "run";
    return {
      breaks: "rule",
      why: `the instruction was executed while it was changed, and not both values are in the CMODX list (${list.id})`,
    };
  };

const model = (type: CacheType, stale: FetchModel["stale"], summary: string, list: CmodxList): FetchModel => ({
  id: type,
  source: "Arm ARM DDI 0487, B2.2.5 and B2.7.4; CTR_EL0",
  summary,
  unit: 4,
  stale,
  granule: 0,
  reports: { idc: type !== "none", dic: type === "idc+dic" },
  admits: admitsBy(list),
});

/** The fetch models of Arm for a CMODX list, by cache type, the weakest first. */
export const fetchModelsFor = (list: CmodxList): readonly FetchModel[] => [
  model(
    "none",
    "until-maintenance",
    "stale until cleaned, invalidated, and synchronised on the CPU that fetches",
    list,
  ),
  model("idc", "until-maintenance", "stale until invalidated, and synchronised on the CPU that fetches", list),
  model(
    "idc+dic",
    "in-order",
    "fetches see the stores in their order, and lag behind them until the CPU that fetches synchronises",
    list,
  ),
  neoverseN1(list),
];

/**
 * The erratum of Neoverse-N1: caches that need no maintenance, and software is told so; but the target of a branch may have been fetched
 * before the branch, so what was written first may be fetched old after what was written last was fetched new.
 */
const neoverseN1 = (list: CmodxList): FetchModel => ({
  ...model("idc+dic", "until-sync", "as idc+dic is told, but a new branch may be fetched with its old target", list),
  id: "neoverse-n1",
  source: "Arm Neoverse-N1 software developer errata notice, erratum 1542419",
});

/** The fetch models with another CMODX list than the architecture's own. */
export const fetchVariants: readonly FetchVariant[] = [cmodxLists.linux, cmodxLists.herd].map((list) => ({
  id: list.id,
  summary: `with the CMODX list ${list.id}: ${[...list.operations].join(", ")}`,
  apply: (of) => ({ ...of, id: `${of.id}+${list.id}`, admits: admitsBy(list) }),
}));
