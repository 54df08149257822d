import type { Bytes, Data } from "../base/data.js";
import type { CacheMaintenance } from "./cache-maintenance.js";
import type { Cpu } from "./exception-model.js";
import type { FetchModel } from "./fetch-model.js";
import type { InstructionSet } from "./instruction-set.js";
import type { Layout, OpaqueCode, SiteInstruction } from "./layout.js";
import type { MemoryOrder } from "./memory-order.js";
import type { Condition, Operation, ProgramRole, Value } from "./program.js";
import type { Rule } from "./rule.js";
import type { CpuState, MachineCode, ProgramCode, TrapFrame } from "./state.js";
import type { Stores } from "./store-atomicity.js";

/** What the CPUs of a scenario are. */
export interface Hardware {
  readonly instructionSet: InstructionSet;
  readonly fetch: FetchModel;
  readonly cache: CacheMaintenance;
  readonly cpu: Cpu;
  /** Which stores become visible at one moment. */
  readonly stores: Stores;
  readonly order: MemoryOrder;
  /** All CPUs, 1 to 64. */
  readonly cpus: number;
}

/** What may happen in a scenario beside what its programs do. */
export interface Environment {
  /** Tasks can be preempted at any instruction. */
  readonly preempt: boolean;
  /** What runs machine code runs in user mode: {@link Scenario.user}. */
  readonly user: boolean;
  /** IRQs come from outside. */
  readonly irq: boolean;
  /** NMIs come from outside. */
  readonly nmi: boolean;
  /** An NMI that comes inside the handler of another is noted; otherwise it overwrites that one's frame. */
  readonly guardsNmis: boolean;
  /** NMIs that come inside the handler of another are steps of their own: they do what no later one does. */
  readonly nestsNmis: boolean;
  /**
   * Whether it matters where in code that nobody writes a task is taken off: a grace period may have to wait for it just there, and where
   * a stopper waits, the task cannot go on.
   */
  readonly holdsGrace: boolean;
  /**
   * Whether anybody but a task itself can tell that it has ended a round: who waits for switches, rules that look at other CPUs in a way of
   * their own, and who finds what code stores.
   */
  readonly tellsRounds: boolean;
}

/** Where instructions begin in code that is no site. */
export interface Borders {
  /** Whether an instruction begins at an address where this is mapped: an index into what programs map, or what lies there at first. */
  has(address: bigint, mode: string, holds: number | undefined): boolean;
  /** Whether an instruction begins at an address in bytes (hex) that a step of a program stores from `from` on. */
  hasIn(stored: { readonly address: bigint; readonly bytes: string }, address: bigint, mode: string): boolean;
}

/** Where code lies, and what is known of it before any step. */
export interface CodeMap {
  readonly layout: Layout;
  /** The byte of code at an address that no program writes; undefined where nothing is mapped. */
  text(address: bigint): number | undefined;
  /** Whether any code is modelled at an address. */
  isMapped(address: bigint): boolean;
  /** Whether control may leave the modelled code for an address: a branch names it as it is written, or the scenario does. */
  isExit(address: bigint): boolean;
  /** Where instructions begin in code that is no site. */
  readonly borders: Borders;
  /** The address of the cell that an address lies in, if programs write that cell. */
  cellOf(address: bigint): bigint | undefined;
  /** The index of the stretch of text that an address lies in; undefined where nobody says anything of it. */
  stretchAt(address: bigint): number | undefined;
  /** Whether some program may write the byte at an address. */
  isWritten(address: bigint): boolean;
  /** Whether some instruction, as code is laid out or as it is patched, may store elsewhere than on its own stack. */
  readonly storesAbroad: boolean;
  /** Whether no run writes the byte of data at an address, one that breaks `old-or-new` and goes on excepted. */
  isNeverWritten(address: bigint): boolean;
  /** Where an indirect branch may go as far as nothing is known of it: every address of code that is held anywhere, with its mode (R42). */
  readonly targets: readonly { readonly address: bigint; readonly mode: string }[];
  /** The site that an address lies in, with the offset in bytes from its start. */
  siteAt(address: bigint): { readonly site: number; readonly offset: number } | undefined;
  /** The instruction that each version of a site has at an offset; versions that have none there are left out. */
  instructionsAt(site: number, offset: number): readonly (SiteInstruction & { readonly version: number })[];
  /** The versions of a site whose instruction at an offset is these bytes. */
  versionsAt(site: number, offset: number, bytes: Bytes): readonly number[];
  /** The versions of a site that hold these bytes at an offset, whether an instruction of theirs or not. */
  versionsHolding(site: number, offset: number, bytes: Bytes): readonly number[];
  /** Whether these bytes (hex) are an instruction by which a patcher holds up whoever comes to an address. */
  isGuard(address: bigint, bytes: string): boolean;
  /** The opaque instructions of the code. */
  readonly opaque: OpaqueCode;
  /**
   * Decodes what a CPU fetched at an address. R50: what is opaque is an instruction only where it is passed; else it is `opaque` where the
   * code has it, and `unsupported` where it is a torn mix.
   */
  decode(bytes: Bytes, at: bigint, mode: string): ReturnType<InstructionSet["decode"]> | "opaque";
  /** Assembler text of the instruction in these bytes. */
  disassemble(bytes: Bytes, at: bigint, mode?: string): string;
}

