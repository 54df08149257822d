import type { Bytes, Data } from "../base/data.js";
import { toHex } from "../base/hex.js";
import type { OperationName, Operations } from "../contract/operations.js";
import type { Condition, Line, Step, Value, When, While } from "../contract/program.js";
import type { Code, ReadFlavour, TextAccess, TextChange } from "../contract/scenario.js";
import { NMI_OFF } from "../contract/state.js";
import { readFlavour } from "../services/read-sections.js";

/*
 * The words that patch programs are written in. Each makes one line of data; a program reads like the comment block over the
 * kernel function that it describes.
 */

const noted = (note: string | undefined): { readonly note: string } | object => (note === undefined ? {} : { note });

/** The arguments of an operation, which may be left out where it needs none, and a note. */
type Given<O extends OperationName> =
  Readonly<Record<never, never>> extends Operations[O]
    ? [args?: Operations[O], note?: string]
    : [args: Operations[O], note?: string];

/** A step with an operation of its own, e.g. one that a plugin brings. */
export const step = <O extends OperationName>(id: string, op: O, ...[args, note]: Given<O>): Step<O> =>
  ({ id, op, args: args ?? {}, ...noted(note) }) as Step<O>;

/** A step of an operation that is there for synchronisation, so that ablation may drop it. */
export const syncStep = <O extends OperationName>(id: string, op: O, ...given: Given<O>): Step<O> => ({
  ...step(id, op, ...given),
  synchronises: true,
});

/**
 * Writes code. The bytes are stored by accesses of `width` bytes (1, 2, 4 or 8; default 1, as memcpy may) in ascending order, each of
 * which becomes visible at one moment as far as the architecture says so ({@link Architecture.stores}). What is left of the last one
 * stands for an access of the aligned place around it, the rest of which is rewritten as it is. They go through a writable mapping of
 * the patcher's own, unless the store is `direct`: then text that is not writable, as all is of which nothing is said, makes it a `fault`, and
 * nothing is stored.
 */
export const store = (
  id: string,
  address: bigint,
  bytes: Bytes,
  options: { readonly width?: 1 | 2 | 4 | 8; readonly direct?: boolean; readonly note?: string } = {},
): Step => {
  const direct = options.direct === true ? ({ direct: true } as const) : {};
  return step(id, "store", { address, bytes: toHex(bytes), width: options.width ?? 1, ...direct }, options.note);
};

/**
 * Writes data that machine code loads, such as the literal of a call site. The bytes are stored by accesses of `width` bytes (1, 2, 4
 * or 8; default 8) as those of {@link store} are. No fetch model has a say.
 */
export const storeData = (
  id: string,
  address: bigint,
  bytes: Bytes,
  options: { readonly width?: 1 | 2 | 4 | 8; readonly note?: string } = {},
): Step => step(id, "storeData", { address, bytes: toHex(bytes), width: options.width ?? 8 }, options.note);

/**
 * Gives `size` bytes of data back: code that loads them afterwards or stores there, and who gives them back again, breaks `lifetime`. A
 * {@link storeData} there is what the memory is used for next.
 */
export const freeData = (id: string, address: bigint, size: number, note?: string): Step =>
  step(id, "freeData", { address, size }, note);

/**
 * Gives `size` bytes of code back: an instruction that takes effect there afterwards, a store there, or a task that goes on there breaks
 * `lifetime`, also once other code is mapped. It waits for earlier stores of its CPU, and for nobody else.
 */
export const freeCode = (id: string, address: bigint, size: number, note?: string): Step =>
  step(id, "freeCode", { address, size }, note);

/**
 * Maps code where none is, or where it was given back: its bytes are then stored, 8 at a time. Caches and contexts are the program's
 * affair, as for every store of code. `access`: what it may be used for, default `r-x`; `mode`: the decoder's.
 */
export const mapCode = (
  id: string,
  address: bigint,
  code: Code,
  options: { readonly access?: TextAccess; readonly mode?: string; readonly note?: string } = {},
): Step =>
  step(
    id,
    "mapCode",
    {
      address,
      code,
      ...(options.access === undefined ? {} : { access: options.access }),
      ...(options.mode === undefined ? {} : { mode: options.mode }),
    },
    options.note,
  );

