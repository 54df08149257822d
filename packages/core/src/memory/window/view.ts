import type { Access, Instruction, Outcome, Registers } from "../../contract/instruction-set.js";
import type { CpuState, MachineCode } from "../../contract/state.js";
import type { World } from "../../contract/world.js";
import { accessesOf, onStack, PAGE_FAULT, readOnlyIn } from "../../execution/execute.js";
import { catches } from "../../execution/faults.js";
import { atomicEntry, conditionalEntry } from "./atomics.js";
import { instructionOf, type WindowInstruction } from "./instruction.js";
import type { WindowModel } from "./model.js";
import { codeOn, type SeenEntry, type WindowEntry, windowOfCpu } from "./state.js";

/** The window of a CPU with what is known of its entries; undefined where a guess has turned out wrong. */
export type WindowView = {
  readonly entries: readonly SeenEntry[];
  /** Where the next instruction is fetched from; undefined while that is not known. */
  readonly next: bigint | undefined;
  readonly mode: string;
  /** Registers that are not known behind the last entry, and those whose values rest on a guess. */
  readonly registers: Registers;
  readonly unknown: ReadonlySet<string>;
};

/** R27: whether an entry holds back all fetches behind it until it has taken place. */
export const synchronizes = (seen: SeenEntry): boolean =>
  seen.outcome?.do === "trap" || seen.is.order?.is === "synchronise";

const views = new WeakMap<CpuState, WindowView | null>();

/** Looks at the window of a CPU that runs machine code. */
export const viewOf = (cpu: CpuState, model: WindowModel, machine: World): WindowView | undefined => {
  let view = views.get(cpu);
  if (view === undefined) {
    view = look(cpu, model, machine) ?? null;
    views.set(cpu, view);
  }
  return view ?? undefined;
};

const NO_ACCESS: readonly Access[] = [];

/** The registers of a context at one place in its window, and the instruction before it. */
type Step = {
  readonly seen: SeenEntry | undefined;
  readonly next: bigint | undefined;
  readonly mode: string;
  readonly registers: { [name: string]: bigint };
  readonly unknown: Set<string>;
  readonly soft: Set<string>;
  /** By what was fetched next; null where that turned out wrong. */
  readonly behind: WeakMap<WindowEntry, Step | null>;
};

/** Windows grow at their end: what is known of their beginning is looked at once. */
const begun = new WeakMap<MachineCode, Step>();

const beginning = (code: MachineCode): Step => {
  const { pc, mode, registers } = code;
  const first: Step = {
    seen: undefined,
    next: pc,
    mode,
    registers: { ...registers },
    unknown: new Set(),
    soft: new Set(),
    behind: new WeakMap(),
  };
  begun.set(code, first);
  return first;
};

const look = (cpu: CpuState, model: WindowModel, machine: World): WindowView | undefined => {
  const code = codeOn(cpu);
  let last = begun.get(code) ?? beginning(code);
  const entries: SeenEntry[] = [];
  for (const entry of windowOfCpu(cpu).entries) {
    const before: Step = last;
    let step = before.behind.get(entry);
    if (step === undefined) {
      step = lookOn(entry, before, entries, code, model, machine) ?? null;
      before.behind.set(entry, step);
    }
    if (step === null) return undefined;
    entries.push(step.seen as SeenEntry);
    last = step;
  }
  const { next, mode, registers, unknown } = last;
  return { entries, next, mode, registers, unknown };
};

