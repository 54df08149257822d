import type { Data } from "../base/data.js";
import { same } from "../base/key.js";
import type { Operation } from "../contract/program.js";
import type { StopState } from "../contract/state.js";
import type { CostName } from "./cost-model.js";
import type { Task } from "./timed-cpu.js";
import type { TimedHost, WAITS } from "./timed-host.js";
import { entryOf } from "./timed-words.js";

type Work = { stage: StopState["stage"]; acks: number; left: number; since: number };
type Lock = { holder: number | null; readonly queue: number[] };

const after: { readonly [stage in StopState["stage"]]: StopState["stage"] } = {
  prepare: "disable-irq",
  "disable-irq": "run",
  run: "exit",
  exit: "exit",
};

/** What the steps of programs do to words, locks, interrupts and stops, and how long they take. Text, CPUs and time are the driver's. */
export class Operations {
  readonly #driver: TimedHost;
  readonly #locks = new Map<string, Lock>();
  readonly #graces = new Map<string, number>();
  /** Interrupts of each handler that were not acknowledged yet. */
  readonly #unacked = new Map<string, number>();
  #stop: Work | null = null;
  /** When the counter of a stop is free for the next CPU. */
  #counterAt = 0;

  constructor(driver: TimedHost) {
    this.#driver = driver;
  }

