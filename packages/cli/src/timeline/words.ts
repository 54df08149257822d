import {
  type CpuState,
  type Data,
  type EventName,
  type Events,
  eventsOf,
  FREED,
  fromHex,
  type Machine,
  NMI_OFF,
  type Observation,
  own,
  type Rule,
  type StateView,
  type TraceStep,
  type Write,
  wordSeen,
} from "@cmodx/core";
import { hex } from "../text.js";
import { spaced } from "./sight.js";

/** What a CPU did in one step. `quiet` steps may share a line with their neighbours. */
export type Told = { readonly text: string; readonly quiet: boolean };

type Detail = { readonly [name: string]: Data };

/** An address as people speak of it: `+0` in the only site, `site 1 +0` in one of several, else the number. */
export const placeOf = (address: bigint, machine: Machine): string => {
  const { sites } = machine.layout;
  const inside = sites.findIndex((site) => address >= site.address && address < site.address + BigInt(site.length));
  const index = inside >= 0 ? inside : sites.findIndex((site) => address === site.address + BigInt(site.length));
  const site = sites[index];
  if (site === undefined) return hex(address);
  const offset = `+${address - site.address}`;
  return sites.length === 1 ? offset : `site ${index} ${offset}`;
};

/** How an architecture calls its return from an exception. */
const exceptionReturns: { readonly [cpu: string]: string } = { arm64: "ERET", x86: "IRET" };

const exceptionReturn = (machine: Machine): string => own(exceptionReturns, machine.cpu.id) ?? "returns";

const quiet = (text: string): Told => ({ text, quiet: true });
const loud = (text: string): Told => ({ text, quiet: false });

/** Data as text, addresses in hexadecimal. */
export const dataText = (value: Data): string =>
  value === FREED
    ? "freed"
    : (JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? hex(inner) : inner)) ?? "nothing");

/** A value of a shared word, unless it is long. */
const short = (value: Data): string => {
  if (value === FREED) return "freed";
  const text = dataText(value);
  return text.length > 12 ? "" : ` = ${text}`;
};

/** A shared word as the acting CPU sees it. */
const wordIn = (view: StateView, { cpu }: TraceStep, word: Data, machine: Machine): Data =>
  wordSeen(view.cpus[cpu] as CpuState, view.services, String(word), machine);

const stages: { readonly [stage: string]: string } = {
  prepare: "PREPARE",
  "disable-irq": "DISABLE_IRQ",
  run: "RUN",
  exit: "EXIT",
};

const changes: { readonly [change: string]: string } = {
  ro: "read-only",
  rw: "writable",
  x: "executable",
  nx: "not executable",
};

type Tell = (detail: Detail, step: TraceStep, machine: Machine) => Told;

const at = (detail: Detail, machine: Machine, name = "at"): string => placeOf(own(detail, name) as bigint, machine);

const executed: Tell = (detail, _step, machine) => {
  const { text, vector, stale, site } = detail;
  const where = site === null ? ` at ${at(detail, machine)}` : detail.offset === 0 ? "" : ` at ${at(detail, machine)}`;
  const trap =
    vector === null || String(text).startsWith("(") ? "" : text === vector ? ": traps" : `: traps (${vector})`;
  const told = `executes ${text}${where}${stale === true ? " ~stale" : ""}${trap}`;
  return site === null && vector === null && stale !== true ? quiet(told) : loud(told);
};

const returned: Tell = (detail, step, machine) => {
  const code = step.after.cpus[step.cpu]?.stack.at(-1)?.code;
  const home = detail.resumes === undefined || (code?.run === "machine" && code.home);
  const target = home ? "its caller" : at(detail, machine, "resumes");
  return loud(`${exceptionReturn(machine)} to ${detail.restarted === true ? `${target}, to try again` : target}`);
};