/** Looks at one more entry; undefined where a guess has turned out wrong. */
const lookOn = (
  entry: WindowEntry,
  before: Step,
  seen: readonly SeenEntry[],
  code: MachineCode,
  model: WindowModel,
  machine: World,
): Step | undefined => {
  const registers = { ...before.registers };
  const unknown = new Set(before.unknown);
  const soft = new Set(before.soft);
  const found = lookAt(instructionOf(entry.at, entry.bytes, entry.mode ?? "", model, machine));
  if (found === undefined) return undefined;
  write(found);
  return { seen: found, next: found.next, mode: found.mode, registers, unknown, soft, behind: new WeakMap() };

  /** Where the code itself goes on after an exception. */
  function handlerOf({ vector }: { readonly vector: string }): bigint | undefined {
    return catches(code.routine, vector, machine) ? machine.faults(code.routine) : undefined;
  }

  function lookAt(is: WindowInstruction): SeenEntry | undefined {
    let known = true;
    let firm = true;
    let addressKnown = true;
    let addressFirm = true;
    let decided = true;
    const picks = is.alternatives !== "indirect" && is.alternatives.length > 0 && !is.branches;
    const chosen = picks && is.inputs.every(({ register, role }) => role !== "branch" || !unknown.has(register));
    for (const { register, role } of chosen ? model.selected(is.insn as Instruction, registers) : is.inputs) {
      const isUnknown = unknown.has(register);
      const isSoft = isUnknown || soft.has(register);
      if (isUnknown) known = false;
      if (isSoft) firm = false;
      if (role === "address") {
        if (isUnknown) addressKnown = false;
        if (isSoft) addressFirm = false;
      }
      if (role === "branch" && isUnknown) decided = false;
    }
    const performed = entry.done === true || entry.loaded !== undefined;
    const begun = performed || entry.stored !== undefined;
    const common = { entry, is, addressFirm, stores: NO_ACCESS, begun, performed };
    if (is.kind === "trap" || entry.fault !== undefined) {
      const trap = entry.fault === undefined ? is.trap : { vector: entry.fault, resume: entry.at };
      return {
        ...common,
        outcome: { do: "trap", ...(trap as NonNullable<typeof trap>) },
        accesses: NO_ACCESS,
        access: undefined,
        dataKnown: true,
        storeFirm: firm,
        firm,
        own: false,
        next: entry.done === true ? handlerOf(trap as NonNullable<typeof trap>) : undefined,
        mode: entry.mode ?? "",
        undecided: false,
      };
    }
    const insn = is.insn as Instruction;
    let forbidden: bigint | undefined;
    // What stores to read-only text raises an exception instead.
    const run = (given: Registers, loaded?: readonly bigint[]): Outcome => {
      const to = machine.instructionSet.execute(insn, entry.at, given, loaded);
      const stores = is.kind === "atomic" && to.do === "load" ? to.from : to.do === "retire" ? (to.stores ?? []) : [];
      const readOnly = readOnlyIn(stores, undefined, machine);
      if (readOnly === undefined) return to;
      forbidden = readOnly;
      return { do: "trap", vector: PAGE_FAULT, resume: entry.at };
    };
    // A way that was guessed gives the registers that decide it.
    const guessed = decided ? undefined : guessOf(entry, is, model);
    const given: Registers = guessed === undefined ? registers : { ...registers, ...guessed };
    let outcome: SeenEntry["outcome"];
    let accesses: readonly Access[] | undefined = NO_ACCESS;
    let access: SeenEntry["access"];
    const usable = known || (guessed !== undefined && onlyBranchInputsMissing(is, unknown));
    const placed = addressKnown && (known || !is.conditional);
    if (is.exclusive === "store" || is.kind === "atomic") {
      const look = { common, registers, unknown, soft, known, firm, addressKnown, run, handlerOf };
      if (is.exclusive === "store") {
        const found = conditionalEntry(look);
        return forbidden === undefined ? found : { ...found, forbidden };
      }
      const first = placed ? run(given) : undefined;
      if (first === undefined || first.do === "load") return atomicEntry(look, first?.from, restsOnStore(common, seen));
      if (usable) outcome = first;
    } else if (is.kind === "read") {
      const first = placed ? run(given) : undefined;
      if (first === undefined || first.do === "load") {
        access = is.kind;
        accesses = first?.from;
        if (entry.loaded !== undefined && first !== undefined) {
          const then = run(given, entry.loaded);
          if (then.do !== "load") outcome = then;
        }
      } else if (usable) outcome = first;
    } else if (is.kind === "write") {
      const first = placed ? run(given) : undefined;
      if (first?.do !== "trap") accesses = first?.do === "retire" ? (first.stores ?? NO_ACCESS) : undefined;
      if (accesses === undefined || accesses.length > 0) access = "write";
      if (usable && first !== undefined && first.do !== "load") outcome = first;
    } else if (is.order?.is === "clean" || is.order?.is === "invalidate") {
      access = is.order.is;
      const first = addressKnown ? run(given) : undefined;
      accesses =
        first?.do !== "operate"
          ? undefined
          : first.address === undefined
            ? NO_ACCESS
            : [{ address: first.address, size: 1, tags: NO_TAGS }];
      if (usable && first !== undefined && first.do !== "load") outcome = first;
    } else if (usable) {
      const first = run(given);
      if (first.do !== "load") outcome = first;
    }
    let to: bigint | undefined = is.behind;
    let mode = entry.mode ?? "";
    let undecided = false;
    if (outcome?.do === "trap") {
      to = entry.done === true ? handlerOf(outcome) : undefined;
    } else if (is.branches) {
      undecided = !firm || outcome === undefined;
      const guess = entry.turns ?? mode;
      if (outcome !== undefined && known) {
        to = outcome.next;
        mode = (outcome.do === "retire" ? outcome.mode : undefined) ?? mode;
        if (entry.next !== undefined && (entry.next !== to || guess !== mode)) return undefined;
      } else {
        to = entry.next;
        mode = guess;
      }
    } else if (entry.way !== undefined && decided && is.alternatives !== "indirect") {
      // The way that was guessed has to be the one that was decided.
      const guessed = run({ ...registers, ...is.alternatives[entry.way] });
      if (outcome === undefined || !sameRegisters(outcome, guessed)) return undefined;
    }
    const own = accesses !== undefined && accesses.length > 0 && accesses.every(({ address }) => onStack(address));
    if (is.kind === "write" && accesses !== undefined && !own)
      accesses = accesses
        .flatMap((each) => accessesOf(each, machine))
        .filter(({ address }) => entry.stored?.includes(address) !== true);
    // Written out, since most of the time of a search goes by here.
    const found: SeenEntry = {
      entry,
      is,
      addressFirm,
      begun,
      performed,
      own,
      outcome,
      accesses,
      access: own ? undefined : access,
      stores: is.kind === "write" ? (accesses ?? NO_ACCESS) : NO_ACCESS,
      dataKnown: usable,
      storeFirm: firm && known,
      firm: firm && known,
      next: to,
      mode,
      undecided,
    };
    return forbidden === undefined ? found : { ...found, forbidden };
  }

  function write(found: SeenEntry): void {
    const { is, outcome, result } = found;
    if (result !== undefined) {
      for (const register of is.outputs) {
        unknown.delete(register);
        if (result.firm) soft.delete(register);
        else soft.add(register);
      }
      Object.assign(registers, result.registers);
      return;
    }
    if (outcome === undefined) {
      for (const register of is.outputs) {
        unknown.add(register);
        soft.delete(register);
        registers[register] = 0n;
      }
      return;
    }
    const rests = !found.firm || restsOnStore(found, seen);
    if (outcome.do === "trap") {
      if (found.entry.done === true) Object.assign(registers, machine.cpu.raise?.(registers, outcome.resume));
      return;
    }
    for (const register of is.outputs) {
      unknown.delete(register);
      if (rests) soft.add(register);
      else soft.delete(register);
    }
    Object.assign(registers, outcome.registers);
  }
};

