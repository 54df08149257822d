import { InputError } from "../base/errors.js";
import { didYouMean, nearest } from "../base/nearest.js";

/*
 * What steps cost, as data. Nothing here knows an architecture: a parameter is what a step, an interrupt or a service takes, wherever that is.
 */

/** What a parameter means and how it is counted. */
type CostParameter = { readonly unit: "ns" | "count" | "part" | "1/s" | "bytes"; readonly summary: string };

const ns = (summary: string): CostParameter => ({ unit: "ns", summary });

/** The parameters of every cost model. */
export const costParameters = {
  step: ns("a step of a patch program that has no parameter of its own"),
  textWrite: ns("one store of a patch program to code, with all that the kernel does around it (x86: __text_poke)"),
  dataWrite: ns("one store of a patch program to data, and a shared word that is set"),
  eachCpuWord: ns("a per-CPU word, for each CPU whose word is set, added to or looked at"),
  mapWindow: ns("entering or leaving a mapping through which code is written (fixmap, temporary mm)"),
  setMemory: ns("a change of the permissions of text or of what is mapped, without the flush of TLBs"),
  tlbFlush: ns("the flush of TLBs on all CPUs that such a change needs, for each CPU"),
  event: ns("publishing one text-poke event"),
  sync: ns("a CPU synchronises its context (x86: IRET to self, SERIALIZE or CPUID; Arm: ISB; RISC-V: FENCE.I)"),
  barrier: ns("a memory barrier"),
  cacheLine: ns("cache maintenance of one line"),
  cacheAll: ns("cache maintenance of all code"),
  remoteCall: ns("an operation that reaches every CPU through firmware or the kernel, before it is sent"),
  remoteCallEach: ns("the same, for each CPU"),
  ipiSelf: ns("an interrupt to the own CPU, or what a sender does in its place"),
  ipiSend: ns("writing one interrupt command"),
  ipiGroup: { unit: "count", summary: "CPUs that one interrupt command reaches (x2APIC cluster: 16; physical: 1)" },
  ipiSendEach: ns("sending a broadcast, for each CPU that it is for"),
  ipiDeliver: ns("from the interrupt command until the receiver's entry begins"),
  ipiFar: ns("the same, more, for a receiver on another socket"),
  ipiAck: ns("the sender looks at one receiver's acknowledgement, whose cache line comes from there"),
  socketCpus: { unit: "count", summary: "CPUs of one socket" },
  interruptEntry: ns("entry of an interrupt handler"),
  interruptReturn: ns("return from an interrupt handler (x86: IRET)"),
  trapEntry: ns("a breakpoint's exception, up to its first handler"),
  trapReturn: ns("return from a breakpoint's handler (x86: IRET)"),
  trapCompare: ns("one compare in a handler's search for the trap's address"),
  trapEmulate: ns("a handler emulates an instruction"),
  stopQueue: ns("stop_machine queues its work, for each CPU"),
  stopWake: ns("from then until a CPU's stopper runs"),
  stopAck: ns("a CPU acknowledges one stage of stop_machine: a shared counter, one CPU after the other"),
  stopReturn: ns("a stopper ends and its CPU goes on with what it stopped"),
  mutexTake: ns("taking or giving back a mutex that nobody holds"),
  mutexWake: ns("waking the next task that waits for a mutex"),
  graceRcu: ns("a grace period of RCU, or of SRCU"),
  graceTasks: ns("a grace period of RCU-tasks, and of its kinds rude and trace"),
  maskedPart: { unit: "part", summary: "of its time an executor has interrupts masked, 0 up to but not 1" },
  maskedLength: ns("the mean length of such a stretch"),
  passRate: { unit: "1/s", summary: "passages of one executor through the sites, all of them together" },
  callNop: ns("a passage through a site that does nothing"),
  callDirect: ns("a direct call of one tracer, and its return"),
  callTrampoline: ns("what a dynamic trampoline of one ops adds to the call: registers saved and restored"),
  callCommon: ns("what the common trampoline adds to the call: it saves registers and loads the global ops"),
  callOpsLoad: ns("CALL_OPS: the loads of the ops beside the function, and the indirect branch"),
  callListEntry: ns("a list of ops: what each ops on it takes to be looked at and called"),
  textByte: ns("a passage, for each byte of padding at the site: cache and decoder"),
  paddingBytes: { unit: "bytes", summary: "bytes of padding that a site needs beside the patched instruction" },
  probeHandler: ns("what a kprobe's handler does itself"),
  probeJump: ns("an optimised kprobe: the jump, and the registers saved and restored"),
} as const satisfies { readonly [name: string]: CostParameter };

/** The name of a parameter. */
export type CostName = keyof typeof costParameters;

/** A value with where it is from; a value that nobody measured says `assumed`, and why. */
export type CostValue = { readonly value: number; readonly source: string };

/** A cost model: a value for every parameter. */
export type CostModel = {
  readonly id: string;
  readonly summary: string;
  readonly values: { readonly [name in CostName]: CostValue };
};

/** The names of all parameters. */
export const costNames = Object.keys(costParameters) as readonly CostName[];

/** The model with other values. Throws {@link InputError} for a parameter that there is not, and a value that it cannot have. */
export const withCosts = (
  base: CostModel,
  changes: { readonly [name: string]: number | CostValue },
  source: string,
  { id = base.id, summary = base.summary, file }: { id?: string; summary?: string; file?: string } = {},
): CostModel => {
  const of = file === undefined ? {} : { file };
  const values: { [name in CostName]: CostValue } = { ...base.values };
  for (const [name, given] of Object.entries(changes)) {
    if (!Object.hasOwn(costParameters, name)) {
      const near = nearest(name, costNames);
      const hint = near.length > 0 ? didYouMean(name, costNames) : "; `cmodx cost show` lists all.";
      throw new InputError(`There is no cost parameter ${name}${hint}`, { ...of, place: name, code: "unknown-name" });
    }
    const known = name as CostName;
    const value = typeof given === "number" ? { value: given, source } : given;
    const wrong = outOfRange(known, value?.value);
    if (wrong !== undefined)
      throw new InputError(`The cost parameter ${name} ${wrong}, not ${JSON.stringify(value?.value) ?? "nothing"}.`, {
        ...of,
        place: name,
        code: "out-of-range",
      });
    values[known] = { value: value.value, source: typeof value.source === "string" ? value.source : source };
  }
  return { id, summary, values };
};

/** What a parameter has to be, where a value is not; undefined where it is. */
const outOfRange = (name: CostName, value: unknown): string | undefined => {
  const { unit } = costParameters[name];
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) return "has to be a number from 0 on";
  if (unit === "count" && (value < 1 || !Number.isInteger(value))) return "has to be a whole number from 1 on";
  if (unit === "part" && value >= 1) return "has to be from 0 up to, but not, 1";
  return undefined;
};
