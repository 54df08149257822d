import type { Data } from "../data.js";
import type { Machine } from "../machine/machine.js";
import type { CpuMap } from "../rule.js";
import type { CpuState, Parts } from "../state.js";
import { fieldBit, IN_MEMORY, IN_PARKED, IN_SERVICES } from "./may-touch.js";

const look = (): never => {
  throw new Error("This must not be looked at.");
};

/** Stands in for something: whoever looks at it throws, whoever hands it on as it is does not. */
const veil: object = new Proxy({}, { get: look, has: look, ownKeys: look, getOwnPropertyDescriptor: look, set: look });

const shared = { memory: IN_MEMORY, services: IN_SERVICES, parked: IN_PARKED } as const;

/** Fields of a CPU's part that others can change, but for the contexts. */
export const otherFields = ["pending", "stale", "excludes", "behind", "words"] as const;
type Veilable = (typeof otherFields)[number] | "stack";

/**
 * What of these parts a function looks at or changes: bits of `may-touch.ts`. The function is run with stand-ins; it answers the CPU's
 * part as it leaves it, or undefined where it leaves it as it is.
 */
export const looksAt = (
  parts: Partial<Parts> & { readonly cpu: CpuState },
  fields: readonly Veilable[],
  run: (parts: Parts) => readonly (CpuState | undefined)[],
): number => {
  const given = (["memory", "services", "parked"] as const).filter((part) => parts[part] !== undefined);
  if (!looks(parts, given, fields, run)) return 0;
  return (
    given.reduce((bits, part) => (looks(parts, [part], [], run) ? bits | shared[part] : bits), 0) |
    fields.reduce((bits, field) => (looks(parts, [], [field], run) ? bits | fieldBit(field) : bits), 0)
  );
};

const looks = (
  parts: Partial<Parts> & { readonly cpu: CpuState },
  veiledParts: readonly (keyof typeof shared)[],
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

/** Throws when a map over CPUs looks at or changes a field that it does not declare. */
export const checkTouches = ({ id, touches, apply }: CpuMap, cpu: CpuState, args: Data, machine: Machine): void => {
  if (touches === undefined) return;
  const others = (["stack", ...otherFields] as const).filter((field) => !touches.includes(field));
  const after = apply(cpu, args, machine);
  const kept = (["boot", "fetching", "order"] as const).every(
    (field) => touches.includes(field) || after[field] === cpu[field],
  );
  if (!kept || looksAt({ cpu }, others, (parts) => [apply(parts.cpu, args, machine)]) !== 0)
    throw new Error(`The map ${id} looks at or changes a field that it does not declare.`);
};