const NO_TAGS: readonly string[] = [];

/** The registers that a guess gives to what decides an instruction. */
const guessOf = (entry: WindowEntry, is: WindowInstruction, model: WindowModel): Registers | undefined => {
  if (is.alternatives !== "indirect") return entry.way === undefined ? undefined : is.alternatives[entry.way];
  const { next } = entry;
  if (next === undefined) return undefined;
  const value = model.pointer?.(next, entry.turns ?? entry.mode ?? "") ?? next;
  return Object.fromEntries(is.inputs.flatMap(({ register, role }) => (role === "branch" ? [[register, value]] : [])));
};

const onlyBranchInputsMissing = (is: WindowInstruction, unknown: ReadonlySet<string>): boolean =>
  is.inputs.every(({ register, role }) => role === "branch" || !unknown.has(register));

const sameRegisters = (a: Outcome, b: Outcome): boolean =>
  a.do === "retire" &&
  b.do === "retire" &&
  Object.keys({ ...a.registers, ...b.registers }).every((name) => a.registers[name] === b.registers[name]);

/** A load that was forwarded from stores rests on what their values rest on. */
const restsOnStore = ({ entry }: Pick<SeenEntry, "entry">, seen: readonly SeenEntry[]): boolean =>
  entry.from?.some((before) => before > 0 && seen[seen.length - before]?.storeFirm === false) === true;
