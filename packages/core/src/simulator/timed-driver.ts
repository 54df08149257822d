import type { Data } from "../base/data.js";
import { InputError } from "../base/errors.js";
import { same } from "../base/key.js";
import { random } from "../base/random.js";
import type { EventName } from "../contract/events.js";
import type { CodeEntry, CompiledProgram, Condition, Value } from "../contract/program.js";
import type { Level } from "../contract/state.js";
import type { CostName } from "./cost-model.js";
import { type Task, TimedCpu } from "./timed-cpu.js";
import { type Counts, type TimedHost, WAITS } from "./timed-host.js";
import { Operations } from "./timed-operations.js";
import { TimedPrograms } from "./timed-programs.js";
import { EventQueue, type Posted } from "./timed-queue.js";
import type { TimedCall, TimedEvent, TimedRun, TimedScenario } from "./timed-scenario.js";
import { spreadOf } from "./timed-spread.js";
import { type TimedSite, TimedText } from "./timed-text.js";
import { TimedWords } from "./timed-words.js";

/**
 * An event-driven run of compiled patch programs. Patchers are tasks on CPUs of their own; all other CPUs run code of the sites, as streams:
 * passages, breakpoints among them, come at a rate, and so do stretches with interrupts masked. Nothing steps machine code, so
 * that a kernel's worth of sites takes seconds. What orders the steps of programs, rounds, stops and locks is what the machine's rules say;
 * a test compares the two.
 */
export class TimedDriver implements TimedHost {
  readonly #scenario: TimedScenario;
  readonly #queue = new EventQueue();
  readonly #cpus: readonly TimedCpu[];
  readonly #calls: Iterator<TimedCall>[];
  readonly #begun: number[];
  readonly #latencies: number[] = [];
  readonly #onEvent: ((event: TimedEvent) => void) | undefined;
  readonly #below: (below: number) => number;
  readonly #waiting = new Map<string, Set<number>>();
  readonly #operations: Operations;
  readonly programs: TimedPrograms;
  readonly text: TimedText;
  readonly words: TimedWords;
  readonly counts: Counts = {
    time: 0,
    calls: 0,
    sites: 0,
    batches: 0,
    writes: 0,
    rounds: 0,
    interrupts: 0,
    traps: 0,
    unclaimed: 0,
    stops: 0,
    stopped: 0,
    graces: 0,
    contended: 0,
    lost: 0,
    events: 0,
  };
  now = 0;
  /** Patchers that have finished. */
  readonly #done = new Set<number>();
  /** When the next breakpoint is executed, and how much of its chance is left until then. */
  #trapAt = Number.POSITIVE_INFINITY;
  #chance: number;
  #chanceAt = 0;
  /** A site was finished since the CPUs were last synchronised. */
  #inBatch = false;

  /** `onEvent`: told of all that happens. Throws {@link InputError} where there are more patchers than CPUs. */
  constructor(scenario: TimedScenario, onEvent?: (event: TimedEvent) => void) {
    const { architecture, patchers, cpus, seed } = scenario;
    if (patchers.length > cpus)
      throw new InputError(`${patchers.length} patchers need as many CPUs; there are ${cpus}.`, {
        place: "cpus",
        code: "out-of-range",
      });
    this.#scenario = scenario;
    this.#onEvent = onEvent;
    this.#cpus = Array.from({ length: cpus }, () => new TimedCpu());
    this.programs = new TimedPrograms(architecture, cpus);
    this.text = new TimedText(architecture);
    this.words = new TimedWords(cpus);
    this.#operations = new Operations(this);
    this.#below = random(seed);
    this.#chance = this.#exponential();
    this.#calls = patchers.map(({ calls }) => calls[Symbol.iterator]());
    this.#begun = patchers.map(() => 0);
    patchers.forEach(({ begins = 0 }, i) => {
      this.#queue.add(begins, i, this.#cpus[i]?.turn ?? 0);
    });
  }

  /** All CPUs. */
  get cpus(): number {
    return this.#cpus.length;
  }

  /** The value of a cost parameter. */
  cost(name: CostName): number {
    return this.#scenario.cost.values[name].value;
  }

  /** The CPU of a number. */
  cpu(number: number): TimedCpu {
    return this.#cpus[number] as TimedCpu;
  }