const setMemory =
  (change: TextChange) =>
  (id: string, address: bigint, size: number, note?: string): Step =>
    step(id, "setMemory", { address, size, change }, note);

/** Makes `size` bytes of text read-only (`set_memory_ro`), for all CPUs before the step ends. */
export const setMemoryRo = setMemory("ro");
/** Makes `size` bytes of text writable (`set_memory_rw`). */
export const setMemoryRw = setMemory("rw");
/** Makes `size` bytes of text executable (`set_memory_x`). */
export const setMemoryX = setMemory("x");
/** Makes `size` bytes of text not executable (`set_memory_nx`). */
export const setMemoryNx = setMemory("nx");

/**
 * Publishes a text-poke event, which trace decoders see: from its stamp on the code at the site is the new one, or, where it `begins`
 * the change, either.
 */
export const publishEvent = (
  id: string,
  { address, old, next }: { readonly address: bigint; readonly old: Bytes; readonly next: Bytes },
  options: { readonly begins?: boolean; readonly note?: string } = {},
): Step =>
  step(
    id,
    "publishEvent",
    { address, old: toHex(old), next: toHex(next), begins: options.begins ?? false },
    options.note,
  );

/** One of the architecture's cache-maintenance operations, for the line of an address or, without one, for all code. */
export const maintain = (id: string, operation: string, address?: bigint, note?: string): Step =>
  syncStep(id, "maintain", address === undefined ? { operation } : { operation, address }, note);

/** Synchronises the context of this CPU alone (x86 `sync_core`, arm64 `isb`, RISC-V `fence.i`). */
export const syncCore = (id: string, note?: string): Step => syncStep(id, "syncCore", {}, note);

/** `on_each_cpu(do_sync_core)`: interrupts every other CPU, synchronises this one, and waits until all others have done so. */
export const syncCores = (id: string, note?: string): Step => syncStep(id, "syncCores", {}, note);

/**
 * Interrupts every other CPU to run `handler`. A CPU counts as having acknowledged once its handler passed {@link ack}, which is
 * put at the end where the handler has none. With `self` the sender synchronises its own context in the same step.
 */
export const sendIpi = (id: string, handler: readonly Line[], note?: string, self = false): Step =>
  syncStep(id, "sendIpi", { handler: handler, ...(self ? ({ self: true } as const) : {}) }, note);

/** Waits until every CPU acknowledged the interrupt sent by the step `of`. */
export const waitIpi = (id: string, of: string, note?: string): Step => syncStep(id, "waitIpi", { of }, note);

/** In the handler of an interrupt: tells the sender that it is done. */
export const ack = (id = "ack", note?: string): Step => step(id, "ack", {}, note);

/** A memory barrier. It means something in the architectural memory orders only. */
export const fence = (id: string, kind: string, note?: string): Step => syncStep(id, "fence", { kind }, note);

/** Takes a sleeping lock. */
export const lock = (id: string, name: string, note?: string): Step => step(id, "lock", { name }, note);

/** Releases a lock. */
export const unlock = (id: string, name: string, note?: string): Step => step(id, "unlock", { name }, note);

/** Masks or unmasks interrupts (not NMIs) on this CPU. */
export const maskIrq = (id: string, note?: string): Step => step(id, "maskIrq", {}, note);
/** Unmasks interrupts on this CPU. */
export const unmaskIrq = (id: string, note?: string): Step => step(id, "unmaskIrq", {}, note);

const nmiSources = (id: string, off: boolean, note?: string): Step =>
  step(id, "setEachCpu", { word: NMI_OFF, value: off }, note);

/** Turns the sources of NMIs off on every CPU (`stop_nmi`); a handler that runs already goes on. */
export const stopNmi = (id: string, note?: string): Step => nmiSources(id, true, note);
/** Turns the sources of NMIs on again (`restart_nmi`). */
export const restartNmi = (id: string, note?: string): Step => nmiSources(id, false, note);

