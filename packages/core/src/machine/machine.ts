import type { Bytes, Data } from "../base/data.js";
import { InputError } from "../base/errors.js";
import { toHex } from "../base/hex.js";
import { same } from "../base/key.js";
import { didYouMean } from "../base/nearest.js";
import type { Architecture } from "../contract/architecture.js";
import type { CacheMaintenance } from "../contract/cache-maintenance.js";
import type { Cpu } from "../contract/exception-model.js";
import type { FetchModel } from "../contract/fetch-model.js";
import type { InstructionSet } from "../contract/instruction-set.js";
import type { Initial, Layout, OpaqueCode, SiteInstruction } from "../contract/layout.js";
import type { MemoryOrder } from "../contract/memory-order.js";
import type { CodeEntry, CompiledProgram, Condition, Operation, ProgramRole, Value } from "../contract/program.js";
import type { CpuMap, CpuPredicate, Rule, RuleBook } from "../contract/rule.js";
import type { Decoder, Scenario } from "../contract/scenario.js";
import {
  type CpuState,
  type MachineCode,
  NMI_OFF,
  type ProgramCode,
  running,
  type TrapFrame,
  withRunning,
} from "../contract/state.js";
import type { Stores } from "../contract/store-atomicity.js";
import type { World } from "../contract/world.js";
import { CodeBorders } from "../execution/borders.js";
import { bytesByAddress, undecoded } from "../execution/execute.js";
import { storesOf } from "../memory/pieces.js";
import { guardKey, HOME, STACK_TOP } from "../program/reserved.js";
import { withoutPast } from "../services/grace-periods.js";
import { withPackets } from "../services/packet-decoder.js";
import {
  ARCHITECTURE,
  CACHE_MAINTENANCE,
  CPU,
  FETCH_MODEL,
  INSTRUCTION_SET,
  MEMORY,
  RULES,
  SCENARIO,
} from "../wiring/parts.js";
import { injectable, token, use, useAll } from "../wiring/tokens.js";
import { type Candidate, candidatesOf } from "./candidates.js";
import { targetsOf } from "./exits.js";
import { layOut } from "./layout.js";
import { heldAddresses, neverWritten, storesAbroad } from "./never-written.js";
import { opaqueCode, passing } from "./opaque.js";
import { coreRules } from "./rules.js";

const byId = <T extends { readonly id: string }>(what: string, list: readonly T[]): ReadonlyMap<string, T> => {
  const found = new Map<string, T>();
  for (const item of list) {
    const other = found.get(item.id);
    if (other !== undefined && other !== item)
      throw new InputError(`Two ${what}s have the id ${item.id}; ids are unique in a simulation.`, {
        code: "conflict",
      });
    found.set(item.id, item);
  }
  return found;
};

const turnsNmisOff = (entry: CodeEntry): boolean =>
  entry.kind === "op" && entry.op === "setEachCpu" && entry.args.word === NMI_OFF;

/**
 * The machine of one scenario: one set of step rules, which the explorer, the simulator and the replayer all use. It holds what
 * does not change (code, programs, rules); state lives in the parts alone.
 */