  /** Says what happened. */
  say(cpu: number, what: EventName, detail: string | (() => string) = ""): void {
    this.#onEvent?.({ at: this.now, cpu, what, detail: typeof detail === "string" ? detail : detail() });
  }

  /** Goes on for so many events; whether all calls have returned by then. Throws {@link InputError} where no program can go on. */
  advance(events: number): boolean {
    const end = this.counts.events + events;
    while (!this.#isOver && this.counts.events < end) {
      if (this.#trapAt < this.#queue.next) {
        this.#trap();
        continue;
      }
      const event = this.#queue.take();
      if (event === undefined)
        throw new InputError("No program can go on: the patch calls wait for each other.", { code: "impossible" });
      this.counts.events++;
      const { at, cpu, run } = event;
      if (typeof run !== "number") {
        this.now = at;
        this.#arrive(cpu, run);
      } else if (run === this.cpu(cpu).turn) {
        this.now = at;
        this.#go(cpu);
      }
    }
    return this.#isOver;
  }

  get #isOver(): boolean {
    return this.#done.size === this.#calls.length;
  }

  /** What the run cost so far. */
  get result(): TimedRun {
    const executors = this.#cpus.slice(this.#calls.length);
    const end = this.#isOver ? this.counts.time : this.now;
    const lostOf = ({ lost, pausedAt }: TimedCpu): number => lost + (pausedAt === null ? 0 : this.now - pausedAt);
    const lost = executors.reduce((sum, cpu) => sum + lostOf(cpu), 0);
    return {
      ...this.counts,
      time: end,
      complete: this.#isOver,
      latency: spreadOf(this.#latencies),
      longestPause: spreadOf(executors.map(({ longest }) => longest)),
      lost: end === 0 || executors.length === 0 ? 0 : Math.min(1, lost / (end * executors.length)),
    };
  }

  // ---- what CPUs run ----

  /** A CPU goes on with what it runs. */
  #go(number: number): void {
    const cpu = this.cpu(number);
    for (;;) {
      const task = cpu.top;
      if (task === undefined) {
        if (number >= this.#calls.length || this.#done.has(number) || !this.#nextCall(number)) return;
        continue;
      }
      const entry = task.program.code[task.at];
      const cost = entry === undefined ? this.#end(number, task) : this.#take(number, task, entry);
      if (cost === null) return;
      this.counts.events++;
      const until = this.now + cost;
      if (until < Math.min(this.#queue.next, this.#trapAt)) {
        this.now = until;
        continue;
      }
      this.#schedule(number, cost);
      return;
    }
  }

  /** Schedules what a CPU does next. */
  #schedule(number: number, after: number): void {
    const cpu = this.cpu(number);
    cpu.turn++;
    cpu.until = this.now + after;
    this.#queue.add(cpu.until, number, cpu.turn);
  }

  /** Takes an entry of a program: how long it takes; null while it cannot be taken. */
  #take(number: number, task: Task, entry: CodeEntry): number | null {
    if (entry.kind === "jump") {
      task.at = entry.to;
      return 0;
    }
    if (entry.kind === "branch") {
      task.at = this.#holds(task, entry.condition) ? task.at + 1 : entry.otherwise;
      return 0;
    }
    const cost = this.#operations.perform(number, task, entry);
    if (cost === WAITS) {
      task.left = null;
      return null;
    }
    task.at++;
    return this.#takePosted(number, cost) ? null : cost;
  }

  /** A program has come to its end: the return from it, then what was posted, then what it interrupted. */
  #end(number: number, task: Task): number | null {
    const cpu = this.cpu(number);
    if (!task.returns) {
      task.returns = true;
      return this.#returnOf(task.level);
    }
    cpu.stack.pop();
    cpu.turn++;
    if (task.level === "trap") this.say(number, "return-from-trap");
    if (task.level === "stopper") this.#operations.endStopper(number);
    if (this.#takePosted(number, cpu.top?.left ?? 0)) return null;
    if (task.trap !== null && task.restarts && task.trap.stands !== null) {
      this.#raise(number, task.trap);
      return null;
    }
    cpu.note(this.now);
    const below = cpu.top;
    if (below === undefined) return number < this.#calls.length ? 0 : null;
    if (below.left !== null) this.#schedule(number, below.left);
    return null;
  }

  #returnOf(level: Level): number {
    if (level === "trap") return this.cost("trapReturn");
    if (level === "irq") return this.cost("interruptReturn");
    return level === "stopper" ? this.cost("stopReturn") : 0;
  }

  /** Lays a program over what a CPU runs. */
  #push(number: number, program: CompiledProgram, level: Level, trap: TimedSite | null = null): void {
    const cpu = this.cpu(number);
    const masked = level === "irq" || (level === "trap" && this.#scenario.architecture.cpu.trapsMask);
    cpu.stack.push({
      program,
      level,
      at: 0,
      locals: {},
      masked,
      returns: false,
      left: 0,
      trap,
      restarts: false,
      asked: null,
    });
    cpu.note(this.now);
  }

  // ---- calls ----

  #nextCall(patcher: number): boolean {
    const next = this.#calls[patcher]?.next();
    if (next === undefined || next.done === true) {
      this.#done.add(patcher);
      this.counts.time = this.now;
      return false;
    }
    const call = next.value;
    const { main, planned } = this.programs.begin(patcher, call);
    this.text.add(call.sites, call.mode ?? "", planned.guards ?? []);
    this.words.declare(planned.words ?? {}, planned.cpuWords ?? {});
    this.#push(patcher, main, "task");
    return true;
  }

  /** A call begins, or has returned. */
  call(patcher: number, returned: boolean): void {
    if (!returned) {
      this.#begun[patcher] = this.now;
      return;
    }
    this.counts.calls++;
    this.#latencies.push(this.now - (this.#begun[patcher] ?? 0));
  }

  // ---- interrupts between processors, and stoppers ----

  /** Posts a program to a CPU, which hears of it after some time. */
  post(number: number, posted: Posted, after: number): void {
    this.#queue.add(this.now + after + this.#maskedFor(number), number, posted);
  }

  #arrive(number: number, posted: Posted): void {
    const cpu = this.cpu(number);
    cpu.pending.push(posted);
    this.#takePosted(number, Math.max(0, cpu.until - this.now));
  }

  /** Takes what was posted, if what runs lets it in; `left`: how long the step under way still takes. Whether it did. */
  #takePosted(number: number, left: number): boolean {
    const cpu = this.cpu(number);
    if (cpu.pending.length === 0) return false;
    const levels = cpu.stack.map(({ level }) => level);
    const below = cpu.top;
    const masked = below?.masked === true;
    const accepts = ({ level }: Posted): boolean =>
      level === "irq"
        ? this.#scenario.architecture.cpu.accepts("ipi", levels.length === 0 ? ["task"] : levels, masked)
        : !masked && levels.every((each) => each === "task");
    const next = cpu.pending.findIndex(accepts);
    const posted = cpu.pending[next];
    if (posted === undefined) return false;
    cpu.pending = cpu.pending.filter((_, i) => i !== next);
    // What waits goes on waiting.
    if (below !== undefined && below.left !== null) below.left = left;
    const isIrq = posted.level === "irq";
    if (isIrq) this.counts.interrupts++;
    this.#push(number, posted.program, posted.level);
    this.#schedule(number, isIrq ? this.cost("interruptEntry") : 0);
    this.say(number, isIrq ? "take-ipi" : "take-stopper");
    return true;
  }

  /** How long an executor still has interrupts masked, by chance: the rest of a stretch whose length has no memory. */
  #maskedFor(number: number): number {
    const part = this.cost("maskedPart");
    if (part === 0 || number < this.#calls.length || this.#below(1_000_000) >= part * 1_000_000) return 0;
    return this.#exponential() * this.cost("maskedLength");
  }

  /** All CPUs are being synchronised: the sites that were finished before are a batch. */
  synchronises(): void {
    this.#inBatch = false;
  }

  // ---- what programs wait for ----

  /** A CPU's program waits to be woken. */
  wait(number: number, channel: string): typeof WAITS {
    let waiting = this.#waiting.get(channel);
    if (waiting === undefined) {
      waiting = new Set();
      this.#waiting.set(channel, waiting);
    }
    waiting.add(number);
    return WAITS;
  }

  /** Who waits on a channel looks again, after some time. */
  wake(channel: string, after = 0): void {
    const waiting = this.#waiting.get(channel);
    if (waiting === undefined) return;
    this.#waiting.delete(channel);
    for (const number of waiting) {
      const cpu = this.cpu(number);
      // Whoever waits for something else looks once more, and goes on waiting.
      for (const task of cpu.stack) if (task.left === null) task.left = after;
      if (cpu.top?.left === after) this.#schedule(number, after);
    }
  }

  // ---- text ----

  /** A program stores to code. */
  store(number: number, address: bigint, bytes: string): void {
    this.counts.writes++;
    this.say(number, "store", () => `0x${address.toString(16)} ${bytes}`);
    const stored = this.text.store(address, bytes);
    if (stored === undefined) return;
    if (stored.changed) {
      this.#spend();
      if (stored.site.stands === null) this.#release(stored.site);
    }
    if (!stored.finished) return;
    this.counts.sites++;
    if (!this.#inBatch) this.counts.batches++;
    this.#inBatch = true;
  }

  /** The executors that were held up at a site go on. */
  #release(site: TimedSite): void {
    if (!this.#someHeld) return;
    for (const cpu of this.#cpus) {
      if (cpu.held !== site) continue;
      cpu.held = null;
      cpu.note(this.now);
    }
  }

  #someHeld = false;

  // ---- breakpoints ----

  /** Executors' passages through sites where something stands, in each nanosecond. */
  get #rate(): number {
    const standing = this.text.standing.length;
    if (standing === 0) return 0;
    const all = Math.max(this.#scenario.sites ?? 0, this.text.size);
    const executors = this.#cpus.length - this.#calls.length;
    return ((this.cost("passRate") / 1e9) * executors * standing) / all;
  }

  #spent = 0;

  /** The chance of a breakpoint changes: what of it is spent up to now counts, and the time of the next is another. */
  #spend(): void {
    this.#chance -= (this.now - this.#chanceAt) * this.#spent;
    this.#chanceAt = this.now;
    this.#spent = this.#rate;
    this.#trapAt = this.#spent === 0 ? Number.POSITIVE_INFINITY : this.now + Math.max(0, this.#chance) / this.#spent;
  }

  /** Some executor comes to a site where something stands, if it runs at all just now. */
  #trap(): void {
    this.counts.events++;
    this.now = this.#trapAt;
    const patchers = this.#calls.length;
    const number = patchers + this.#below(this.#cpus.length - patchers);
    const { standing } = this.text;
    const site = standing[this.#below(standing.length)] as TimedSite;
    this.#chance = this.#exponential();
    this.#chanceAt = this.now;
    this.#spend();
    const cpu = this.cpu(number);
    if (cpu.top !== undefined || cpu.held !== null) return;
    if (site.stands !== "guard") {
      this.#raise(number, site);
      return;
    }
    cpu.held = site;
    this.#someHeld = true;
    cpu.note(this.now);
  }

  #raise(number: number, site: TimedSite): void {
    const { stands } = site;
    if (stands === null) return;
    this.counts.traps++;
    const program: CompiledProgram = this.programs.handlerOf(stands) ?? {
      name: "unclaimed",
      role: { is: "handler", of: stands },
      code: [{ kind: "op", step: "unclaimed", op: "unclaimed", args: {} }],
    };
    this.#push(number, program, "trap", site);
    this.#schedule(number, this.cost("trapEntry"));
    this.say(number, "enter-trap", stands);
  }

  #exponential(): number {
    return -Math.log((this.#below(0xffff_ffff) + 1) / 0x1_0000_0000);
  }

  // ---- values ----

  /** The value of a constant or a local. Throws {@link InputError} for what only a step of a plugin's could tell. */
  value(task: Task, value: Value): Data {
    if (typeof value !== "object" || value === null || !("local" in value) || typeof value.local !== "string")
      return value as Data;
    const found = task.locals[value.local];
    if (found === undefined)
      throw new InputError(
        `What ${value.local} is in ${task.program.name} cannot be timed: no operation that the timed simulator knows sets it.`,
        { place: value.local, code: "impossible" },
      );
    return found;
  }

  #holds(task: Task, { test, a, b }: Condition): boolean {
    const [left, right] = [this.value(task, a), this.value(task, b)];
    if (test === "lt") return Number(left) < Number(right);
    return same(left, right) === (test === "eq");
  }
}
