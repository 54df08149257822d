import {
  addressKey,
  type CpuState,
  dataText,
  type EventName,
  type Events,
  type ExecutedAtSite,
  eventsOf,
  fetchChoices,
  type Level,
  listed,
  type Machine,
  type Observation,
  own,
  type PropertyId,
  placeOf,
  type ReturnedAtSite,
  type StateView,
  spaced,
  synchronize,
  type TraceStep,
  tell,
  toHex,
} from "@cmodx/core";
import type { ValueJson } from "../json.js";
import { bytesAt } from "./sight.js";

/*
 * The values that a broken property is about: what was expected, what was found instead, and the steps it comes from. They are read
 * from the trace; properties themselves judge single events.
 */

type Values = (machine: Machine, trace: readonly TraceStep[]) => readonly ValueJson[];

/** The values that a property is about which the last step of a trace breaks; none where the sentence says them all. */
export const valuesOf = (property: PropertyId, machine: Machine, trace: readonly TraceStep[]): readonly ValueJson[] =>
  trace.length === 0 ? [] : (own(values, property)?.(machine, trace) ?? []);

const value = (name: string, text: string): ValueJson => ({ name, value: text });

const lastOf = (trace: readonly TraceStep[]): TraceStep => trace[trace.length - 1] as TraceStep;

const seen = <E extends EventName>({ observed }: TraceStep, what: E): Events[E] | undefined =>
  eventsOf(observed, what)[0];

/** An instruction, or what a trap's handler did for one, at a site. */
const atSite = (step: TraceStep): ExecutedAtSite | ReturnedAtSite | undefined => {
  const passed = seen(step, "execute") ?? seen(step, "return-from-trap");
  return passed === undefined || passed.site === null ? undefined : passed;
};

const versionNames = ["old", "new"] as const;

const within: { readonly [level in Level]: string } = {
  task: "",
  stopper: "",
  irq: " in its interrupt handler",
  trap: " in its trap handler",
  nmi: " in its NMI handler",
};

/** `step 5, CPU 0: write-int3`. */
const stepText = (trace: readonly TraceStep[], index: number): string => {
  const { cpu, step } = trace[index] as TraceStep;
  return `step ${index + 1}, CPU ${cpu}${step === null ? "" : `: ${step}`}`;
};

const indexBefore = (trace: readonly TraceStep[], end: number, holds: (step: TraceStep) => boolean): number =>
  trace.slice(0, end).findLastIndex(holds);

/** What an instruction was, who executed it, and what it should have been. */
const instruction: Values = (machine, trace) => {
  const last = lastOf(trace);
  const loaded = seen(last, "load-site");
  if (loaded !== undefined) {
    return [value("loaded", spaced(loaded.bytes)), ...versionsAt(machine, loaded.site, loaded.offset)];
  }
  const executed = seen(last, "execute");
  if (executed === undefined || executed.site === null) return [];
  const { at, bytes, text, site, offset } = executed;
  const level = last.before.cpus[last.cpu]?.stack.at(-1)?.level ?? "task";
  const held = bytesAt(machine, last.before, at, bytes.length / 2);
  return [
    value("executed", `${spaced(bytes)}  ${text}, at ${placeOf(at, machine)} by CPU ${last.cpu}${within[level]}`),
    ...versionsAt(machine, site, offset),
    ...(held === bytes ? [] : [value("memory", `held ${spaced(held)} there`)]),
    ...staleness(machine, trace, at, bytes),
  ];
};

const versionsAt = (machine: Machine, site: number, offset: number): readonly ValueJson[] => {
  const known = machine.instructionsAt(site, offset);
  return versionNames.map((name, version) => {
    const insn = known.find((each) => each.version === version);
    return value(
      name,
      insn === undefined ? `no instruction begins at +${offset}` : `${spaced(insn.bytes)}  ${insn.text}`,
    );
  });
};

/** In which parts the CPU fetched, and why it could fetch something else than memory held. */
const staleness = (machine: Machine, trace: readonly TraceStep[], at: bigint, bytes: string): readonly ValueJson[] => {
  const last = lastOf(trace);
  const found: ValueJson[] = [];
  const part = indexBefore(
    trace,
    trace.length - 1,
    (step) => step.cpu === last.cpu && (seen(step, "fetch-part") ?? seen(step, "execute")) !== undefined,
  );
  const first = seen(trace[part] ?? last, "fetch-part");
  if (first !== undefined && first.at === at)
    found.push(value("fetched", `${spaced(first.bytes)} in step ${part + 1}, the rest in step ${trace.length}`));
  return [...found, ...whyStale(machine, trace, at, bytes)];
};