/**
 * `stop_machine(fn, data, NULL)`: every CPU's stopper thread passes PREPARE, DISABLE_IRQ, RUN and EXIT; `run` is done in RUN by
 * the first online CPU alone, or with `everywhere` by every CPU (`cpu_online_mask`), `secondaries` by each but the first before it leaves
 * EXIT. (kernel/stop_machine.c, multi_cpu_stop, 7.3)
 */
export const stopMachine = (
  id: string,
  does: { readonly run: readonly Line[]; readonly secondaries?: readonly Line[]; readonly everywhere?: boolean },
  note?: string,
): Step =>
  step(
    id,
    "stopMachine",
    {
      run: does.run,
      secondaries: does.secondaries ?? [],
      ...(does.everywhere === true ? ({ everywhere: true } as const) : {}),
    },
    note,
  );

/**
 * Waits for a grace period of RCU (`synchronize_rcu`): for every handler that runs now and every stretch with interrupts or preemption
 * off; where tasks are preemptible for the read-side sections of RCU, else for every CPU to pass a switch of tasks.
 */
export const waitRcu = (id: string, note?: string): Step => syncStep(id, "waitGrace", { flavour: "rcu" }, note);

/** Waits until every task, preempted ones included, has switched voluntarily (`synchronize_rcu_tasks`). */
export const waitRcuTasks = (id: string, note?: string): Step =>
  syncStep(id, "waitGrace", { flavour: "rcu-tasks" }, note);

/** Waits until every CPU has switched context, preemption included (`synchronize_rcu_tasks_rude`). */
export const waitRcuTasksRude = (id: string, note?: string): Step =>
  syncStep(id, "waitGrace", { flavour: "rcu-tasks-rude" }, note);

/** Waits until every section of a domain of SRCU that somebody is in now has been left (`synchronize_srcu`). */
export const waitSrcu = (id: string, domain: string, note?: string): Step =>
  syncStep(id, "waitGrace", { flavour: `srcu:${domain}` }, note);

/** Waits until every section of RCU-tasks-trace that somebody is in now has been left (`synchronize_rcu_tasks_trace`). */
export const waitRcuTasksTrace = (id: string, note?: string): Step =>
  syncStep(id, "waitGrace", { flavour: "rcu-tasks-trace" }, note);

/**
 * Enters a read-side section (`rcu_read_lock`, `srcu_read_lock`, `rcu_read_lock_trace`), of RCU unless it is said of which flavour.
 * Sections nest, and last through preemption and sleep; where tasks are not preemptible, one of RCU ends with the next switch.
 * `rcu-tasks` declares that the task holds a grace period of RCU-tasks back though it sleeps, as its exit does.
 */
export const readLock = (id: string, flavour: ReadFlavour = "rcu", note?: string): Step =>
  step(id, "readLock", { flavour: readFlavour(flavour, id) }, note);

/** Leaves a read-side section of this flavour, that entered last. Throws {@link InputError} in a run that is in none. */
export const readUnlock = (id: string, flavour: ReadFlavour = "rcu", note?: string): Step =>
  step(id, "readUnlock", { flavour: readFlavour(flavour, id) }, note);

/** Sets a shared word. */
export const set = (id: string, word: string, value: Value, note?: string): Step =>
  step(id, "set", { word, value }, note);
/** Loads a shared word into a local. */
export const load = (id: string, word: string, into: string, note?: string): Step =>
  step(id, "load", { word, into }, note);
/** Adds to a shared word of a number; its new value goes to the local `into`, if one is named. */
export const add = (id: string, word: string, by: number, into?: string, note?: string): Step =>
  step(id, "add", into === undefined ? { word, by } : { word, by, into }, note);
/** Waits, without sleeping, until a shared word has a value. */
export const until = (id: string, word: string, value: Data, note?: string): Step =>
  step(id, "until", { word, value }, note);
/** Frees a shared word: to load it afterwards, or to free it again, breaks `lifetime`; to set it is to use the memory anew. */
export const free = (id: string, word: string, note?: string): Step => step(id, "free", { word }, note);

/**
 * Asserts that a condition on locals holds here; where it does not, `assertion` breaks. `why` goes on from "the assertion does not hold:".
 * What it is about is loaded into locals by steps before it.
 */
