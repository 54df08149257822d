import type { Data } from "../base/data.js";
import type { Write } from "./memory-order.js";
import type { TextChange } from "./scenario.js";
import type { SiteState, StopState } from "./state.js";

/*
 * Everything that a step can show of itself. A rule says it, once and in these words; properties, explanations and drivers read nothing
 * else of what happened. Bytes are hex.
 */

/** What a trace decoder makes of one executed instruction: it can tell which one it was; it cannot; it takes it for another; or, `open`, it
 * cannot and what follows the instruction may yet tell. */
export type Decoded = "told" | "ambiguous" | "open" | "wrong";

/** What is wrong with the text in which an instruction takes effect; each is absent where nothing is. */
export type TextUse = {
  /** Nobody may get there: why. */
  readonly forbidden?: string;
  /** The text was given back: how, as the end of a sentence. */
  readonly freed?: string;
  /** It is no code that lies there or that a program stores there. */
  readonly strange?: true;
};

/** An instruction that took effect, wherever that was. */
export type Instructed = TextUse & {
  readonly at: bigint;
  readonly bytes: string;
  readonly text: string;
  /** The exception that it raised; null where it raised none. */
  readonly vector: string | null;
  /** It differs from what memory held by then. */
  readonly stale: boolean;
  /** Why the architecture declares it unpredictable; null where it does not. */
  readonly refused: string | null;
  /** Where its CPU goes on. */
  readonly next: bigint;
};

/** What an instruction, or what it loaded, was to the site that it lies in, and how that stood. */
export type AtSite = SiteState & {
  readonly site: number;
  readonly offset: number;
  /** The versions that it is of. */
  readonly matched: readonly number[];
};

/** An instruction of a site that took effect. */
export type ExecutedAtSite = Instructed &
  AtSite & {
    /** Versions that hold these bytes there, though not as an instruction; present where it is of none. */
    readonly held?: readonly number[];
    /** A breakpoint or a guard of a patcher: no execution of the site. */
    readonly owned: boolean;
    /** The versions that its passage agreed with before; null where the passage begins. */
    readonly before: readonly number[] | null;
    /** Absent where no text-poke events are published. */
    readonly decoded?: Decoded;
    /** The decoder did not hear yet of the last event about the site: its CPU left no packet since. */
    readonly lagging?: true;
  };

/** An instruction that took effect. */
export type Executed =
  | ExecutedAtSite
  | (Instructed & { readonly site: null; readonly owned?: never; readonly calling?: never });

/** Where a context goes on that was stopped, if that is in text that was given back: how, and the address. */
export type Resumption = { readonly freed?: string; readonly place?: bigint };

/** The return from a trap that was taken at a site's breakpoint. */
export type ReturnedAtSite = Resumption &
  Omit<AtSite, "published"> & {
    readonly at: bigint;
    readonly resumes: bigint;
    /** The version that traps emulate; null where none was published. */
    readonly published: number | null;
    /** It goes back to the trap's own address. */
    readonly restarted: boolean;
    readonly before: readonly number[] | null;
  };

/** The return from a trap's handlers. */
export type Returned =
  | ReturnedAtSite
  | (Resumption & {
      readonly at: bigint;
      readonly site: null;
      readonly resumes?: bigint;
      readonly restarted?: boolean;
    });

type Nothing = Readonly<Record<never, never>>;
type Word = { readonly word: string };
type At = { readonly at: bigint };
type Address = { readonly address: bigint };
type Range = Address & { readonly size: number };
type Stored = Address & { readonly bytes: string };
type Call = { readonly sites: readonly number[]; readonly to: number };
type Entered = { readonly entry: bigint | null };

/**
 * The events by name, each with what it says. A plugin adds its own:
 *
 *     declare module "@cmodx/core" {
 *       interface Events { "count-taken": { readonly word: string } }
 *     }
 */
export interface Events {
  // ---- machine code ----
  execute: Executed;
  /** The window fetched an instruction ahead; `beyond`: of a round that its task has not begun. */
  fetch: At & { readonly bytes: string; readonly stale: boolean; readonly beyond?: true };
  /** The first part of an instruction over two units of fetching. */
  "fetch-part": At & { readonly bytes: string; readonly beyond?: true };
  /** `forwarded`: it found what its own CPU is to store. */
  "window-load": At & Address & { readonly value: bigint; readonly forwarded: boolean };
  /** `freed`: an address of text, `freedData`: one of data, that it stored to and that was given back. */
  "window-store": At & Address & { readonly value: bigint; readonly freed?: bigint; readonly freedData?: bigint };
  /** A store is to read-only text. */
  "window-fault": At & Address;
  "window-maintain": At & { readonly operation: string };
  /** Its invalidations are in force everywhere. */
  "window-complete": At;
  /** What took place too early is done again from here on. */
  "window-restart": At;
  /** Data of a site was loaded. */
  "load-site": AtSite & At & Address & { readonly bytes: string };
  /** A word or data was loaded that was given back; `word` is its name or address. */
  "load-freed": Word & { readonly at?: bigint; readonly found?: boolean; readonly got?: boolean };
  /** Text, or data, that was given back was stored to. */
  "store-freed": Address & { readonly data?: true };
  /** Values that belong together were used. */
  pair: At & { readonly values: Data; readonly published: boolean };
  /** A routine's own handler takes an exception. */
  caught: At & { readonly vector: string; readonly to: bigint };
  /** `why` goes on from "The CPU executed X at Y: "; `vector` is the exception, `to` where it went or what its store was for. */
  fault: At & {
    readonly bytes: string;
    readonly text: string;
    readonly why: string;
    readonly vector: string | null;
    readonly to: bigint | null;
  };
  /** A write, or a cache operation, of before becomes visible to all. */
  drain: { readonly write: Write } | { readonly operation: string; readonly address?: bigint };