/**
 * What was missing for the CPU to fetch what memory held: a synchronisation, since the step from which on one would have been enough; or
 * else cache maintenance, without which no synchronisation is.
 */
const whyStale = (machine: Machine, trace: readonly TraceStep[], at: bigint, bytes: string): readonly ValueJson[] => {
  const { cpu } = lastOf(trace);
  const addresses = Array.from({ length: bytes.length / 2 }, (_, i) => at + BigInt(i));
  const keys = [...new Set(addresses.flatMap((address) => machine.cellOf(address) ?? []))].map(addressKey);
  const isStale = ({ stale, behind = [] }: CpuState): boolean =>
    keys.some(
      (key) => (stale[key] ?? []).length > 0 || behind.some((overwritten) => own(overwritten, key) !== undefined),
    );
  const cpuIn = (view: StateView): CpuState => view.cpus[cpu] as CpuState;
  const wouldHelp = (view: StateView): boolean => !isStale(synchronize(cpuIn(view), view.memory, machine));
  // In a window an instruction is fetched in a step of its own, and takes effect later.
  const fetch = trace.findLastIndex((step) => step.cpu === cpu && seen(step, "fetch")?.at === at);
  const moment = fetch < 0 ? trace.length - 1 : fetch;
  const { before } = trace[moment] as TraceStep;
  // What memory held was missed for want of nothing.
  if (!isStale(cpuIn(before)) || bytesAt(machine, before, at, bytes.length / 2) === bytes) return [];
  if (wouldHelp(before)) {
    const since = indexBefore(trace, moment, (step) => !isStale(cpuIn(step.before)) || !wouldHelp(step.before));
    return [value("not synchronised", `CPU ${cpu} has not synchronised since ${stepText(trace, since)}`)];
  }
  const since = indexBefore(trace, moment, (step) => !isStale(cpuIn(step.before)));
  const isUnclean = keys.some((key) => {
    const { sinceClean = [] } = before.memory.cells[key] ?? {};
    return (cpuIn(before).stale[key] ?? []).some((each) => sinceClean.includes(each));
  });
  const missing = isUnclean ? "cleaned" : "invalidated";
  const told = `the line of ${placeOf(at, machine)} was not ${missing} since ${stepText(trace, since)}; no synchronisation is enough`;
  return [value(`not ${missing}`, told)];
};

/** What each byte of the instruction could have been. */
const window: Values = (machine, trace) => {
  const last = lastOf(trace);
  const executed = seen(last, "execute");
  if (executed === undefined || machine.fetch.granule > 0) return [];
  const { at, bytes } = executed;
  const cpu = last.before.cpus[last.cpu];
  const code = cpu?.stack.at(-1)?.code;
  if (cpu === undefined || code?.run !== "machine") return [];
  const choice = fetchChoices(cpu, last.before.memory, at, code.mode, machine).find(
    (each) => toHex(each.bytes) === bytes,
  );
  if (choice === undefined) return [];
  const each = choice.window.map((possible) => possible.map((byte) => toHex([byte])).join("|"));
  return [value("fetchable", `${each.join(" ")}  (each byte, what memory holds first)`)];
};

/** The instructions that this passage through the site executed, with their versions. */
const passage: Values = (machine, trace) => {
  const last = lastOf(trace);
  const end = atSite(last);
  if (end === undefined) return [];
  const steps: string[] = [];
  const depth = depthOf(last);
  let { cpu } = last;
  for (let i = trace.length - 1; i >= 0; i--) {
    const step = trace[i] as TraceStep;
    if (step.cpu !== cpu) continue;
    const resumed = seen(step, "resume");
    if (resumed !== undefined) {
      i = indexBefore(trace, i, (other) => seen(other, "preempt")?.at === resumed.at);
      cpu = trace[i]?.cpu ?? cpu;
      continue;
    }
    if (depthOf(step) !== depth) continue;
    const passed = atSite(step);
    if (passed?.site !== end.site || ("owned" in passed ? passed.owned : passed.restarted)) continue;
    steps.unshift(passageText(i, step, passed, machine));
    if (passed.before === null) break;
  }
  return steps.map((text, i) => value(i === steps.length - 1 ? "then" : "passage", text));
};

/** How many contexts lie on the stack of a CPU up to the one whose code took the step. */
const depthOf = (step: TraceStep): number => {
  const { stack = [] } = (seen(step, "return-from-trap") === undefined ? step.before : step.after).cpus[step.cpu] ?? {};
  return stack.length;
};

