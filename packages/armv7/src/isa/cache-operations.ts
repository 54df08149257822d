import type { barriers, maintenanceByAddress, maintenanceOfAll, Operation } from "./instruction.js";

type CacheOperation =
  | (typeof maintenanceByAddress)[number]
  | (typeof maintenanceOfAll)[number]
  | Extract<(typeof barriers)[number], `cp15${string}`>;

/** CRm and opc2 of `MCR p15, 0, Rt, c7, CRm, opc2` (DDI 0406C, B4.2.1 and B4.2.5). */
const cacheOperations: { readonly [op in CacheOperation]: readonly [crm: number, opc2: number] } = {
  icialluis: [1, 0],
  bpiallis: [1, 6],
  iciallu: [5, 0],
  icimvau: [5, 1],
  cp15isb: [5, 4],
  bpiall: [5, 6],
  bpimva: [5, 7],
  dccmvac: [10, 1],
  cp15dsb: [10, 4],
  cp15dmb: [10, 5],
  dccmvau: [11, 1],
  dccimvac: [14, 1],
};

/** The operation that this MCR to c7 of coprocessor 15 is, if it is modelled. */
export const cacheOperation = (crm: number, opc2: number): Operation | undefined =>
  (Object.keys(cacheOperations) as CacheOperation[]).find((op) => {
    const [m, o] = cacheOperations[op];
    return m === crm && o === opc2;
  });

const bits = (value: number, width: number): string => value.toString(2).padStart(width, "0");

/** Rows of a table of encodings, the highest four bits of which are `top`: the condition, or 1110 in T32. */
export const cacheRows = (top: string): string =>
  Object.entries(cacheOperations)
    .map(
      ([op, [crm, opc2]]) =>
        `${top} 1110 0000 0111 tttt 1111 ${bits(opc2, 3)} 1 ${bits(crm, 4)} : ${op} t : t!pc ${top === "1110" ? "t!sp" : ""}`,
    )
    .join("\n");