  // ---- patching ----
  "begin-call": Call;
  /** `untold`: a trace decoder could not tell an execution during the call. */
  "return-call": Call & { readonly untold?: true };
  /** `was`: what the storing CPU saw there; `freed`: an address that was given back. */
  store: Stored & { readonly was: string; readonly freed?: bigint };
  "store-data": Stored;
  /** A program's own store to read-only text. */
  "store-faulted": Stored;
  /** `twice`: an address that was given back before. */
  "free-data": Range & { readonly twice?: bigint };
  "free-code": Range & { readonly twice: boolean };
  "map-code": Range;
  "set-memory": Range & { readonly change: TextChange };
  publish: { readonly sites: readonly number[] };
  "publish-event": Address & {
    readonly old: string;
    readonly next: string;
    readonly begins: boolean;
    readonly untold: boolean;
  };
  maintain: { readonly operation: string; readonly address?: bigint };
  assert: { readonly id: string; readonly why: string; readonly holds: boolean };
  /** `found` is `--` where no code is. */
  "expect-text": Address & { readonly expected: string; readonly found: string; readonly freed?: bigint };

  // ---- traps ----
  "enter-trap": At & { readonly vector: string };
  /** `patchers`: a patcher's byte raised it. */
  "trap-unclaimed": At & { readonly vector: string; readonly patchers: boolean };
  lookup: At & Word & { readonly found: boolean };
  emulate: At & { readonly bytes: string; readonly text: string };
  restart: At;
  "return-from-trap": Returned;
  armTrap: { readonly vector: string };
  disarmTrap: { readonly vector: string };

  // ---- interrupts ----
  irq: Entered;
  nmi: Entered;
  "note-nmi": Nothing;
  "repeat-nmi": Entered;
  "call-patched": { readonly level: string; readonly entry: bigint };
  "return-from-interrupt": Resumption & { readonly level: "irq" | "nmi" };
  "send-ipi": { readonly handler: string; readonly self: boolean };
  "take-ipi": { readonly handler: string };
  "sync-core": Nothing;
  ack: Nothing;
  "wait-ipi": { readonly handler: string };
  maskIrq: Nothing;
  unmaskIrq: Nothing;

  // ---- tasks ----
  /** `instead`: in place of the return from an interrupt; `at`: the pc of machine code. */
  preempt: { readonly task: string; readonly at: bigint | null; readonly instead?: true };
  /** `slept`: it gave up the CPU by itself. */
  resume: Resumption & { readonly task: string; readonly at: bigint | null; readonly slept?: true };
  "exit-task": Nothing;
  "take-stopper": Nothing;
  "exit-stopper": Resumption;

  // ---- services ----
  "queue-stop": Nothing;
  stopped: Nothing;
  "ack-stop": { readonly stage: StopState["stage"]; readonly last: boolean };
  "stop-stage": { readonly stage: StopState["stage"] };
  "begin-grace": { readonly flavour: string };
  grace: { readonly flavour: string };
  "read-lock": { readonly flavour: string };
  "read-unlock": { readonly flavour: string };
  /** A program ends, or returns to its caller, with something that it had to give back. `by` begins the sentence, `things` end it. */
  "left-open": { readonly by: string; readonly things: readonly string[] };
  lock: { readonly name: string };
  /** `strange`: it is not the program that took it. */
  unlock: { readonly name: string; readonly strange?: true };
  /** `inside`: how many programs are inside now. */
  enterWindow: { readonly window: string; readonly inside: number };
  leaveWindow: { readonly window: string; readonly inside: number; readonly strange?: true };
  fence: { readonly kind: string };
  set: Word;
  load: Word;
  add: Word;
  until: Word;
  free: Word & { readonly twice?: true };
  setEachCpu: Word & { readonly value: Data };
  addEachCpu: Word & { readonly by: number };
  untilEachCpu: Word;
  "try-get": Word & { readonly got: boolean };
  put: Word;
}

/** The name of an event. */
export type EventName = keyof Events & string;

/** Something that happened in a step. Properties read these, never the parts. */
export type Observation = {
  readonly [E in EventName]: { readonly what: E; readonly detail: Events[E] };
}[EventName];

/** The details of the events of a name, in their order. */
export const eventsOf = <E extends EventName>(observed: readonly Observation[], name: E): readonly Events[E][] =>
  observed.flatMap(({ what, detail }) => (what === name ? [detail as Events[E]] : []));