const passageText = (
  index: number,
  step: TraceStep,
  passed: ExecutedAtSite | ReturnedAtSite,
  machine: Machine,
): string => {
  const { at, matched } = passed;
  const version = matched.length === 0 ? "neither version" : listed(matched.map((each) => `${versionNames[each]}`));
  const place = placeOf(at, machine);
  const what = "text" in passed ? passed.text : "the trap handler's effect";
  return `${what} at ${place}, ${version}: step ${index + 1}, CPU ${step.cpu}`;
};

const returned: Values = (machine, trace) => {
  const loaded = seen(lastOf(trace), "load-site");
  const end = loaded ?? atSite(lastOf(trace));
  if (end === undefined) return [];
  const call = indexBefore(trace, trace.length, (step) => seen(step, "return-call")?.sites.includes(end.site) === true);
  const since = call < 0 ? [] : [value("returned", stepText(trace, call))];
  const expected = versionNames[end.to] ?? "new";
  const version = versionsAt(machine, end.site, end.offset).filter(({ name }) => name === expected);
  const executed = loaded === undefined ? seen(lastOf(trace), "execute") : undefined;
  const stale = executed === undefined ? [] : staleness(machine, trace, executed.at, executed.bytes);
  return [...since, ...version.map((each) => value("expected", each.value)), ...stale];
};

/** Where the trap comes from, and what its handlers found. */
const trap: Values = (machine, trace) => {
  const last = lastOf(trace);
  const at = seen(last, "trap-unclaimed")?.at;
  if (at === undefined) return [];
  const fetched = indexBefore(trace, trace.length, (step) => step.cpu === last.cpu && seen(step, "execute")?.at === at);
  const stored = indexBefore(trace, fetched, (step) => {
    const store = seen(step, "store");
    return store !== undefined && covers(store, at) && store.bytes !== store.was;
  });
  const entered = indexBefore(
    trace,
    trace.length,
    (step) => step.cpu === last.cpu && seen(step, "enter-trap") !== undefined,
  );
  const asked =
    entered < fetched
      ? []
      : trace.flatMap((step, i) =>
          i > entered && i < trace.length - 1 && step.cpu === last.cpu && isHandlers(step)
            ? [value("handler", `${tell(step, machine).text} (step ${i + 1})`)]
            : [],
        );
  const none = entered < fetched ? [value("handler", "none is registered")] : [];
  const now = bytesAt(machine, last.before, at, 1);
  const was = seen(trace[fetched] ?? last, "execute")?.bytes ?? "";
  return [
    ...(stored < 0 ? [] : [value("stored", stepText(trace, stored))]),
    ...(fetched < 0 ? [] : [value("fetched", `step ${fetched + 1}, CPU ${last.cpu}`)]),
    ...(was.startsWith(now) ? [] : [value("memory", `holds ${now} there by now`)]),
    ...asked,
    ...none,
  ];
};

const covers = ({ address, bytes }: Events["store"], at: bigint): boolean =>
  at >= address && at < address + BigInt(bytes.length / 2);

const isHandlers = ({ before, cpu }: TraceStep): boolean => {
  const context = before.cpus[cpu]?.stack.at(-1);
  return context?.level === "trap";
};

const emulated: Values = (machine, trace) => {
  const last = lastOf(trace);
  const back = seen(last, "return-from-trap");
  if (back === undefined || back.site === null) return [];
  const handled = indexBefore(trace, trace.length - 1, (step) => step.cpu === last.cpu && isHandlers(step));
  const published = indexBefore(
    trace,
    trace.length,
    (step) => seen(step, "publish")?.sites.includes(back.site) === true,
  );
  return [
    ...versionsAt(machine, back.site, back.offset),
    ...(handled < 0
      ? []
      : [value("handler", `${tell(trace[handled] as TraceStep, machine).text} (step ${handled + 1})`)]),
    value("resumed", `at ${placeOf(back.resumes, machine)}`),
    ...(back.published === null || published < 0 ? [] : [value("published", stepText(trace, published))]),
  ];
};

/** Where text or data was given back, or other code mapped, and how it was used then. */
const freedText = (trace: readonly TraceStep[], at: bigint): readonly ValueJson[] => {
  const last = trace.length - 1;
  const gone = indexBefore(trace, last, (step) => {
    const range = seen(step, "free-code") ?? seen(step, "map-code") ?? seen(step, "free-data");
    return range !== undefined && isIn(range, at);
  });
  return gone < 0 ? [] : [value("freed", stepText(trace, gone)), value("used", stepText(trace, last))];
};