@injectable()
export class Machine implements World {
  readonly instructionSet: InstructionSet;
  readonly fetch: FetchModel;
  readonly cache: CacheMaintenance;
  readonly cpu: Cpu;
  /** Which stores become visible at one moment. */
  readonly stores: Stores;
  readonly order: MemoryOrder;
  readonly #cpus: number;
  #countsCpus = false;
  readonly preempt: boolean;
  /** What runs machine code runs in user mode: {@link Scenario.user}. */
  readonly user: boolean;
  readonly layout: Layout;
  /** {@link Scenario.decoder} */
  readonly decoder: Decoder;
  readonly #rules: ReadonlyMap<string, Rule>;
  readonly #maps: ReadonlyMap<string, CpuMap>;
  readonly #predicates: ReadonlyMap<string, CpuPredicate>;
  /** IRQs come from outside. */
  readonly irq: boolean;
  /** NMIs come from outside. */
  readonly nmi: boolean;
  /** An NMI that comes inside the handler of another is noted; otherwise it overwrites that one's frame. */
  readonly guardsNmis: boolean;
  /** NMIs that come inside the handler of another are steps of their own: they do what no later one does. */
  readonly nestsNmis: boolean;
  readonly #operations: ReadonlySet<string>;
  readonly #looksElsewhere: boolean;
  /** The names of programs of handlers, by vector. */
  readonly #handlers: ReadonlyMap<string, string>;
  readonly #enter = new Map<string, MachineCode>();
  #targets: Machine["targets"] | undefined;
  #exits: ReadonlySet<bigint> | undefined;
  #borders: CodeBorders | undefined;
  #opaque: OpaqueCode | undefined;
  #neverWritten: ((address: bigint) => boolean) | undefined;
  #storesAbroad: boolean | undefined;

  /** Throws {@link InputError} when the scenario does not fit the architecture or a strategy cannot do what it asks. */
  constructor(
    @use(ARCHITECTURE) architecture: Architecture,
    @use(INSTRUCTION_SET) instructionSet: InstructionSet,
    @use(FETCH_MODEL) fetch: FetchModel,
    @use(CACHE_MAINTENANCE) cache: CacheMaintenance,
    @use(CPU) cpu: Cpu,
    @use(MEMORY) order: MemoryOrder,
    @useAll(RULES) books: readonly RuleBook[],
    @use(SCENARIO) scenario: Scenario,
  ) {
    if (fetch.granule !== 0 && fetch.stale !== "never") {
      throw new InputError(
        `The fetch model ${fetch.id} has granules, which need \`stale: "never"\`, not "${fetch.stale}".`,
        { code: "conflict" },
      );
    }
    this.instructionSet = instructionSet;
    this.fetch = fetch;
    this.cache = cache;
    this.cpu = cpu;
    this.stores = storesOf(architecture, fetch);
    this.order = order;
    this.#cpus = scenario.cpus;
    this.preempt = scenario.preempt ?? false;
    this.user = scenario.user ?? scenario.patchers.some(({ strategy }) => strategy.user === true);
    const { irq = false, nmi = false, nestedIret } = scenario.interrupts ?? {};
    this.irq = irq !== false;
    this.nmi = nmi !== false;
    this.guardsNmis = nestedIret !== "unguarded";
    if (!this.guardsNmis && (!this.nmi || (cpu.unblocksNmis ?? []).length === 0))
      throw new InputError(
        this.nmi
          ? `No return inside the handler of an NMI lets NMIs in again on ${cpu.id}, so nothing is unguarded there.`
          : "Nothing is unguarded where no NMIs come.",
        { place: "interrupts.nestedIret", code: "impossible" },
      );
    this.#looksElsewhere = books.some((book) => book !== coreRules && book.maps.length + book.predicates.length > 0);
    const own = [...(order.rules ?? []), order.execute, ...order.spontaneous];
    const common = books.flatMap((book) => book.rules).filter(({ id }) => !order.rules?.some((rule) => rule.id === id));
    this.decoder = scenario.decoder ?? "instants";
    const rules = [...common, ...own];
    this.#rules = byId("rule", this.decoder === "packets" ? rules.map(withPackets) : rules);
    this.#maps = byId("map", [...books.flatMap((book) => book.maps), ...(order.maps ?? [])]);
    this.#predicates = byId(
      "predicate",
      books.flatMap((book) => book.predicates),
    );
    // What plugins replaced stands in the place of the architecture's own everywhere.
    const memory = order.barriers === undefined ? architecture.memory : order;
    const parts = { instructionSet, fetch, cache, cpu, ...(memory === undefined ? {} : { memory }) };
    this.layout = layOut(scenario, { ...architecture, ...parts }, fetch, (op) => this.#rules.get(op));
    const programs = [...this.layout.programs.values()];
    this.#handlers = new Map(programs.flatMap(({ name, role }) => (role.is === "handler" ? [[role.of, name]] : [])));
    const code = programs.flatMap((program) => program.code);
    this.nestsNmis = this.nmi && (!this.guardsNmis || code.some(turnsNmisOff));
    this.#operations = new Set(code.flatMap((entry) => (entry.kind === "op" ? [entry.op] : [])));
    for (const program of this.layout.programs.values()) {
      for (const entry of program.code) {
        if (entry.kind === "op" && !this.#rules.has(entry.op)) {
          throw new InputError(
            `Step ${entry.step} uses the operation ${entry.op}, for which no rule is known${didYouMean(entry.op, this.#rules.keys())}`,
            { place: program.name, code: "unknown-name" },
          );
        }
      }
    }
  }

