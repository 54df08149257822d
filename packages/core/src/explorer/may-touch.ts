import type { Data } from "../base/data.js";
import { same } from "../base/key.js";
import type { Operation } from "../contract/program.js";
import type { Context, CpuState, Posted } from "../contract/state.js";
import type { Machine } from "../machine/machine.js";

/*
 * What a CPU may do to others, and from where on it cannot go on before they act: read off the programs, once for each place in them.
 * What is touched is a set of bits: the shared parts, then the fields of a CPU's part by which others can change it.
 */

/** The memory part. */
const IN_MEMORY = 1;
/** The services part. */
const IN_SERVICES = 2;
/** The parked tasks. */
const IN_PARKED = 4;
/** A CPU's contexts, and whatever else of it has no bit of its own. */
export const IN_STACK = 8;
/** What is posted to a CPU. */
export const IN_PENDING = 16;
/** What a CPU may still fetch. */
const IN_WINDOWS = 32;
/** Per-CPU words. */
const IN_WORDS = 64;
/** A step that waits for something of every CPU: it looks at the parts of others. */
export const WAITS = 128;
/** The bits of a CPU's part. */
export const IN_CPU = IN_STACK | IN_PENDING | IN_WINDOWS | IN_WORDS;
/** Anything. */
export const ANYTHING = 255;

/** The bit of a shared part. */
export const partBit = { cpu: 0, memory: IN_MEMORY, services: IN_SERVICES, parked: IN_PARKED, everyCpu: 0 } as const;

/** The bit of a field of a CPU's part. */
export const fieldBit = (field: keyof CpuState): number =>
  field === "pending"
    ? IN_PENDING
    : field === "stale" || field === "excludes" || field === "behind"
      ? IN_WINDOWS
      : field === "words"
        ? IN_WORDS
        : IN_STACK;

/** What a program may touch of others from a place on, and whether it can get to its end without them. */
type Ahead = { readonly touches: number; readonly ends: boolean };

/** A place in a program, and the steps on the way there that ask every other CPU for one of its own. */
type Place = { readonly program: string; readonly at: number; readonly asked: readonly Operation[] };

/** What CPUs may do to others, by the programs of a machine. */
export class MayTouch {
  readonly #machine: Machine;
  readonly #ahead = new Map<string, Ahead>();
  /** Operations that some step outwaits. */
  readonly #asking: ReadonlySet<string>;
  readonly #machineCode: number;

  constructor(machine: Machine) {
    this.#machine = machine;
    const programs = [...machine.layout.programs.values()];
    this.#asking = new Set(
      programs.flatMap(({ code }) =>
        code.flatMap((entry) => (entry.kind === "op" ? [machine.rule(entry.op).outwaits ?? ""] : [])),
      ),
    );
    // Machine code may run into any trap. What it writes itself is not known beforehand: see `Steps.machineCodeWrites`.
    this.#machineCode = programs
      .filter(({ role }) => role.is === "handler")
      .reduce((touches, { name }) => touches | this.#from(name, 0).touches, 0);
  }

  /** What a CPU may do to others before it cannot go on without them; `blocked`: its running context cannot take its next step. */
  of(cpu: CpuState, blocked: boolean): number {
    let touches = this.#machine.irq || this.#machine.nmi ? this.#machineCode : 0;
    for (const posted of cpu.pending) touches |= this.#posted(posted);
    for (let i = cpu.stack.length - 1; i >= 0 && !blocked; i--) {
      const { code, level } = cpu.stack[i] as Context;
      if (code.run === "machine") {
        touches |= this.#machineCode;
        if (level === "task") break;
      } else {
        const ahead = this.#from(code.program, code.at);
        touches |= ahead.touches;
        if (!ahead.ends) break;
      }
    }
    return touches;
  }

  #posted(posted: Posted): number {
    const programs = this.#postedPrograms(posted);
    return programs.length === 0 ? ANYTHING : programs.reduce((bits, each) => bits | this.#from(each, 0).touches, 0);
  }

  /** The handler of an interrupt between processors, or the programs of the stoppers. */
  #postedPrograms(posted: Posted): readonly string[] {
    const programs = [...this.#machine.layout.programs.values()];
    return programs.flatMap(({ name, role }) =>
      (posted.kind === "ipi" ? name === posted.handler : role.is === "stopper" && role.work === posted.work)
        ? [name]
        : [],
    );
  }

  #from(program: string, at: number): Ahead {
    const key = `${at} ${program}`;
    let ahead = this.#ahead.get(key);
    if (ahead === undefined) {
      ahead = this.#walk({ program, at, asked: [] });
      this.#ahead.set(key, ahead);
    }
    return ahead;
  }

  /** Every way through a program from a place on, up to where each waits for others to act, and through what it posts to others. */
  #walk(start: Place): Ahead {
    const seen = new Set<string>();
    const open = [start];
    let touches = 0;
    let ends = false;
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      const { program, at, asked } = place;
      const code = this.#machine.layout.programs.get(program)?.code ?? [];
      const key = [program, at, ...asked.map((operation) => code.indexOf(operation))].join();
      if (seen.has(key)) continue;
      seen.add(key);
      const entry = code[at];
      if (entry === undefined) {
        ends ||= program === start.program;
      } else if (entry.kind === "jump") {
        open.push({ ...place, at: entry.to });
      } else if (entry.kind === "branch") {
        open.push({ ...place, at: at + 1 }, { ...place, at: entry.otherwise });
      } else {
        const { outwaits } = this.#machine.rule(entry.op);
        if (asked.some(({ op, args }) => op === outwaits && includes(args, entry.args))) continue;
        const bits = this.#touchedBy(entry);
        touches |= bits;
        if ((bits & IN_PENDING) !== 0) {
          const what = this.#machine.rule(entry.op).posts?.(entry.args);
          const posted = what === undefined ? [] : this.#postedPrograms(what);
          if (posted.length === 0) return { touches: ANYTHING, ends: true };
          open.push(...posted.map((name) => ({ program: name, at: 0, asked: [] })));
        }
        const asks = this.#asking.has(entry.op) && !asked.includes(entry);
        open.push({ program, at: at + 1, asked: asks ? [...asked, entry] : asked });
      }
    }
    return { touches, ends };
  }

  #touchedBy({ op }: Operation): number {
    const { runsMachineCode, guard, writes, maps } = this.#machine.rule(op);
    // What machine code does is added where it runs.
    if (runsMachineCode === true) return 0;
    let touches = guard === undefined ? 0 : WAITS;
    for (const part of writes) touches |= partBit[part];
    if (!writes.includes("everyCpu")) return touches;
    if (maps === undefined) return ANYTHING;
    for (const map of maps)
      touches |= this.#machine.map(map).touches?.reduce((bits, field) => bits | fieldBit(field), 0) ?? ANYTHING;
    return touches;
  }
}

const includes = (args: { readonly [name: string]: Data }, others: { readonly [name: string]: Data }): boolean =>
  Object.entries(others).every(([name, value]) => Object.hasOwn(args, name) && same(args[name], value));
