import type { Rule } from "../contract/rule.js";
import type { Part, Parts } from "../contract/state.js";

/** Freezes a value and everything in it. */
export const deepFreeze = <T>(value: T): T => {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
};

/** The parts that a rule declares to read; to ask for another one throws. */
export const footprint = (rule: Rule, parts: Partial<Parts>): Parts =>
  new Proxy(parts as Parts, {
    get(target, name) {
      if (typeof name === "string" && !rule.reads.includes(name as Part)) {
        throw new Error(`The rule ${rule.id} reads ${name}, which it does not declare.`);
      }
      return target[name as Part];
    },
  });
