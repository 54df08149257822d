import {
  type CpuState,
  type Level,
  type Machine,
  type Observation,
  running,
  type StateView,
  type TraceStep,
} from "@cmodx/core";
import { type Task, Tasks } from "./tasks.js";

/** Where a CPU stands. */
export type Place = {
  /** What kind of context it runs; `idle`: none. */
  readonly level: Level | "idle";
  /** Contexts that it runs, the interrupted ones included. */
  readonly depth: number;
  /** Its pc in machine code; null in a program, and where it is idle. */
  readonly pc: bigint | null;
  /** It stands before the first instruction of its round, at the voluntary switch of its loop. */
  readonly home: boolean;
  /** The vector of a trap's handler. */
  readonly vector: string | null;
};

/** One step of a run. */
export type RecordedStep = {
  /** Its number, from 0. */
  readonly index: number;
  /** Nanoseconds; each step is later than all before it, on whatever CPU. */
  readonly time: bigint;
  readonly cpu: number;
  /** The task that was on the CPU before the step. */
  readonly task: Task;
  readonly rule: string;
  /** The step of the patch program, where it was one. */
  readonly step: string | null;
  readonly observed: readonly Observation[];
  readonly from: Place;
  readonly to: Place;
};

/** Code as it was before any step. */
export type Region = { readonly address: bigint; readonly bytes: Uint8Array; readonly symbol: string };

/** Where a CPU stands at first, and with which task. */
export type Start = { readonly place: Place; readonly task: Task };

/** One run in a form that can be written to files. */
export type Recording = {
  /** What it is a run of, in one line. */
  readonly title: string;
  /** Id of the architecture. */
  readonly architecture: string;
  readonly cpus: number;
  readonly tasks: readonly Task[];
  readonly regions: readonly Region[];
  /** Where each CPU stands at first. */
  readonly starts: readonly Start[];
  /** What machine code an interrupt from outside runs, by level: whether it has any. */
  readonly handlersRun: { readonly irq: boolean; readonly nmi: boolean };
  readonly steps: readonly RecordedStep[];
};

/** The time of the first step, and from one step to the next, in nanoseconds. */
const [FIRST, TICK] = [1_000_000_000n, 100n];

/** Where a CPU stands. */
const placeOf = (cpu: CpuState): Place => {
  const context = running(cpu);
  if (context === undefined) return { level: "idle", depth: 0, pc: null, home: false, vector: null };
  const { code, level } = context;
  const depth = cpu.stack.length;
  return code.run === "machine"
    ? { level, depth, pc: code.pc, home: code.home, vector: null }
    : { level, depth, pc: null, home: false, vector: code.frame?.vector ?? null };
};

/** Stretches of code without gaps, lowest first. */
const regionsOf = (machine: Machine): readonly Region[] => {
  const { text, sites } = machine.layout;
  const addresses = [...text.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const regions: Region[] = [];
  let start = 0;
  for (let i = 1; i <= addresses.length; i++) {
    if (i < addresses.length && addresses[i] === (addresses[i - 1] as bigint) + 1n) continue;
    const within = addresses.slice(start, i);
    const [address] = within as [bigint];
    const site = sites.findIndex((each) => each.address === address);
    const symbol = site < 0 ? `code_${address.toString(16)}` : sites.length === 1 ? "site" : `site_${site}`;
    regions.push({ address, symbol, bytes: Uint8Array.from(within, (at) => text.get(at) as number) });
    start = i;
  }
  return regions;
};

/**
 * The recording of a run: its steps one after the other, from the initial state on. One clock runs on all CPUs: step k is at
 * {@link FIRST} + k × {@link TICK}.
 */
export const recordingOf = (
  machine: Machine,
  steps: Iterable<TraceStep>,
  {
    title,
    architecture,
    initial,
  }: { readonly title: string; readonly architecture: string; readonly initial: StateView },
): Recording => {
  const tasks = new Tasks(initial);
  const starts = initial.cpus.map((state, cpu) => ({ place: placeOf(state), task: tasks.on(cpu) }));
  const recorded: RecordedStep[] = [];
  for (const { cpu, rule, step, observed, before, after } of steps) {
    const index = recorded.length;
    recorded.push({
      index,
      time: FIRST + BigInt(index) * TICK,
      cpu,
      task: tasks.on(cpu),
      rule,
      step,
      observed,
      from: placeOf(before.cpus[cpu] as CpuState),
      to: placeOf(after.cpus[cpu] as CpuState),
    });
    tasks.follow(cpu, before, after);
  }
  return {
    title,
    architecture,
    cpus: machine.cpus,
    tasks: tasks.all,
    regions: regionsOf(machine),
    starts,
    handlersRun: { irq: machine.entries("irq").length > 0, nmi: machine.entries("nmi").length > 0 },
    steps: recorded,
  };
};
