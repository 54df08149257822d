import { fromHex } from "@cmodx/core";
import type { Place, RecordedStep, Recording } from "../recording.js";
import { type Stub, type Stubs, stubAt } from "./stubs.js";

/** A change of control flow on one CPU. */
export type Flow = {
  readonly time: bigint;
  readonly cpu: number;
  readonly pid: number;
} & (
  | { readonly kind: "direct" | "indirect" | "interrupt"; readonly from: bigint; readonly to: bigint }
  | { readonly kind: "conditional"; readonly from: bigint; readonly to: bigint; readonly taken: boolean }
  /** The task leaves its CPU. */
  | { readonly kind: "off"; readonly from: bigint }
  /** A task comes to the CPU. */
  | { readonly kind: "on"; readonly to: bigint }
);

/** Prefixes that branches may have. */
const PREFIXES: ReadonlySet<number> = new Set([0x2e, 0x3e, 0x26, 0x36, 0x64, 0x65, 0x66, 0xf2, 0xf3]);

/** What kind of branch an x86-64 instruction is for a trace of branches (SDM vol. 3, "Processor Trace": COFI types). */
export const branchKind = (bytes: readonly number[]): "conditional" | "direct" | "indirect" | "none" => {
  let at = 0;
  while (PREFIXES.has(bytes[at] ?? -1)) at++;
  if (((bytes[at] ?? 0) & 0xf0) === 0x40) at++;
  const opcode = bytes[at] ?? -1;
  const second = bytes[at + 1] ?? 0;
  if ((opcode & 0xf0) === 0x70 || (opcode & 0xfc) === 0xe0 || (opcode === 0x0f && (second & 0xf0) === 0x80))
    return "conditional";
  if (opcode === 0xe8 || opcode === 0xe9 || opcode === 0xeb) return "direct";
  if ([0xc2, 0xc3, 0xca, 0xcb, 0xcf].includes(opcode)) return "indirect";
  const extension = (second >> 3) & 7;
  return opcode === 0xff && extension >= 2 && extension <= 5 ? "indirect" : "none";
};

/** Observations of tasks that come and go. */
const SWITCHES: ReadonlySet<string> = new Set(["preempt", "resume", "exit-task", "take-stopper", "exit-stopper"]);

/** The changes of control flow of a run, in the order of its steps, and where each CPU stands at the end. */
export type Flows = { readonly flows: readonly Flow[]; readonly ends: readonly bigint[] };

/** The control flow of a run. */
export const flowsOf = (recording: Recording, stubs: Stubs): Flows => {
  const flows: Flow[] = [];
  /** For each CPU the stubs of what it runs, the interrupted first. */
  const stacks = recording.starts.map(({ place }): Stub[] => (place.level === "idle" ? [] : [stubAt(stubs, place)]));

  const ip = (cpu: number, place: Place): bigint => {
    const stub = stacks[cpu]?.[place.depth - 1] ?? stubs.idle;
    if (place.pc === null) return stub.address;
    return place.home || !isCode(recording, place.pc) ? stub.address + stub.back : place.pc;
  };
  const entered = (observed: RecordedStep["observed"], to: Place): Stub => {
    for (const { what } of observed) {
      if (what === "take-ipi") return stubs.ipi;
      if (what === "enter-trap") return stubs.trap(to.vector ?? "int3");
    }
    return to.level === "nmi" ? stubs.nmi : to.level === "irq" ? stubs.irq : stubAt(stubs, to);
  };

  for (const [cpu, { place, task }] of recording.starts.entries())
    flows.push({ kind: "on", to: ip(cpu, place), time: recording.steps[0]?.time ?? 0n, cpu, pid: task.pid });
  const ends = recording.starts.map(({ place }, cpu) => ip(cpu, place));
  const follow = ({ time, cpu, task, observed, from, to }: RecordedStep): void => {
    const stack = stacks[cpu] as Stub[];
    const common = { time, cpu, pid: task.pid };
    let now = ip(cpu, from);
    const go = (kind: "direct" | "indirect" | "interrupt", target: bigint, at = now): void => {
      flows.push({ ...common, kind, from: at, to: target });
      now = target;
    };
    const switches = observed.some(({ what }) => SWITCHES.has(what));

    for (const { what, detail } of observed) {
      if (what === "execute") {
        const at = detail.at;
        const stub = stack[from.depth - 1] as Stub;
        if (from.home) {
          go("direct", stub.address);
          go(callOf(stub), at);
        }
        now = at;
        if (detail.vector !== null) continue;
        const bytes = fromHex(detail.bytes);
        const next = detail.next;
        const target = isCode(recording, next) ? next : stub.address + stub.back;
        const kind = branchKind(bytes);
        const straight = at + BigInt(bytes.length);
        if (kind === "conditional") {
          flows.push({ ...common, kind, from: at, to: target, taken: next !== straight });
          now = target;
        } else if (kind === "none") now = target;
        else go(kind, target);
      } else if (what === "trap-unclaimed" && from.level !== "trap") {
        const stub = stubs.trap(detail.vector);
        go("interrupt", stub.address, detail.at);
        go("indirect", ip(cpu, to), stub.returns as bigint);
      } else if (what === "enter-trap") now = detail.at;
    }

    if (switches) {
      flows.push({ ...common, kind: "off", from: now });
      stack.length = Math.min(stack.length, to.depth);
      if (to.depth > 0 && (stack.length < to.depth || to.depth === 1)) stack[to.depth - 1] = stubAt(stubs, to);
      flows.push({ ...common, kind: "on", to: ip(cpu, to) });
      return;
    }
    if (to.depth > from.depth) {
      const stub = entered(observed, to);
      stack.push(stub);
      go("interrupt", stub.address);
    }
    if (to.depth < from.depth) {
      const stub = stack[from.depth - 1] as Stub;
      stack.length = to.depth;
      if (stub.calls && now === stub.address + stub.back)
        flows.push({
          ...common,
          kind: "conditional",
          from: stub.address + stub.back,
          to: stub.returns as bigint,
          taken: false,
        });
      go("indirect", ip(cpu, to), stub.returns as bigint);
      return;
    }
    const stub = stack[to.depth - 1] ?? stubs.idle;
    const { address: base, calls } = stub;
    const target = ip(cpu, to);
    if (target === now) return;
    if (from.home && stub === stubs.caller) {
      go("direct", base);
      go(callOf(stub), target);
      return;
    }
    if (calls && now === base + stub.back) {
      flows.push({ ...common, kind: "conditional", from: now, to: base, taken: true });
      now = base;
    }
    if (calls && now === base && target !== base) go("indirect", target);
    if (now !== target) {
      flows.push({ ...common, kind: "off", from: now });
      flows.push({ ...common, kind: "on", to: target });
    }
  };
  for (const step of recording.steps) {
    follow(step);
    ends[step.cpu] = ip(step.cpu, step.to);
  }
  return { flows, ends };
};

/** How a stub calls code. */
const callOf = ({ bytes }: Stub): "direct" | "indirect" => (bytes[0] === 0xe8 ? "direct" : "indirect");

const isCode = ({ regions }: Recording, address: bigint): boolean =>
  regions.some(({ address: at, bytes }) => address >= at && address < at + BigInt(bytes.length));
