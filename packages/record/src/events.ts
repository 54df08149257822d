import type { Events, Observation } from "@cmodx/core";
import type { RecordedStep, Recording } from "./recording.js";
import type { Task } from "./tasks.js";

/*
 * What happened in a run as events of one tracer: one for each observation, each of a type with fields. trace.dat, CTF and Chrome's
 * format are three ways to write the same events.
 */

/** What a field holds: a number of 32 or 64 bits, an address, or a text. */
export type FieldKind = "u32" | "address" | "text";

/** A type of events. Beside its own fields each event has `n`, the number of the step, and `step`, its id. */
export type EventType = {
  readonly name: string;
  readonly fields: readonly { readonly name: string; readonly kind: FieldKind }[];
};

/** The value of a field. */
export type FieldValue = number | bigint | string;

/** An event of a run. */
export type RunEvent = {
  readonly time: bigint;
  readonly cpu: number;
  readonly task: Task;
  readonly type: EventType;
  /** By the names of the fields of its type, `n` and `step` first. */
  readonly values: { readonly [field: string]: FieldValue };
};

const type = (name: string, fields: { readonly [name: string]: FieldKind } = {}): EventType => ({
  name,
  fields: [
    { name: "n", kind: "u32" },
    { name: "step", kind: "text" },
    ...Object.entries(fields).map(([field, kind]) => ({ name: field, kind })),
  ],
});

const change = { address: "address", old: "text", new: "text" } as const;
const handler = { handler: "text" } as const;
const place = { address: "address", next: "address" } as const;

const types = {
  call: type("call"),
  return: type("return"),
  poke: type("text_poke", change),
  event: type("text_poke_event", { ...change, begins: "u32" }),
  ipiSend: type("ipi_send", { ...handler, self: "u32" }),
  ipiReceive: type("ipi_recv", handler),
  ipiAck: type("ipi_ack"),
  ipiDone: type("ipi_done", handler),
  syncCore: type("sync_core"),
  executed: type("executed", { ...place, bytes: "text", text: "text", stale: "u32", torn: "u32" }),
  trap: type("trap", { address: "address", vector: "text" }),
  emulated: type("emulated", { address: "address", bytes: "text", text: "text" }),
  trapReturn: type("trap_return", place),
  preempt: type("sched_preempt", { task: "text" }),
  resume: type("sched_resume", { task: "text" }),
  stopQueued: type("stop_queued"),
  stopStage: type("stop_stage", { stage: "text" }),
  /** Everything else: what it was, and its values as JSON. */
  step: type("step", { what: "text", detail: "text" }),
} as const;

/** All types of events, in the order of their ids. */
export const eventTypes: readonly EventType[] = Object.values(types);

const flag = (value: boolean): number => (value ? 1 : 0);

/** Whether an execution was one of bytes that are no version's. */
const isTorn = (executed: Events["execute"]): boolean =>
  executed.site !== null && !executed.owned && executed.matched.length === 0;

type Told = readonly [type: EventType, values?: { readonly [field: string]: FieldValue }];

/** An observation as an event. */
const told = ({ what, detail }: Observation): Told => {
  switch (what) {
    case "begin-call":
      return [types.call];
    case "return-call":
      return [types.return];
    case "store":
      return [types.poke, { address: detail.address, old: detail.was, new: detail.bytes }];
    case "publish-event": {
      const { address, old, next, begins } = detail;
      return [types.event, { address, old, new: next, begins: flag(begins) }];
    }
    case "send-ipi":
      return [types.ipiSend, { handler: detail.handler, self: flag(detail.self) }];
    case "take-ipi":
      return [types.ipiReceive, { handler: detail.handler }];
    case "ack":
      return [types.ipiAck];
    case "wait-ipi":
      return [types.ipiDone, { handler: detail.handler }];
    case "sync-core":
      return [types.syncCore];
    case "execute": {
      const { at: address, next, bytes, text, stale } = detail;
      return [types.executed, { address, next, bytes, text, stale: flag(stale), torn: flag(isTorn(detail)) }];
    }
    case "enter-trap":
      return [types.trap, { address: detail.at, vector: detail.vector }];
    case "emulate":
      return [types.emulated, { address: detail.at, bytes: detail.bytes, text: detail.text }];
    case "return-from-trap":
      return [types.trapReturn, { address: detail.at, next: detail.resumes ?? detail.at }];
    case "preempt":
      return [types.preempt, { task: detail.task }];
    case "resume":
      return [types.resume, { task: detail.task }];
    case "queue-stop":
      return [types.stopQueued];
    case "stop-stage":
      return [types.stopStage, { stage: detail.stage }];
    default:
      return [types.step, { what, detail: jsonOf(detail) }];
  }
};

const jsonOf = (detail: object): string =>
  JSON.stringify(detail, (_, value) => (typeof value === "bigint" ? `0x${value.toString(16)}` : value));

const eventsOfStep = ({ index, time, cpu, task, rule, step, observed }: RecordedStep): readonly RunEvent[] => {
  const common = { n: index, step: step ?? rule };
  const all: readonly Told[] =
    observed.length === 0 ? [[types.step, { what: rule, detail: "{}" }]] : observed.map(told);
  return all.map(([of, values]) => ({ time, cpu, task, type: of, values: { ...common, ...values } }));
};

/** The events of a run, in the order of its steps. Those of one step are at the same time. */
export const runEvents = ({ steps }: Recording): readonly RunEvent[] => steps.flatMap(eventsOfStep);
