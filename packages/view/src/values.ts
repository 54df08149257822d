import {
  dataText,
  type ExecutedAtSite,
  listed,
  type Machine,
  own,
  type PropertyId,
  type ReturnedAtSite,
  spaced,
  type TraceStep,
} from "@cmodx/core";
import { freed, readOnlySince } from "./freed.js";
import type { ValueJson } from "./json.js";
import { bytesAt } from "./sight.js";
import { fetchable, staleness } from "./staleness.js";
import {
  atSite,
  covers,
  indexBefore,
  lastOf,
  seen,
  stepText,
  type Values,
  value,
  versionNames,
  versionsAt,
  within,
} from "./steps.js";
import { placeOf, tell } from "./tell.js";

/*
 * The values that a broken property is about: what was expected, what was found instead, and the steps it comes from. They are read
 * from the trace; properties themselves judge single events.
 */

/** The values that a property is about which the last step of a trace breaks; none where the sentence says them all. */
export const valuesOf = (property: PropertyId, machine: Machine, trace: readonly TraceStep[]): readonly ValueJson[] =>
  trace.length === 0 ? [] : (own(values, property)?.(machine, trace) ?? []);

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

/** By property: what is told of it. */
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
  rule: fetchable,
};