/** By what was observed. */
const tells: { readonly [what: string]: Tell } = {
  "begin-call": ({ to }) => loud(`the patch call begins: ${to === 1 ? "old to new" : "back to old"}`),
  "return-call": () => loud("the patch call returns"),
  store: (detail, step, machine) =>
    loud(
      `stores ${spaced(String(detail.bytes))} at ${at(detail, machine, "address")}${isKept(step, machine) ? ", into its store buffer" : detail.bytes === detail.was ? ", as it was" : ""}`,
    ),
  drain: (detail, _step, machine) =>
    quiet(
      detail.write === undefined
        ? `its ${maintenance(detail, machine)} takes place`
        : `${writeText(detail.write as Write, machine)} becomes visible to all`,
    ),
  "store-data": (detail, _step, machine) =>
    loud(`stores ${spaced(String(detail.bytes))} at ${at(detail, machine, "address")}, as data`),
  "free-data": (detail, _step, machine) => loud(`gives the data at ${at(detail, machine, "address")} back`),
  "free-code": (detail, _step, machine) => loud(`gives the code at ${at(detail, machine, "address")} back`),
  "map-code": (detail, _step, machine) => loud(`maps other code at ${at(detail, machine, "address")}`),
  "set-memory": (detail, _step, machine) =>
    loud(`makes the text at ${at(detail, machine, "address")} ${changes[String(detail.change)]}`),
  "store-faulted": (detail, _step, machine) =>
    loud(`FAULTS: its store at ${at(detail, machine, "address")} is to read-only text`),
  "store-freed": (detail, _step, machine) => loud(`stores to ${at(detail, machine, "address")}, which was given back`),
  assert: ({ id, holds }) => (holds === true ? quiet(`asserts ${id}`) : loud(`asserts ${id}, which does NOT hold`)),
  "expect-text": (detail, _step, machine) => {
    const told = `finds ${spaced(String(detail.found))} at ${at(detail, machine, "address")}`;
    return detail.found === detail.expected ? quiet(`${told}, as expected`) : loud(told);
  },
  "publish-event": ({ begins }) =>
    loud(begins === true ? "publishes an event: old or new from here on" : "publishes an event: new from here on"),
  publish: () => loud("the new instruction is published"),
  execute: executed,
  fetch: (detail, _step, machine) => {
    const { bytes, stale } = detail;
    const text = bytes === "" ? "nothing" : machine.disassemble(fromHex(String(bytes)), detail.at as bigint);
    const told = `fetches ${text}${standing(detail, machine)}${stale === true ? " ~stale" : ""}${beyond(detail)}`;
    return stale === true ? loud(told) : quiet(told);
  },
  "window-load": (detail, _step, machine) =>
    quiet(
      `loads 0x${(detail.value as bigint).toString(16)} from ${at(detail, machine, "address")}${detail.forwarded === true ? ", its own" : ""}`,
    ),
  "window-store": (detail, _step, machine) =>
    quiet(`stores 0x${(detail.value as bigint).toString(16)} at ${at(detail, machine, "address")}`),
  "window-fault": (detail, _step, machine) => quiet(`may not store at ${at(detail, machine, "address")}`),
  "window-maintain": ({ operation }) => quiet(String(operation)),
  "window-complete": () => quiet("its invalidations are in force everywhere"),
  "window-restart": (detail, _step, machine) => quiet(`fetches and loads again from ${at(detail, machine)} on`),
  "fetch-part": (detail, _step, machine) =>
    loud(
      `fetches ${spaced(String(detail.bytes))} at ${at(detail, machine)}, the first part of an instruction${beyond(detail)}`,
    ),
  "enter-trap": ({ vector }) => loud(`enters the ${vector} handler`),
  caught: (detail, _step, machine) =>
    loud(`goes on at ${at(detail, machine, "to")}, where its ${detail.vector} is handled`),
  fault: (detail, _step, machine) => {
    const { vector, to } = detail;
    if (vector === "nmi") return loud("FAULTS: it overwrites the frame of the one that is being handled");
    if (vector === "unsupported" || vector === "opaque") return loud("FAULTS: its effect is not known");
    if (vector !== null) return loud(`FAULTS: nothing handles the ${vector}`);
    return loud(
      to === null ? "FAULTS: no instruction begins there" : `LEAVES the modelled code for ${at(detail, machine, "to")}`,
    );
  },
  "trap-unclaimed": ({ vector }) => loud(`no handler claims the ${vector}`),
  lookup: ({ found, word }) => loud(`${found === true ? "finds its entry" : "finds no entry"} in ${word}`),
  "load-freed": ({ word }) => loud(`loads ${word}, which was freed`),
  emulate: ({ text }) => loud(`emulates ${text}`),
  restart: () => loud("goes back to the trapping instruction"),
  "return-from-trap": returned,
  irq: ({ entry }) => loud(`takes an interrupt${entry === null ? "" : ", whose handler calls patched code"}`),
  nmi: ({ entry }) => loud(`takes an NMI${entry === null ? "" : ", whose handler calls patched code"}`),
  "note-nmi": () => loud("takes an NMI inside the handler of another, which notes it"),
  "repeat-nmi": ({ entry }) =>
    loud(
      `the NMI's handler runs once more${entry === null ? "" : " and calls patched code"}, for the one that was noted`,
    ),
  "call-patched": () => quiet("calls patched code"),
  "send-ipi": ({ self }) => loud(self === true ? "IPI to all CPUs, synchronises itself" : "IPI to all other CPUs"),
  "take-ipi": () => quiet("takes the IPI"),
  "sync-core": () => quiet("synchronises"),
  ack: () => quiet("acknowledges"),
  "wait-ipi": () => loud("all CPUs have acknowledged"),
  maskIrq: () => quiet("masks interrupts"),
  unmaskIrq: () => quiet("unmasks interrupts"),
  "return-from-interrupt": ({ level }, _step, machine) =>
    quiet(`${exceptionReturn(machine)} from the ${level === "nmi" ? "NMI" : "interrupt"}`),
  preempt: (detail, _step, machine) =>
    loud(
      `${detail.instead === true ? "instead of returning from the interrupt, " : ""}its task is preempted${detail.at === null ? "" : standing(detail, machine)}`,
    ),
  resume: (detail, _step, machine) =>
    loud(
      `a task that ${detail.slept === true ? "slept" : "was preempted"} goes on here${detail.at === null ? "" : standing(detail, machine)}`,
    ),
  "take-stopper": () => quiet("the stopper thread takes the CPU"),
  "exit-stopper": () => loud("the stopper thread ends"),
  "exit-task": () => quiet("the task ends"),
  "queue-stop": () => loud("stop_machine: wakes the stopper of every CPU"),
  "ack-stop": ({ stage }) => quiet(`acknowledges ${stages[String(stage)]}`),
  "stop-stage": ({ stage }) => quiet(`sees ${stages[String(stage)]}`),
  stopped: () => loud("every stopper has ended"),
  "begin-grace": ({ flavour }) => loud(`${flavour} grace period begins`),
  grace: ({ flavour }) => loud(`${flavour} grace period ends`),
  "read-lock": ({ flavour }) => loud(`enters a read-side section of ${flavour}`),
  "read-unlock": ({ flavour }) => loud(`leaves a read-side section of ${flavour}`),
  lock: ({ name }) => quiet(`takes ${name}`),
  unlock: ({ name }) => quiet(`releases ${name}`),
  enterWindow: ({ window }) => quiet(`enters ${window}`),
  leaveWindow: ({ window }) => quiet(`leaves ${window}`),
  armTrap: ({ vector }) => quiet(`registers the ${vector} handler`),
  disarmTrap: ({ vector }) => quiet(`unregisters the ${vector} handler`),
  fence: ({ kind }) => quiet(`${kind} barrier`),
  maintain: (detail, _step, machine) => quiet(maintenance(detail, machine)),
  set: ({ word }, step, machine) => quiet(`sets ${word}${short(wordIn(step.after, step, word, machine))}`),
  add: ({ word }, step, machine) => quiet(`adds to ${word}${short(wordIn(step.after, step, word, machine))}`),
  load: ({ word }, step, machine) => quiet(`loads ${word}${short(wordIn(step.before, step, word, machine))}`),
  until: ({ word }, step, machine) => quiet(`sees ${word}${short(wordIn(step.before, step, word, machine))}`),
  free: ({ word }) => loud(`frees ${word}`),
  setEachCpu: ({ word, value }) =>
    word === NMI_OFF
      ? loud(`turns the sources of NMIs ${value === true ? "off" : "on"}`)
      : quiet(`sets ${word} on every CPU${short(value)}`),
  addEachCpu: ({ word, by }) => quiet(`adds ${by} to ${word} on every CPU`),
  untilEachCpu: ({ word }) => loud(`sees ${word} everywhere as awaited`),
  "try-get": ({ word, got }) =>
    got === true ? quiet(`gets a reference, ${word}`) : loud(`gets no reference, ${word} is 0`),
  put: ({ word }) => quiet(`puts its reference, ${word}`),
};

