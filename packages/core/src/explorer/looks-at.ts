import type { Data } from "../base/data.js";
import type { CpuMap } from "../contract/rule.js";
import type { CpuState, Parts } from "../contract/state.js";
import type { Machine } from "../machine/machine.js";
import { fieldBit, partBit } from "./may-touch.js";

/** One for all: to make one takes longer than the rule that is looked into. */
const LOOKED_AT = new Error("This must not be looked at.");

const look = (): never => {
  throw LOOKED_AT;
};

/** Stands in for something: whoever looks at it throws, whoever hands it on as it is does not. */
const veil: object = new Proxy({}, { get: look, has: look, ownKeys: look, getOwnPropertyDescriptor: look, set: look });

type SharedPart = "memory" | "services" | "parked";

/** Fields of a CPU's part that others can change, but for the contexts. */
const otherFields = ["pending", "stale", "excludes", "behind", "words"] as const;
type Veilable = (typeof otherFields)[number] | "stack";

/**
 * Whether a function looks at or changes any of these parts and fields. It is run with stand-ins for them; it answers the CPU's part as
 * it leaves it, or undefined where it leaves it as it is.
 */
export const looks = (
  parts: Partial<Parts> & { readonly cpu: CpuState },
  veiledParts: readonly SharedPart[],
  veiledFields: readonly Veilable[],
  run: (parts: Parts) => readonly (CpuState | undefined)[],
): boolean => {
  const veiled = (names: readonly string[]): object => Object.fromEntries(names.map((name) => [name, veil]));
  const cpu: CpuState = { ...parts.cpu, ...veiled(veiledFields) };
  try {
    const left = run({ ...parts, ...veiled(veiledParts), cpu } as Parts);
    return left.some(
      (after) => after !== undefined && veiledFields.some((field) => after[field] !== (veil as unknown)),
    );
  } catch {
    return true;
  }
};

/** Of the parts and fields that can be veiled, those with bits among these of `may-touch.ts`. */
export const touchedAmong = (
  bits: number,
): { readonly parts: readonly SharedPart[]; readonly fields: readonly Veilable[] } => ({
  parts: (["memory", "services", "parked"] as const).filter((part) => (partBit[part] & bits) !== 0),
  fields: otherFields.filter((field) => (fieldBit(field) & bits) !== 0),
});

/** Throws when a map over CPUs looks at or changes a field that it does not declare. */
export const checkTouches = ({ id, touches, apply }: CpuMap, cpu: CpuState, args: Data, machine: Machine): void => {
  if (touches === undefined) return;
  const others = (["stack", ...otherFields] as const).filter((field) => !touches.includes(field));
  const after = apply(cpu, args, machine);
  const kept = (["boot", "fetching", "order"] as const).every(
    (field) => touches.includes(field) || after[field] === cpu[field],
  );
  if (!kept || looks({ cpu }, [], others, (parts) => [apply(parts.cpu, args, machine)]))
    throw new Error(`The map ${id} looks at or changes a field that it does not declare.`);
};
