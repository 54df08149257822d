import type { Data } from "../base/data.js";
import { keyOf } from "../base/key.js";
import type { Effect } from "../contract/effect.js";
import type { Rule } from "../contract/rule.js";
import type { Parts } from "../contract/state.js";
import type { Machine } from "../machine/machine.js";
import { deepFreeze, footprint } from "./development.js";

/** The effects of a rule on parts of a state; the rule is checked to be deterministic and to touch no more than it declares. */
export const applyChecked = (rule: Rule, parts: Partial<Parts>, args: Data, machine: Machine): readonly Effect[] => {
  const seen = footprint(rule, parts);
  const effects = rule.apply(seen, args, machine);
  const again = rule.apply(seen, args, machine);
  if (keyOf(effects) !== keyOf(again)) throw new Error(`The rule ${rule.id} is not deterministic.`);
  for (const effect of effects) {
    for (const part of Object.keys(effect.set) as (keyof Parts)[]) {
      if (!rule.writes.includes(part)) throw new Error(`The rule ${rule.id} sets ${part}, which it does not declare.`);
    }
    if ((effect.everyCpu ?? effect.otherCpus) !== undefined && !rule.writes.includes("everyCpu")) {
      throw new Error(`The rule ${rule.id} maps every CPU, which it does not declare.`);
    }
    for (const map of [effect.everyCpu, effect.otherCpus])
      if (map !== undefined && rule.maps?.includes(map.id) === false)
        throw new Error(`The rule ${rule.id} uses the map ${map.id}, which it does not declare.`);
    deepFreeze(effect.set);
  }
  return effects;
};