/** The acting CPU keeps a write of this step to itself for now. */
const isKept = ({ before, after, cpu }: TraceStep, machine: Machine): boolean =>
  machine.order.pending(after.cpus[cpu] as CpuState).length >
  machine.order.pending(before.cpus[cpu] as CpuState).length;

const writeText = (write: Write, machine: Machine): string => {
  switch (write.to) {
    case "code":
      return `its ${spaced(write.bytes)} at ${placeOf(write.address, machine)}`;
    case "data":
      return `its write of data at ${Object.keys(write.bytes)
        .map((address) => `0x${address}`)
        .join(", ")}`;
    case "word":
      return `its ${write.word}${short(write.value)}`;
    case "each-cpu":
      return `its ${write.word} on every CPU${short(write.value)}`;
    case "published":
      return "that the new instruction is published";
  }
};

const maintenance = (detail: Detail, machine: Machine): string =>
  `${String(detail.operation)}${detail.address === undefined ? "" : ` of the line of ${at(detail, machine, "address")}`}`;

const standing = (detail: Detail, machine: Machine): string => {
  const pc = detail.at as bigint;
  return machine.siteAt(pc) === undefined ? "" : ` at ${placeOf(pc, machine)}`;
};

/** What a task fetched of a round that it has not begun. */
const beyond = (detail: Detail): string => (detail.beyond === true ? ", beyond the end of its round" : "");