export const assert = (id: string, condition: Condition, why: string, note?: string): Step =>
  step(id, "assert", { id, condition, why }, note);

/**
 * Compares the text at an address, as loads of this CPU find it, with the bytes that it is to hold, as kernels do before they write;
 * where it holds others, `assertion` breaks.
 */
export const expectText = (id: string, address: bigint, bytes: Bytes, note?: string): Step =>
  step(id, "expectText", { address, bytes: toHex(bytes) }, note);

/** Sets a per-CPU word on every CPU. */
export const setEachCpu = (id: string, word: string, value: Data, note?: string): Step =>
  step(id, "setEachCpu", { word, value }, note);
/** Adds to a per-CPU word on every CPU. */
export const addEachCpu = (id: string, word: string, by: number, note?: string): Step =>
  step(id, "addEachCpu", { word, by }, note);
/** Waits, without sleeping, until a per-CPU word has a value on every CPU. */
export const untilEachCpu = (id: string, word: string, value: Data, note?: string): Step =>
  syncStep(id, "untilEachCpu", { word, value }, note);
/** Increments this CPU's word unless it is 0; the local `into` says whether it did. */
export const tryGet = (id: string, word: string, into: string, note?: string): Step =>
  step(id, "tryGet", { word, into }, note);
/** Decrements this CPU's word. */
export const put = (id: string, word: string, note?: string): Step => step(id, "put", { word }, note);

/** Enters a window that only one program may be in at a time; `exclusive` watches it. */
export const enterWindow = (id: string, window: string, note?: string): Step =>
  step(id, "enterWindow", { window }, note);
/** Leaves a window. */
export const leaveWindow = (id: string, window: string, note?: string): Step =>
  step(id, "leaveWindow", { window }, note);

/** Registers the handlers of a trap vector. */
export const armTrap = (id: string, vector: string, note?: string): Step => step(id, "armTrap", { vector }, note);
/** Takes the handlers of a trap vector out of service. */
export const disarmTrap = (id: string, vector: string, note?: string): Step => step(id, "disarmTrap", { vector }, note);

/** Declares that from here on a trap at a patched site must have the new instruction's effect. */
export const publish = (id: string, note?: string): Step => step(id, "publish", {}, note);

/** In a trap handler: finds the entry `{ address, bytes }` of the trap's address in a shared word that holds a list; null if none. */
export const lookup = (id: string, word: string, into: string, note?: string): Step =>
  step(id, "lookup", { word, into }, note);
/** In a trap handler: gives the interrupted context the effect of the instruction in these bytes (hex) at the trap's address. */
export const emulate = (id: string, bytes: Value, note?: string): Step => step(id, "emulate", { bytes }, note);
/**
 * In a trap handler: gives the interrupted context the effect of all instructions in these bytes (hex) from the trap's address on, one
 * after the other as long as they go straight on.
 */
export const emulateAll = (id: string, bytes: Value, note?: string): Step =>
  step(id, "emulate", { bytes, all: true }, note);
/** In a trap handler: the trap is ours; nothing after this line is run. */
export const claim = (id = "claim", note?: string): Step => step(id, "claim", {}, note);

/** The value of a local. */
export const local = (name: string): Value => ({ local: name });
/** Both values are the same. */
export const eq = (a: Value, b: Value): Condition => ({ test: "eq", a, b });
/** The values differ. */
export const ne = (a: Value, b: Value): Condition => ({ test: "ne", a, b });
/** The number `a` is less than the number `b`. */
export const lt = (a: Value, b: Value): Condition => ({ test: "lt", a, b });
/** Runs lines when a condition on locals holds, others when it does not. It takes no step of its own. */
export const when = (id: string, condition: Condition, then: readonly Line[], otherwise?: readonly Line[]): When => ({
  id,
  when: condition,
  lines: then,
  ...(otherwise === undefined ? {} : { otherwise }),
});
/** Repeats lines while a condition on locals holds. It takes no step of its own. */
export const whileLocal = (id: string, condition: Condition, repeat: readonly Line[]): While => ({
  id,
  while: condition,
  repeat,
});
