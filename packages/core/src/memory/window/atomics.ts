import type { Access, Outcome, Registers } from "../../contract/instruction-set.js";
import { onStack } from "../../execution/execute.js";
import { GRANTED, MONITOR, RELEASED } from "../exclusive.js";
import type { SeenEntry } from "./state.js";

/* R43: what is known so far of an instruction whose store depends on more than its registers. */

/** Everything that an entry is looked at with. */
type Looking = {
  readonly common: Pick<SeenEntry, "entry" | "is" | "addressFirm" | "stores" | "begun" | "performed">;
  readonly registers: Registers;
  /** Registers that are not known, and those whose values rest on a guess. */
  readonly unknown: ReadonlySet<string>;
  readonly soft: ReadonlySet<string>;
  /** All that it reads is known, and rests on no guess. */
  readonly known: boolean;
  readonly firm: boolean;
  readonly addressKnown: boolean;
  readonly run: (given: Registers, loaded?: readonly bigint[]) => Outcome;
  readonly handlerOf: (trap: { readonly vector: string }) => bigint | undefined;
};

const NO_ACCESS: readonly Access[] = [];

/** The guess of what compares, or is conditional, that it stores. */
const STORES = 1;

const storesOf = (outcome: Outcome): readonly Access[] =>
  outcome.do === "retire" ? (outcome.stores ?? NO_ACCESS) : NO_ACCESS;

/** A store to a reserved place: whether it takes place is guessed, and so its result is known at once. */
export const conditionalEntry = (look: Looking): SeenEntry => {
  const { common, registers, known, firm, addressKnown, run, handlerOf } = look;
  const { entry, is } = common;
  const storing = entry.way === STORES;
  const to = storing && !addressKnown ? undefined : run({ ...registers, [MONITOR]: storing ? GRANTED : 0n });
  const released = (registers[MONITOR] ?? 0n) === 0n ? {} : RELEASED;
  const status = Object.fromEntries(is.outputs.map((register) => [register, storing ? 0n : 1n]));
  const stores = to === undefined ? undefined : storesOf(to);
  const ownStack = stores !== undefined && stores.length > 0 && stores.every(({ address }) => onStack(address));
  const isTrap = to?.do === "trap";
  const ended = to?.do === "retire" ? { ...to, registers: { ...to.registers, ...status, ...released } } : to;
  return {
    ...common,
    own: ownStack,
    outcome: (storing ? known : !isTrap) && ended?.do !== "load" ? ended : undefined,
    accesses: storing ? stores : NO_ACCESS,
    access: storing && !ownStack && !isTrap ? "write" : undefined,
    stores: storing ? (stores ?? NO_ACCESS) : NO_ACCESS,
    dataKnown: known,
    storeFirm: firm,
    ...(isTrap ? {} : { result: { registers: { ...status, ...released }, firm: true } }),
    firm: storing ? firm && known : true,
    next: isTrap ? (entry.done === true ? handlerOf(to) : undefined) : is.behind,
    mode: entry.mode ?? "",
    undecided: false,
  };
};

/**
 * An atomic access whose load is `from`, its result known once it has loaded, what it stores sometimes sooner, sometimes later. `rests`: it
 * has loaded what rests on a guess. Undefined where a guess has turned out wrong.
 */
export const atomicEntry = (
  look: Looking,
  from: readonly Access[] | undefined,
  rests: boolean,
): SeenEntry | undefined => {
  const { common, registers, unknown, soft, known, firm, run } = look;
  const { entry, is, addressFirm, begun } = common;
  const hasRole = (role: string, held: (register: string) => boolean): boolean =>
    is.inputs.some((input) => input.role === role && held(input.register));
  const isUnknown = (register: string): boolean => unknown.has(register);
  const isSoft = (register: string): boolean => isUnknown(register) || soft.has(register);
  const { loaded, way } = entry;
  const comparedKnown = !hasRole("branch", isUnknown);
  const end = from === undefined || loaded === undefined ? undefined : run(registers, loaded);
  const ended = end?.do === "retire" ? end : undefined;
  const decided = is.compares && ended !== undefined && comparedKnown ? storesOf(ended).length > 0 : undefined;
  if (decided !== undefined && way !== undefined && decided !== (way === STORES)) return undefined;
  const storing = !is.compares || (decided ?? way === STORES);
  const compared = is.inputs.find(({ role }) => role === "branch")?.register;
  const found = from?.map(({ size }) =>
    compared === undefined ? 0n : BigInt.asUintN(8 * size, registers[compared] ?? 0n),
  );
  // What it compares with is what it has found, if it stores.
  const early = found !== undefined && (is.exchanges || is.compares) ? run(registers, found) : undefined;
  const finds = ended !== undefined && (!is.compares || comparedKnown) ? ended : early;
  const assumed = storing && finds?.do === "retire" ? finds : undefined;
  const dataFirm = !hasRole("address", isSoft) && !hasRole("data", isSoft);
  const ownStack = from?.every(({ address }) => onStack(address)) === true;
  const complete = known && ended !== undefined ? ended : undefined;
  const registersFirm = ended !== undefined && addressFirm && !rests;
  const results = ended ?? (is.compares && comparedKnown ? assumed : undefined);
  const whole = firm && complete !== undefined;
  return {
    ...common,
    own: ownStack,
    given: { ...registers },
    ready: known && firm,
    outcome: complete,
    accesses: from,
    access: ownStack ? undefined : storing ? "atomic" : "read",
    stores: !storing || from === undefined ? NO_ACCESS : assumed === undefined ? from : storesOf(assumed),
    dataKnown: assumed !== undefined && !hasRole("data", isUnknown),
    storeFirm: is.exchanges ? dataFirm : whole && !rests,
    ...(results === undefined ? {} : { result: { registers: results.registers, firm: registersFirm } }),
    firm: whole && (is.exchanges || !rests),
    performed: storing && !ownStack ? entry.done === true : begun,
    next: is.behind,
    mode: entry.mode ?? "",
    undecided: false,
  };
};
