import type { Data } from "../base/data.js";
import type { Condition, Line, Value } from "./program.js";
import type { Code, TextAccess, TextChange } from "./scenario.js";
import type { StopState } from "./state.js";

/*
 * What the steps of programs do, by name, each with its arguments; bytes are hex. A rule of the same id takes the step.
 */

type Nothing = Readonly<Record<never, never>>;
type Range = { readonly address: bigint; readonly size: number };
type Stored = { readonly address: bigint; readonly bytes: string };
/** Bytes of one access. */
type Width = 1 | 2 | 4 | 8;
type Word = { readonly word: string };
type Into = { readonly into: string };

/** The operations of core. Each has a schema, which does not compile where it differs. */
export interface CoreOperations {
  /** `direct`: not through a mapping of the patcher's own. */
  store: Stored & { readonly width: Width; readonly direct?: true };
  storeData: Stored & { readonly width: Width };
  freeData: Range;
  freeCode: Range;
  /** `mode`: the decoder's. */
  mapCode: {
    readonly address: bigint;
    readonly code: Code;
    readonly access?: TextAccess;
    readonly mode?: string;
  };
  setMemory: Range & { readonly change: TextChange };
  assert: { readonly id: string; readonly condition: Condition; readonly why: string };
  expectText: Stored;
  publishEvent: {
    readonly address: bigint;
    readonly old: string;
    readonly next: string;
    readonly begins: boolean;
  };
  /** Of the line of an address, or of all code. */
  maintain: { readonly operation: string; readonly address?: bigint };
  syncCore: Nothing;
  syncCores: Nothing;
  sendIpi: { readonly handler: readonly Line[]; readonly self?: true };
  /** `of`: the id of the step that sent it. */
  waitIpi: { readonly of: string };
  ack: Nothing;
  maskIrq: Nothing;
  unmaskIrq: Nothing;
  stopMachine: {
    readonly run: readonly Line[];
    readonly secondaries: readonly Line[];
    readonly everywhere?: true;
  };
  waitGrace: { readonly flavour: string };
  readLock: { readonly flavour: string };
  readUnlock: { readonly flavour: string };
  fence: { readonly kind: string };
  lock: { readonly name: string };
  unlock: { readonly name: string };
  enterWindow: { readonly window: string };
  leaveWindow: { readonly window: string };
  armTrap: { readonly vector: string };
  disarmTrap: { readonly vector: string };
  set: Word & { readonly value: Value };
  load: Word & Into;
  add: Word & { readonly by: number; readonly into?: string };
  until: Word & { readonly value: Data };
  free: Word;
  setEachCpu: Word & { readonly value: Data };
  addEachCpu: Word & { readonly by: number };
  untilEachCpu: Word & { readonly value: Data };
  tryGet: Word & Into;
  put: Word;
  publish: Nothing;
  lookup: Word & Into;
  emulate: { readonly bytes: Value; readonly all?: true };
  restart: Nothing;
  claim: Nothing;
}

/**
 * The operations that patch programs are written in. A plugin that brings a rule for one of its own adds it here:
 *
 *     declare module "@cmodx/core" {
 *       interface Operations { countTaken: { readonly word: string } }
 *     }
 */
export interface Operations extends CoreOperations {}

/** The name of an operation of a patch program. */
export type OperationName = keyof Operations & string;

/** The operations that programs are compiled to, where these are others or take other arguments. */
export interface CompiledOperations {
  beginCall: { readonly sites: readonly number[]; readonly to: number };
  returnCall: { readonly sites: readonly number[]; readonly to: number };
  publish: { readonly sites: readonly number[] };
  store: Stored & { readonly direct?: true };
  storeData: Stored;
  /** `holds`: which of the code that programs map. */
  mapCode: Range & { readonly holds: number; readonly access?: TextAccess };
  /** `handler`: the name of its program. */
  sendIpi: { readonly handler: string; readonly self: boolean };
  waitIpi: { readonly handler: string };
  beginGrace: { readonly flavour: string; readonly waiter: string };
  awaitGrace: { readonly flavour: string; readonly waiter: string };
  /** `work`: which stop_machine; each has a name of its own. */
  queueStop: { readonly work: string };
  awaitStop: { readonly work: string };
  ackStop: { readonly stage: StopState["stage"] };
  awaitStopStage: { readonly stage: StopState["stage"] };
  unclaimed: Nothing;
  callPatched: Nothing;
}

/** The name of an operation of a compiled program; those of composite steps are among them, and no program has these. */
export type CompiledName = OperationName | (keyof CompiledOperations & string);

/** What the rule of an operation takes. */
export type ArgumentsOf<O extends string> = O extends keyof CompiledOperations
  ? CompiledOperations[O]
  : O extends OperationName
    ? Operations[O]
    : Data;
