import { own } from "@cmodx/core";
import type { Codec } from "./codec.js";
import { conditionByName, conditions, inverse, isAlways } from "./conditions.js";
import type { Fields } from "./layout.js";

/** A condition. */
export const condition: Codec = {
  read: ({ cond }) => ({ kind: "condition", condition: conditions[cond!]! }),
  write: (text) => {
    const found = text.kind === "name" ? conditionByName(text.name) : undefined;
    return found && { cond: conditions.indexOf(found) };
  },
};

/** A condition that is encoded as its inverse, as in CSET; `al` and `nv` have none. */
export const inverted: Codec = {
  read: ({ cond }) => {
    const encoded = conditions[cond!]!;
    return isAlways(encoded) ? undefined : { kind: "condition", condition: inverse(encoded) };
  },
  write: (text) => {
    const found = text.kind === "name" ? conditionByName(text.name) : undefined;
    return found && !isAlways(found) ? { cond: conditions.indexOf(inverse(found)) } : undefined;
  },
};

/** A word that the encoding says by itself. */
export const literal = (name: string): Codec => ({
  read: () => ({ kind: "name", name }),
  write: (text) => (text.kind === "name" && text.name === name ? {} : undefined),
});

/** One of several names for the values of some fields; a value without a name is not of this encoding. */
const named = (names: { readonly [name: string]: Fields }): Codec => ({
  read: (fields) => {
    const found = Object.entries(names).find(([, values]) =>
      Object.entries(values).every(([field, value]) => fields[field] === value),
    );
    return found && { kind: "name", name: found[0] };
  },
  write: (text) => (text.kind === "name" ? own(names, text.name) : undefined),
});

/** The domain and the accesses of a barrier (Arm ARM, C6.2, DMB). */
export const barrierDomain: Codec = named({
  ...{ oshld: { CRm: 1 }, oshst: { CRm: 2 }, osh: { CRm: 3 } },
  ...{ nshld: { CRm: 5 }, nshst: { CRm: 6 }, nsh: { CRm: 7 } },
  ...{ ishld: { CRm: 9 }, ishst: { CRm: 10 }, ish: { CRm: 11 } },
  ...{ ld: { CRm: 13 }, st: { CRm: 14 }, sy: { CRm: 15 } },
});

/** Data-cache maintenance by address (Arm ARM, C5.3). */
export const dataCacheOperation: Codec = named({
  ivac: { op1: 0, CRm: 6, op2: 1 },
  cvac: { op1: 3, CRm: 10, op2: 1 },
  cvau: { op1: 3, CRm: 11, op2: 1 },
  cvap: { op1: 3, CRm: 12, op2: 1 },
  cvadp: { op1: 3, CRm: 13, op2: 1 },
  civac: { op1: 3, CRm: 14, op2: 1 },
});

/** System registers that are modelled as registers (Arm ARM, C5.2 and D24.2). */
export const systemRegisters = {
  spsr_el1: { o0: 1, op1: 0, CRn: 4, CRm: 0, op2: 0 },
  elr_el1: { o0: 1, op1: 0, CRn: 4, CRm: 0, op2: 1 },
  sp_el0: { o0: 1, op1: 0, CRn: 4, CRm: 1, op2: 0 },
  tpidr_el1: { o0: 1, op1: 0, CRn: 13, CRm: 0, op2: 4 },
  ctr_el0: { o0: 1, op1: 3, CRn: 0, CRm: 0, op2: 1 },
  nzcv: { o0: 1, op1: 3, CRn: 4, CRm: 2, op2: 0 },
  tpidr_el0: { o0: 1, op1: 3, CRn: 13, CRm: 0, op2: 2 },
} as const satisfies { readonly [name: string]: Fields };

const { ctr_el0: _readOnly, ...writable } = systemRegisters;

/** A system register that MRS reads. */
export const readableRegister: Codec = named(systemRegisters);

/** A system register that MSR writes; CTR_EL0 cannot be written. */
export const writableRegister: Codec = named(writable);
