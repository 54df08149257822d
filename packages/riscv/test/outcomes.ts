import { createSimulation, type DataBlock, finalStates, type PatchStrategy, type Registers } from "@cmodx/core";
import { riscv } from "@cmodx/riscv";
import { LINE } from "./check.js";

/** Two places of data, in lines of their own. */
export const X = 0x9000n;
export const Y = 0x9040n;

/** Where the code of a hart begins. */
export const codeOf = (hart: number): bigint => LINE + 0x100n * BigInt(hart + 1);

export type Run = {
  readonly fetch?: string;
  readonly registers?: Registers;
  readonly data?: readonly DataBlock[];
  /** Further code. */
  readonly blocks?: readonly { readonly address: bigint; readonly code: string }[];
  /** Changes the one site, a `nop` at {@link LINE} that becomes a jump, on a hart of its own. */
  readonly patcher?: PatchStrategy;
};

/**
 * What the registers of the last hart can hold at the end when each hart runs its code once; `s0` points to X, `s1` to Y, `t1` and
 * `t2` hold 1 and 2.
 */
export const outcomes = (
  harts: readonly string[],
  shown: readonly string[],
  { fetch = "ziccif", registers = {}, data = [], blocks = [], patcher }: Run = {},
): readonly string[] => {
  const given = { s0: X, s1: Y, t1: 1n, t2: 2n, ...registers };
  const machine = createSimulation({ architecture: riscv({ fetch }), development: true }).machine({
    name: "outcomes",
    sites: [{ address: LINE, old: "nop", new: "j" }],
    patchers: patcher === undefined ? [] : [{ strategy: patcher, sites: [0], flips: 1 }],
    blocks: [...harts.map((code, i) => ({ address: codeOf(i), code: `${code}+ecall` })), ...blocks],
    executors: harts.map((_, i) => ({ entries: [codeOf(i)], once: true, count: 1, registers: given })),
    data,
    cpus: harts.length + (patcher === undefined ? 0 : 1),
    memory: "architectural",
  });
  const found = new Set<string>();
  for (const { cpus } of finalStates(machine, { development: true }).finals) {
    const code = cpus.at(-1)?.stack[0]?.code;
    if (code?.run === "machine") found.add(shown.map((name) => (code.registers[name] ?? 0n).toString(16)).join(" "));
  }
  return [...found].sort();
};