/** Interrupt handlers are shared by the steps that send them, so the names of their steps would mislead. */
const named = ({ step, before, cpu }: TraceStep): string => {
  const context = before.cpus[cpu]?.stack.at(-1);
  return step === null || step === "unclaimed" || context?.level === "irq" ? "" : `${step}: `;
};

const calls: ReadonlySet<string> = new Set(["begin-call", "return-call"]);

/** What a step did, apart from the fault that came of it. */
const last = (observed: readonly Observation[]): Observation | undefined =>
  observed.findLast(({ what }) => what !== "fault");

/** A window lets several instructions take effect in one step. */
const executions = (step: TraceStep, machine: Machine): Told => {
  const told = step.observed.flatMap(({ what, detail }): readonly Told[] => {
    const each = own(tells, what)?.(detail as Detail, step, machine);
    if (each === undefined) return [];
    const faults = "at" in detail && eventsOf(step.observed, "fault").some(({ at }) => at === detail.at);
    return [faults ? loud(each.text) : each];
  });
  const telling = told.filter(({ quiet }) => !quiet);
  if (told.length === 0) return quiet("goes on");
  return {
    text: (telling.length > 0 ? telling : told).map(({ text }) => text).join("; "),
    quiet: telling.length === 0,
  };
};

/** What a rule itself says of an event. */
const saidBy = <E extends EventName>(
  { says }: Rule,
  { what, detail }: { readonly what: E; readonly detail: Events[E] },
  machine: Machine,
): string | undefined => says?.[what]?.(detail, (address) => placeOf(address, machine));

/** Says in the field's words what the acting CPU did. */
export const tell = (step: TraceStep, machine: Machine): Told => {
  if (step.rule === machine.order.execute.id) return executions(step, machine);
  const observation = last(step.observed);
  if (observation === undefined) return loud(`${named(step)}${step.rule}`);
  const said = saidBy(machine.rule(step.rule), observation, machine);
  if (said !== undefined) return loud(`${named(step)}${said}`);
  const words = own(tells, observation.what);
  if (words === undefined) return loud(`${named(step)}${step.rule}`);
  const plain = words(observation.detail as Detail, step, machine);
  const [fault] = eventsOf(step.observed, "fault");
  const told =
    fault === undefined || observation.what === "trap-unclaimed"
      ? plain
      : loud(`${plain.text}; ${tells.fault?.(fault, step, machine).text}`);
  return calls.has(observation.what) ? told : { ...told, text: `${named(step)}${told.text}` };
};