  // ---- what does not change ----

  get cpus(): number {
    this.#countsCpus = true;
    return this.#cpus;
  }

  /** Whether anybody ever asked this machine how many CPUs it has. */
  get countsCpus(): boolean {
    return this.#countsCpus;
  }

  /** The byte of code at an address that no program writes; undefined where nothing is mapped. */
  text(address: bigint): number | undefined {
    return this.layout.text.get(address);
  }

  /** Whether any code is modelled at an address. */
  isMapped(address: bigint): boolean {
    return this.text(address) !== undefined || this.cellOf(address) !== undefined;
  }

  /** Whether control may leave the modelled code for an address: a branch names it as it is written, or the scenario does. */
  isExit(address: bigint): boolean {
    const { code, named } = this.layout;
    this.#exits ??= new Set([
      ...named,
      ...code
        .flatMap((each) => targetsOf(each, this.instructionSet, (from, size) => this.#literal(from, size)))
        // A pointer that nobody set names nothing.
        .filter((target) => target !== 0n),
    ]);
    return this.#exits.has(address);
  }

  /** Where instructions begin in code that is no site. */
  get borders(): CodeBorders {
    this.#borders ??= new CodeBorders(this.layout, this.instructionSet);
    return this.#borders;
  }

  /** The value of bytes of code that nobody writes, little-endian; undefined where somebody does, or none lie there. */
  #literal(address: bigint, size: number): bigint | undefined {
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) {
      const byte = this.cellOf(address + BigInt(i)) === undefined ? this.text(address + BigInt(i)) : undefined;
      if (byte === undefined) return undefined;
      value = 256n * value + BigInt(byte);
    }
    return value;
  }

  /** The address of the cell that an address lies in, if programs write that cell. */
  cellOf(address: bigint): bigint | undefined {
    const base = address - (address % BigInt(this.fetch.unit));
    return this.layout.cells.has(base) ? base : undefined;
  }

  /** The index of the stretch of text that an address lies in; undefined where nobody says anything of it. */
  stretchAt(address: bigint): number | undefined {
    const found = this.layout.lives.stretches.findIndex(({ from, to }) => address >= from && address < to);
    return found < 0 ? undefined : found;
  }

  /** Whether some program may write the byte at an address. */
  isWritten(address: bigint): boolean {
    return this.layout.written.has(address);
  }

  /** The site that an address lies in, with the offset in bytes from its start. */
  siteAt(address: bigint): { readonly site: number; readonly offset: number } | undefined {
    return this.layout.siteOf.get(address);
  }

  /** The instruction that each version of a site has at an offset; versions that have none there are left out. */
  instructionsAt(site: number, offset: number): readonly (SiteInstruction & { readonly version: number })[] {
    return (this.layout.sites[site]?.versions ?? []).flatMap((version, i) => {
      const insn = version.instructions.find((candidate) => candidate.offset === offset);
      return insn === undefined ? [] : [{ ...insn, version: i }];
    });
  }

  /** The versions of a site whose instruction at an offset is these bytes. */
  versionsAt(site: number, offset: number, bytes: Bytes): readonly number[] {
    const hex = toHex(bytes);
    return this.instructionsAt(site, offset)
      .filter((insn) => insn.bytes === hex)
      .map((insn) => insn.version);
  }

  /** The versions of a site that hold these bytes at an offset, whether an instruction of theirs or not. */
  versionsHolding(site: number, offset: number, bytes: Bytes): readonly number[] {
    return (this.layout.sites[site]?.versions ?? []).flatMap((version, i) =>
      bytes.every((byte, at) => version.bytes[offset + at] === byte) ? [i] : [],
    );
  }

  /** Whether these bytes are an instruction by which a patcher holds up whoever comes to an address. */
  isGuard(address: bigint, bytes: string): boolean {
    return this.layout.guards.has(guardKey(address, bytes));
  }

  /** Where a routine may start. */
  entries(routine: string): readonly bigint[] {
    return this.layout.routines.get(routine) ?? [];
  }

  /** Whether a routine runs once and then stops. */
  runsOnce(routine: string): boolean {
    return this.layout.runs.get(routine)?.once === true;
  }

  /** A routine that goes on at its handler ({@link Executor.faults}) after an exception; `resume` is the saved pc. */
  raise(code: MachineCode, handler: bigint, resume: bigint): MachineCode {
    const registers = this.cpu.raise?.(code.registers, resume) ?? code.registers;
    return { ...code, home: false, pc: handler, registers, trapped: null };
  }

  /** Where the machine code of a routine goes on after an exception; undefined where it does not handle any. */
  faults(routine: string): bigint | undefined {
    return this.layout.runs.get(routine)?.faults;
  }

  /** Whether some instruction, as code is laid out or as it is patched, may store elsewhere than on its own stack. */
  get storesAbroad(): boolean {
    this.#storesAbroad ??= storesAbroad(this);
    return this.#storesAbroad;
  }

  /** Whether no run writes the byte of data at an address, one that breaks `old-or-new` and goes on excepted. */
  isNeverWritten(address: bigint): boolean {
    this.#neverWritten ??= neverWritten(this);
    return this.#neverWritten(address);
  }

  /** Where an indirect branch may go as far as nothing is known of it: every address of code that is held anywhere, with its mode (R42). */
  get targets(): readonly { readonly address: bigint; readonly mode: string }[] {
    this.#targets ??= heldAddresses(this, this.initial().memory.data);
    return this.#targets;
  }

  /** The context of a routine when its task starts. */
  begin(routine: string): MachineCode {
    const [entry] = this.entries(routine);
    return this.runsOnce(routine) && entry !== undefined ? this.enter(routine, entry) : this.home(routine);
  }

  /** A context that has run its code once. */
  ended(code: MachineCode): MachineCode {
    return { ...code, pc: HOME, passages: {} };
  }

  /** Whether a context has run its code once. */
  hasEnded(code: MachineCode): boolean {
    return !code.home && code.pc === HOME && this.runsOnce(code.routine);
  }

  /** The context of a routine before its first instruction. */
  home(routine: string): MachineCode {
    return {
      run: "machine",
      routine,
      home: true,
      pc: HOME,
      mode: "",
      registers: {},
      memory: {},
      passages: {},
      trapped: null,
    };
  }

  /** The context of a routine that starts at one of its entries. */
  enter(routine: string, entry: bigint): MachineCode {
    const key = `${routine} ${entry}`;
    let code = this.#enter.get(key);
    if (code === undefined) {
      const given = this.layout.runs.get(routine)?.registers;
      const called = this.instructionSet.enter(HOME, STACK_TOP);
      const { registers, stores } = given === undefined ? called : { registers: given, stores: [] };
      const memory = Object.assign({}, ...stores.map(bytesByAddress)) as MachineCode["memory"];
      const mode = this.layout.modes.get(entry) ?? "";
      code = { run: "machine", routine, home: false, pc: entry, mode, registers, memory, passages: {}, trapped: null };
      this.#enter.set(key, code);
    }
    return code;
  }

  get opaque(): OpaqueCode {
    this.#opaque ??= opaqueCode(this);
    return this.#opaque;
  }

  decode(bytes: Bytes, at: bigint, mode: string): ReturnType<InstructionSet["decode"]> | "opaque" {
    const insn = this.instructionSet.decode(bytes, mode);
    if (typeof insn === "string" || !insn.opaque) return insn;
    const how = passing(this.opaque, at, toHex(bytes.slice(0, insn.length)));
    return how === "passed" ? insn : how;
  }

  /** Disassembles the instruction in these bytes. */
  disassemble(bytes: Bytes, at: bigint, mode = ""): string {
    const insn = this.instructionSet.decode(bytes, mode);
    return typeof insn === "string" ? undecoded[insn as keyof typeof undecoded] : this.instructionSet.format(insn, at);
  }

  // ---- programs ----

  /** Whether any program has a step of this operation. */
  uses(operation: string): boolean {
    return this.#operations.has(operation);
  }

  /**
   * Whether it matters where in code that nobody writes a task is taken off: a grace period may have to wait for it just there, and where
   * a stopper waits, the task cannot go on.
   */
  get holdsGrace(): boolean {
    return this.preempt && this.uses("beginGrace");
  }

  /**
   * Whether anybody but a task itself can tell that it has ended a round: who waits for switches, rules that look at other CPUs in a way of
   * their own, and who finds what code stores.
   */
  get tellsRounds(): boolean {
    const waits = this.uses("beginGrace") || this.uses("queueStop");
    return waits || this.#looksElsewhere || this.storesAbroad;
  }

  roleOf(program: string): ProgramRole {
    return this.#program(program).role;
  }

  handlerOf(vector: string): string | undefined {
    return this.#handlers.get(vector);
  }

  stopperOf(work: string, boot: boolean): string {
    for (const { name, role } of this.layout.programs.values())
      if (role.is === "stopper" && role.work === work && role.boot === boot) return name;
    throw new Error(`No stopper does the work ${work}.`);
  }

  #program(name: string): CompiledProgram {
    const program = this.layout.programs.get(name);
    if (program === undefined) throw new Error(`No program is called ${name}.`);
    return program;
  }

  /** A program before its first step. */
  start(program: string, locals: ProgramCode["locals"], frame: TrapFrame | null): ProgramCode {
    return this.#settle({ run: "program", program, at: 0, locals, frame });
  }

  /** Goes on after the step that the CPU's running program has just done. */
  advance(cpu: CpuState): CpuState {
    const context = running(cpu);
    if (context?.code.run !== "program") throw new Error("Only a program goes on to its next step.");
    const code = this.#settle({ ...context.code, at: context.code.at + 1 });
    return withRunning(cpu, withoutPast({ ...context, code }, this));
  }

  /** Control flow depends on locals alone and takes no step. */
  #settle(code: ProgramCode): ProgramCode {
    const entries = this.#program(code.program).code;
    let at = code.at;
    for (let entry = entries[at]; entry !== undefined && entry.kind !== "op"; entry = entries[at]) {
      at = entry.kind === "jump" ? entry.to : this.#holds(entry.condition, code) ? at + 1 : entry.otherwise;
    }
    return at === code.at ? code : { ...code, at };
  }

  /** Whether a condition on the locals of the running program holds. */
  holds(cpu: CpuState, condition: Condition): boolean {
    const context = running(cpu);
    if (context?.code.run !== "program") throw new Error("Only a program has locals.");
    return this.#holds(condition, context.code);
  }

  #holds(condition: Condition, code: ProgramCode): boolean {
    const a = this.#valueIn(code, condition.a);
    const b = this.#valueIn(code, condition.b);
    if (condition.test === "lt") return this.#number(a, code) < this.#number(b, code);
    return same(a, b) === (condition.test === "eq");
  }

  #number(value: Data, { program }: ProgramCode): number | bigint {
    if (typeof value === "number" || typeof value === "bigint") return value;
    throw new InputError(
      `A condition of ${program} asks whether ${JSON.stringify(value)} is less; only numbers are compared so.`,
      { place: "program", code: "wrong-type" },
    );
  }

  /** The value of a constant or of a local of the running program. Throws {@link InputError} for a local that no step has set. */
  value(cpu: CpuState, value: Value): Data {
    const context = running(cpu);
    if (context?.code.run !== "program") throw new Error("Only a program has locals.");
    return this.#valueIn(context.code, value);
  }

  /** The same where it has to be an address. Throws {@link InputError} for anything else, which the next step cannot do without. */
  address(cpu: CpuState, value: Value): bigint {
    const found = this.value(cpu, value);
    if (typeof found === "bigint") return found;
    const code = running(cpu)?.code;
    const step = code?.run === "program" ? this.next(code)?.step : undefined;
    throw new InputError(
      `The step ${step} needs an address, but there is ${String(found)}; the step that sets it cannot be left out.`,
      { place: "program", code: "undeclared" },
    );
  }

  #valueIn(code: ProgramCode, value: Value): Data {
    if (typeof value !== "object" || value === null || !("local" in value)) return value as Data;
    const name = String(value.local);
    if (Object.hasOwn(code.locals, name)) return code.locals[name];
    const entry = this.#program(code.program).code[code.at];
    const who = entry?.kind === "op" ? `The step ${entry.step}` : "A condition";
    throw new InputError(
      `${who} of ${code.program} looks at ${name}, which no step before it sets; the step that sets it cannot be left out.`,
      { place: "program", code: "undeclared" },
    );
  }

  /** The CPU with a local of its running program set. */
  setLocal(cpu: CpuState, name: string, value: Data): CpuState {
    const context = running(cpu);
    if (context?.code.run !== "program") throw new Error("Only a program has locals.");
    return withRunning(cpu, {
      ...context,
      code: { ...context.code, locals: { ...context.code.locals, [name]: value } },
    });
  }

  /** The next operation of a program, or undefined at its end. */
  next(code: ProgramCode): Operation | undefined {
    const entry = this.#program(code.program).code[code.at];
    if (entry !== undefined && entry.kind !== "op")
      throw new Error("Control flow is settled before a program is looked at.");
    return entry;
  }

  // ---- steps ----

  /** The steps that a CPU in this state could take. They depend on this CPU's part alone. */
  candidates(cpu: CpuState): readonly Candidate[] {
    return candidatesOf(cpu, this);
  }

  /** All rules, maps and predicates. */
  get book(): RuleBook {
    return {
      rules: [...this.#rules.values()],
      maps: [...this.#maps.values()],
      predicates: [...this.#predicates.values()],
    };
  }

  /** The rule of this id. */
  rule(id: string): Rule {
    const rule = this.#rules.get(id);
    if (rule === undefined) throw new Error(`No rule is called ${id}.`);
    return rule;
  }

  /** The map of this id. */
  map(id: string): CpuMap {
    const map = this.#maps.get(id);
    if (map === undefined) throw new Error(`No map over CPUs is called ${id}.`);
    return map;
  }

  /** The predicate of this id. */
  predicate(id: string): CpuPredicate {
    const predicate = this.#predicates.get(id);
    if (predicate === undefined) throw new Error(`No predicate over CPUs is called ${id}.`);
    return predicate;
  }

  /** The parts before any step. */
  initial(): Initial {
    return this.layout.initial(this);
  }
}

/** The machine of the run. */
export const MACHINE = token<Machine>("machine");