/** The place of an event that may lie in text or data that was given back. */
const placeOfUse = ({ what, detail }: Observation): bigint | undefined => {
  switch (what) {
    case "execute":
      return detail.at;
    case "store":
    case "window-store":
    case "expect-text":
      return detail.freed;
    case "store-freed":
    case "free-code":
      return detail.address;
    case "resume":
    case "exit-stopper":
    case "return-from-interrupt":
    case "return-from-trap":
      return detail.place;
    default:
      return undefined;
  }
};

/** What the program found, and who stored it. */
const asserted: Values = (machine, trace) => {
  const looked = seen(lastOf(trace), "expect-text");
  if (looked === undefined) return [];
  const { address } = looked;
  const stored = indexBefore(trace, trace.length, (step) => {
    const store = seen(step, "store");
    return store !== undefined && covers(store, address);
  });
  return [
    value("expected", `${spaced(looked.expected)} at ${placeOf(address, machine)}`),
    value("found", spaced(looked.found)),
    ...(stored < 0 ? [] : [value("stored", stepText(trace, stored))]),
  ];
};

/** Since when the text is read-only that was stored to. */
const readOnlySince = (trace: readonly TraceStep[], address: bigint | null): readonly ValueJson[] => {
  const since = indexBefore(trace, trace.length, (step) => {
    const range = seen(step, "set-memory");
    return range?.change === "ro" && address !== null && isIn(range, address);
  });
  return since < 0 ? [] : [value("read-only", `since ${stepText(trace, since)}`)];
};

const isIn = ({ address, size }: { readonly address: bigint; readonly size: number }, at: bigint): boolean =>
  at >= address && at < address + BigInt(size);

const freed: Values = (_machine, trace) => {
  const word = seen(lastOf(trace), "load-freed")?.word;
  if (word === undefined) {
    // The instruction stands behind what it stored.
    for (const observation of [...lastOf(trace).observed].reverse()) {
      const at = placeOfUse(observation);
      const found = at === undefined ? [] : freedText(trace, at);
      if (found.length > 0) return found;
    }
    return [];
  }
  if (word.startsWith("0x")) return freedText(trace, BigInt(word));
  const at = indexBefore(trace, trace.length, (step) => seen(step, "free")?.word === word);
  const last = trace.length - 1;
  return at < 0 ? [] : [value("freed", stepText(trace, at)), value("used", stepText(trace, last))];
};

const windowHolders: Values = (_machine, trace) => {
  const window = seen(lastOf(trace), "enterWindow")?.window;
  const inside: number[] = [];
  trace.forEach((step, i) => {
    if (seen(step, "enterWindow")?.window === window) inside.push(i);
    if (seen(step, "leaveWindow")?.window === window) {
      const entered = inside.findIndex((each) => trace[each]?.cpu === step.cpu);
      inside.splice(Math.max(0, entered), 1);
    }
  });
  return inside.map((i) => value("inside", `since ${stepText(trace, i)}`));
};

/** What every program that cannot go on waits for. */
const waits: Values = (machine, trace) => {
  const { after } = lastOf(trace);
  return after.cpus.flatMap((cpu, i) =>
    cpu.stack.flatMap(({ code }) => {
      if (code.run !== "program") return [];
      const next = machine.next(code);
      const what = next === undefined ? undefined : machine.rule(next.op).waits?.(next.args, after);
      return what === undefined ? [] : [value("waits", `CPU ${i}, ${code.program} at ${next?.step}: ${what}`)];
    }),
  );
};

const pairValues: Values = (_machine, trace) => {
  const used = seen(lastOf(trace), "pair");
  return used === undefined ? [] : [value("used", dataText(used.values))];
};

const faulting: Values = (machine, trace) => {
  const stored = seen(lastOf(trace), "store-faulted");
  if (stored !== undefined) return readOnlySince(trace, stored.address);
  const fault = seen(lastOf(trace), "fault");
  if (fault === undefined) return [];
  const { cpu, before } = lastOf(trace);
  const level = before.cpus[cpu]?.stack.at(-1)?.level ?? "task";
  return [
    fault.text === ""
      ? value("interrupted", `CPU ${cpu}${within[level]}`)
      : value("instruction", `${spaced(fault.bytes)}  ${fault.text}, by CPU ${cpu}${within[level]}`),
    value("address", placeOf(fault.at, machine)),
    value("why", fault.why),
    ...readOnlySince(trace, fault.to),
  ];
};

const values: { readonly [property in PropertyId]?: Values } = {
  "mid-sequence": passage,
  "old-or-new": instruction,
  "trap-owned": trap,
  emulation: emulated,
  done: returned,
  pair: pairValues,
  lifetime: freed,
  assertion: asserted,
  exclusive: windowHolders,
  fault: faulting,
  progress: waits,
  rule: window,
};