/** The routines of machine code: where they start, and how they end. */
export interface Routines {
  /** Where a routine may start. */
  entries(routine: string): readonly bigint[];
  /** Whether a routine runs once and then stops. */
  runsOnce(routine: string): boolean;
  /** The context of a routine when its task starts. */
  begin(routine: string): MachineCode;
  /** The context of a routine before its first instruction. */
  home(routine: string): MachineCode;
  /** The context of a routine that starts at one of its entries. */
  enter(routine: string, entry: bigint): MachineCode;
  /** A context that has run its code once. */
  ended(code: MachineCode): MachineCode;
  /** Whether a context has run its code once. */
  hasEnded(code: MachineCode): boolean;
  /** Where the machine code of a routine goes on after an exception; undefined where it does not handle any. */
  faults(routine: string): bigint | undefined;
  /** A routine that goes on at its handler ({@link Executor.faults}) after an exception; `resume` is the saved pc. */
  raise(code: MachineCode, handler: bigint, resume: bigint): MachineCode;
}

/** The patch programs, handlers and services that contexts run. */
export interface Programs {
  /** Whether any program has a step of this operation. */
  uses(operation: string): boolean;
  /** What a program is run for. Throws where there is none of this name. */
  roleOf(program: string): ProgramRole;
  /** The program of the handlers of a trap vector, of `irq`, `nmi` or `switch`; undefined where there are none. */
  handlerOf(vector: string): string | undefined;
  /** The program of a CPU's stopper in a stop_machine; `boot`: of the first online CPU. */
  stopperOf(work: string, boot: boolean): string;
  /** A program before its first step. */
  start(program: string, locals: ProgramCode["locals"], frame: TrapFrame | null): ProgramCode;
  /** The rule of an operation, and of every other step by its id. Throws where there is none. */
  rule(id: string): Rule;
  /** The next operation of a program, or undefined at its end. */
  next(code: ProgramCode): Operation | undefined;
  /** Goes on after the step that the CPU's running program has just done. */
  advance(cpu: CpuState): CpuState;
  /** Whether a condition on the locals of the running program holds. */
  holds(cpu: CpuState, condition: Condition): boolean;
  /** The value of a constant or of a local of the running program. Throws {@link InputError} for a local that no step has set. */
  value(cpu: CpuState, value: Value): Data;
  /** The same where it has to be an address. Throws {@link InputError} for anything else, which the next step cannot do without. */
  address(cpu: CpuState, value: Value): bigint;
  /** The CPU with a local of its running program set. */
  setLocal(cpu: CpuState, name: string, value: Data): CpuState;
}

/**
 * What a rule may ask of the scenario that it takes a step in. All of it stands before the first step: what changes is in the parts of the
 * state alone. {@link Machine} is one.
 */
export interface World extends Hardware, Environment, CodeMap, Routines, Programs {}
