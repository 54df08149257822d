import { type MachineCode, type StateView, windowOfCpu } from "@cmodx/core";
import { type CompiledTest, cellsIn, faultsIn } from "./compile.js";
import type { LitmusTarget } from "./target.js";
import type { FaultAtom, LitmusCell, LitmusType, Proposition } from "./test.js";

/** One final state as the test asks for it. */
export type FinalState = {
  /** `1:X2=0; [x]=1;`, as herd7 prints it. */
  readonly text: string;
  /** The test's proposition holds of it. */
  readonly holds: boolean;
};

/** Reads final states of a test's machine. */
export const outcomeReader = (
  compiled: CompiledTest,
  target: LitmusTarget,
): ((view: StateView) => FinalState | undefined) => {
  const { test } = compiled;
  const cells = inOrder(cellsIn(test), compiled);
  const faults = faultsIn(test.proposition).map(({ fault }) => fault);
  return (view) => {
    const value = (cell: LitmusCell): bigint => cellValue(cell, view, compiled);
    const cut = (cell: LitmusCell, number: bigint): bigint => BigInt.asUintN(compiled.typeOf(cell).bits, number);
    const happened = (fault: FaultAtom): boolean => hasFault(fault, view, compiled, target);
    const holds = (proposition: Proposition): boolean => {
      switch (proposition.is) {
        case "true":
          return true;
        case "false":
          return false;
        case "equal":
          return (
            cut(proposition.cell, value(proposition.cell)) ===
            cut(proposition.cell, compiled.numberOf(proposition.value, proposition.place))
          );
        case "fault":
          return happened(proposition.fault);
        case "not":
          return !holds(proposition.of);
        case "and":
          return proposition.of.every(holds);
        case "or":
          return proposition.of.some(holds);
      }
    };
    if (test.filter !== null && !holds(test.filter)) return undefined;
    const parts = cells.map(
      (cell) => `${cellText(cell, compiled)}=${valueText(value(cell), compiled.typeOf(cell), compiled)};`,
    );
    const faulted = faults.map((fault) => ` ${happened(fault) ? "" : "~"}${faultText(fault)};`);
    return { text: [...parts, ...faulted].join(" "), holds: holds(test.proposition) };
  };
};

const cellText = (cell: LitmusCell, { registerOf }: CompiledTest): string =>
  cell.is === "location"
    ? `[${cell.name}${cell.index === undefined ? "" : `[${cell.index}]`}]`
    : `${cell.thread}:${registerOf(cell).shown}`;

const faultText = ({ thread, label, kind }: FaultAtom): string =>
  `Fault(P${thread}${label === null ? "" : `:${label}`}${kind === null ? "" : `,${kind}`})`;

/** Registers by thread and number, then locations; each once. */
const inOrder = (cells: readonly LitmusCell[], compiled: CompiledTest): readonly LitmusCell[] => {
  const text = (cell: LitmusCell): string => cellText(cell, compiled);
  const unique = new Map(cells.map((cell) => [text(cell), cell]));
  const number = (cell: LitmusCell): number =>
    cell.is === "location" ? 0 : Number(/\d+/.exec(compiled.registerOf(cell).shown)?.[0] ?? 99);
  return [...unique.values()].sort((a, b) => {
    if (a.is !== b.is) return a.is === "register" ? -1 : 1;
    if (a.is === "register" && b.is === "register") return a.thread - b.thread || number(a) - number(b);
    return text(a) < text(b) ? -1 : 1;
  });
};

/** The context that runs a thread. */
const codeOf = (thread: number, view: StateView, { routines }: CompiledTest): MachineCode | undefined => {
  for (const { stack } of view.cpus) {
    const code = stack[0]?.code;
    if (code?.run === "machine" && code.routine === routines[thread]) return code;
  }
  return undefined;
};

const cellValue = (cell: LitmusCell, view: StateView, compiled: CompiledTest): bigint => {
  if (cell.is === "register") return codeOf(cell.thread, view, compiled)?.registers[compiled.registerOf(cell).is] ?? 0n;
  const address = compiled.addressOf(cell.name, cell.index);
  let value = 0n;
  for (let i = cell.index === undefined ? 7n : BigInt(compiled.typeOf(cell).bits / 8) - 1n; i >= 0n; i--)
    value = (value << 8n) | BigInt(`0x${view.memory.data[(address + i).toString(16)] ?? "0"}`);
  return value;
};

/** A name where the value has one; otherwise the number of its type. */
const valueText = (value: bigint, { bits, signed }: LitmusType, { names }: CompiledTest): string => {
  const name = value === 0n ? undefined : names.get(value);
  return name ?? String(signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value));
};

const hasFault = (
  { thread, label, kind }: FaultAtom,
  view: StateView,
  compiled: CompiledTest,
  target: LitmusTarget,
): boolean => {
  const vector = kind === null ? undefined : target.fault(kind);
  const address = label === null ? undefined : compiled.labels[thread]?.get(label);
  return view.cpus.some((cpu) => {
    const code = cpu.stack[0]?.code;
    if (code?.run !== "machine" || code.routine !== compiled.routines[thread]) return false;
    return (windowOfCpu(cpu).faults ?? []).some((each) => {
      const [is, at] = each.split(" ");
      return (vector === undefined || is === vector) && (address === undefined || at === address.toString(16));
    });
  });
};