  /** Takes a step: how long it takes in nanoseconds. */
  perform(cpu: number, task: Task, operation: Operation): number | typeof WAITS {
    const driver = this.#driver;
    const { words } = driver;
    const cost = (name: CostName): number => driver.cost(name);
    switch (operation.op) {
      case "beginCall":
        driver.say(cpu, "begin-call");
        driver.call(cpu, false);
        return 0;
      case "returnCall":
        driver.say(cpu, "return-call");
        driver.call(cpu, true);
        return 0;
      case "store":
        driver.store(cpu, operation.args.address, wholeStore(task, operation.step, operation.args));
        return cost("textWrite");
      case "storeData":
        driver.say(cpu, "store-data", () => `0x${operation.args.address.toString(16)} ${operation.args.bytes}`);
        return cost("dataWrite");
      case "mapCode":
        driver.say(cpu, "map-code");
        return cost("setMemory");
      case "setMemory":
      case "freeCode":
        driver.say(cpu, operation.op === "setMemory" ? "set-memory" : "free-code");
        return cost("setMemory") + cost("tlbFlush") * driver.cpus;
      case "publishEvent":
        driver.say(cpu, "publish-event");
        return cost("event");
      case "maintain":
        driver.say(cpu, "maintain", operation.args.operation);
        return operation.args.address === undefined ? cost("cacheAll") : cost("cacheLine");
      case "syncCore":
        driver.say(cpu, "sync-core");
        return cost("sync");
      case "fence":
        driver.say(cpu, "fence", operation.args.kind);
        return cost("barrier");
      case "sendIpi":
        return this.#send(cpu, operation.args.handler, operation.args.self);
      case "waitIpi": {
        const { handler } = operation.args;
        if ((this.#unacked.get(handler) ?? 0) > 0) return driver.wait(cpu, handler);
        driver.say(cpu, "wait-ipi");
        return cost("ipiAck") * (driver.cpus - 1);
      }
      case "ack":
        this.#acknowledge(task);
        driver.say(cpu, "ack");
        return 0;
      case "maskIrq":
      case "unmaskIrq":
        task.masked = operation.op === "maskIrq";
        driver.say(cpu, operation.op);
        return cost("step");
      case "queueStop":
        return this.#queueStop(cpu, operation.args.work);
      case "awaitStop":
        if (this.#stop !== null && this.#stop.left > 0) return driver.wait(cpu, "stop");
        this.#stop = null;
        driver.say(cpu, "stopped");
        driver.wake("no stop");
        return cost("mutexWake");
      case "ackStop":
        return this.#ackStop(cpu, task, operation.args.stage);
      case "awaitStopStage":
        if (this.#stop?.stage !== operation.args.stage) return driver.wait(cpu, operation.args.stage);
        driver.say(cpu, "stop-stage", operation.args.stage);
        return cost("step");
      case "beginGrace":
        driver.say(cpu, "begin-grace", operation.args.flavour);
        this.#graces.set(grace(operation.args), driver.now + cost(graceOf(operation.args.flavour)));
        return 0;
      case "awaitGrace": {
        driver.counts.graces++;
        const left = Math.max(0, (this.#graces.get(grace(operation.args)) ?? 0) - driver.now);
        driver.say(cpu, "grace", operation.args.flavour);
        return left;
      }
      case "lock":
        return this.#lock(cpu, task, operation.args.name);
      case "unlock":
        return this.#unlock(cpu, operation.args.name);
      case "enterWindow":
      case "leaveWindow":
        driver.say(cpu, operation.op, operation.args.window);
        return cost("mapWindow");
      case "set":
        words.set(operation.args.word, driver.value(task, operation.args.value));
        driver.say(cpu, "set", operation.args.word);
        driver.wake(operation.args.word);
        return cost("dataWrite");
      case "free":
        driver.say(cpu, "free", operation.args.word);
        return cost("step");
      case "load":
        task.locals[operation.args.into] = words.get(operation.args.word);
        driver.say(cpu, "load", operation.args.word);
        return cost("step");
      case "add": {
        const { word, by, into } = operation.args;
        const value = Number(words.get(word)) + by;
        words.set(word, value);
        if (into !== undefined) task.locals[into] = value;
        driver.say(cpu, "add", word);
        driver.wake(word);
        return cost("dataWrite");
      }
      case "until": {
        const { word, value } = operation.args;
        if (!same(words.get(word), value)) return driver.wait(cpu, word);
        driver.say(cpu, "until", word);
        return cost("step");
      }
      case "setEachCpu":
        words.setEach(operation.args.word, operation.args.value);
        driver.say(cpu, "setEachCpu", operation.args.word);
        driver.wake(operation.args.word);
        return cost("eachCpuWord") * driver.cpus;
      case "addEachCpu":
        words.addEach(operation.args.word, operation.args.by);
        driver.say(cpu, "addEachCpu", operation.args.word);
        driver.wake(operation.args.word);
        return cost("eachCpuWord") * driver.cpus;
      case "untilEachCpu": {
        const { word, value } = operation.args;
        if (!words.isEverywhere(word, value)) return driver.wait(cpu, word);
        driver.say(cpu, "untilEachCpu", word);
        return cost("eachCpuWord") * driver.cpus;
      }
      case "tryGet": {
        const { word, into } = operation.args;
        const count = Number(words.of(cpu, word));
        if (count !== 0) words.setOf(cpu, word, count + 1);
        task.locals[into] = count !== 0;
        driver.say(cpu, "try-get", word);
        return cost("step");
      }
      case "put": {
        const { word } = operation.args;
        words.setOf(cpu, word, Number(words.of(cpu, word)) - 1);
        driver.say(cpu, "put", word);
        driver.wake(word);
        return cost("step");
      }
      case "lookup": {
        const { word, into } = operation.args;
        const { bytes, places } = entryOf(words.get(word), task.trap?.flip.address ?? 0n);
        task.locals[into] = bytes;
        driver.say(cpu, "lookup", word);
        // A binary search, as that of the kernel; a list of one is compared once.
        return cost("trapCompare") * (Math.floor(Math.log2(Math.max(1, places))) + 1);
      }
      case "emulate":
        driver.say(cpu, "emulate");
        return cost("trapEmulate");
      case "restart":
        task.restarts = true;
        driver.say(cpu, "restart");
        return cost("step");
      case "unclaimed":
        driver.counts.unclaimed++;
        driver.say(cpu, "trap-unclaimed");
        return cost("step");
      case "readLock":
      case "readUnlock":
        driver.say(cpu, operation.op === "readLock" ? "read-lock" : "read-unlock", operation.args.flavour);
        return cost("step");
      default:
        return this.#plugins(task, operation);
    }
  }

  /** A step that a strategy brings a rule for: what the rule says it is here; else it takes time. */
  #plugins(task: Task, { op, args }: Operation): number {
    const driver = this.#driver;
    const rule = driver.programs.rule(op);
    const given = args as { readonly word?: unknown; readonly into?: unknown };
    const { local, word } =
      rule?.timed?.(args as Data, {
        trap: task.trap?.flip.address ?? null,
        word: (name) => driver.words.get(name),
        text: (address) => driver.text.byte(address),
        value: (of) => driver.value(task, of),
      }) ?? {};
    if (local !== undefined && typeof given.into === "string") task.locals[given.into] = local;
    if (word !== undefined && typeof given.word === "string") {
      driver.words.set(given.word, word);
      driver.wake(given.word);
    }
    const reaches = rule?.writes.some((part) => part === "everyCpu") === true;
    if (!reaches) return driver.cost("step");
    driver.synchronises();
    return driver.cost("remoteCall") + driver.cost("remoteCallEach") * driver.cpus;
  }

  // ---- interrupts ----

  #send(cpu: number, handler: string, self: boolean): number {
    const driver = this.#driver;
    const others = driver.cpus - 1;
    driver.counts.rounds++;
    driver.synchronises();
    driver.say(cpu, "send-ipi");
    this.#unacked.set(handler, (this.#unacked.get(handler) ?? 0) + others);
    const group = driver.cost("ipiGroup");
    const [command, each] = [driver.cost("ipiSend"), driver.cost("ipiSendEach")];
    const [near, far, size] = [driver.cost("ipiDeliver"), driver.cost("ipiFar"), driver.cost("socketCpus")];
    const socket = Math.floor(cpu / size);
    const program = driver.programs.get(handler);
    let sent = 0;
    for (let other = 0; other < driver.cpus; other++) {
      if (other === cpu) continue;
      const isFar = Math.floor(other / size) !== socket;
      // Those of one group hear of it together, and the groups one after the other.
      const before = command * (Math.floor(sent / group) + 1) + each * (sent + 1);
      driver.post(other, { program, level: "irq" }, before + near + (isFar ? far : 0));
      sent++;
    }
    return command * Math.ceil(others / group) + each * others + (self ? driver.cost("sync") : 0);
  }

  #acknowledge(task: Task): void {
    const handler = task.program.name;
    const left = (this.#unacked.get(handler) ?? 0) - 1;
    this.#unacked.set(handler, left);
    if (left === 0) this.#driver.wake(handler);
  }

  // ---- stop_machine ----

  #queueStop(cpu: number, work: string): number | typeof WAITS {
    const driver = this.#driver;
    if (this.#stop !== null) return driver.wait(cpu, "no stop");
    const { cpus } = driver;
    this.#stop = { stage: "prepare", acks: cpus, left: cpus, since: 0 };
    driver.counts.stops++;
    driver.synchronises();
    driver.say(cpu, "queue-stop");
    const [each, wake] = [driver.cost("stopQueue"), driver.cost("stopWake")];
    // The first online CPU runs the function.
    for (let other = 0; other < cpus; other++)
      driver.post(
        other,
        { program: driver.programs.stopperOf(work, other === 0), level: "stopper" },
        each * (other + 1) + wake,
      );
    return each * cpus;
  }

  #ackStop(cpu: number, task: Task, stage: StopState["stage"]): number | typeof WAITS {
    const driver = this.#driver;
    const stop = this.#stop;
    if (stop === null || stop.stage !== stage) return driver.wait(cpu, stage);
    stop.acks--;
    // CPUs write one counter, each after the other.
    this.#counterAt = Math.max(this.#counterAt, driver.now) + driver.cost("stopAck");
    const cost = this.#counterAt - driver.now;
    if (stage === "disable-irq") task.masked = true;
    driver.say(cpu, "ack-stop", stage);
    if (stop.acks === 0) {
      stop.stage = after[stage];
      stop.acks = driver.cpus;
      if (stop.stage === "run") stop.since = this.#counterAt;
      if (stop.stage === "exit") driver.counts.stopped += this.#counterAt - stop.since;
      driver.wake(stop.stage, cost);
    }
    return cost;
  }

  /** A CPU's stopper has ended. */
  endStopper(cpu: number): void {
    const driver = this.#driver;
    driver.say(cpu, "exit-stopper");
    if (this.#stop === null) return;
    this.#stop.left--;
    if (this.#stop.left === 0) driver.wake("stop");
  }

  // ---- locks ----

  #lock(cpu: number, task: Task, name: string): number | typeof WAITS {
    const driver = this.#driver;
    let lock = this.#locks.get(name);
    if (lock === undefined) {
      lock = { holder: null, queue: [] };
      this.#locks.set(name, lock);
    }
    if (lock.holder !== null && lock.holder !== cpu) {
      if (!lock.queue.includes(cpu)) lock.queue.push(cpu);
      task.asked ??= driver.now;
      return driver.wait(cpu, `lock ${name} ${cpu}`);
    }
    lock.holder = cpu;
    if (task.asked !== null) driver.counts.contended += driver.now - task.asked;
    task.asked = null;
    driver.say(cpu, "lock", name);
    return driver.cost("mutexTake");
  }

  /** Who has waited longest gets the lock. */
  #unlock(cpu: number, name: string): number {
    const driver = this.#driver;
    const lock = this.#locks.get(name);
    driver.say(cpu, "unlock", name);
    if (lock === undefined) return driver.cost("mutexTake");
    const next = lock.queue.shift();
    lock.holder = next ?? null;
    if (next === undefined) return driver.cost("mutexTake");
    driver.wake(`lock ${name} ${next}`, driver.cost("mutexWake"));
    return driver.cost("mutexTake");
  }
}

/** The bytes of all pieces of a store: that they become visible one by one matters to who executes them, not to what they cost. */
const wholeStore = (
  task: Task,
  step: string,
  { address, bytes }: { readonly address: bigint; readonly bytes: string },
): string => {
  const { code } = task.program;
  let whole = bytes;
  for (;;) {
    const next = code[task.at + 1];
    if (next?.kind !== "op" || next.op !== "store" || next.step !== step) return whole;
    if (next.args.address !== address + BigInt(whole.length / 2)) return whole;
    whole += next.args.bytes;
    task.at++;
  }
};

const grace = ({ flavour, waiter }: { readonly flavour: string; readonly waiter: string }): string =>
  `${flavour} ${waiter}`;

const graceOf = (flavour: string): CostName => (flavour.startsWith("rcu-tasks") ? "graceTasks" : "graceRcu");
