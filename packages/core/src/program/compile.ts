import type { Data } from "../base/data.js";
import { InputError } from "../base/errors.js";
import { toHex } from "../base/hex.js";
import { keyOf } from "../base/key.js";
import type { PlacedCode } from "../contract/layout.js";
import type { ArgumentsOf, CompiledName } from "../contract/operations.js";
import type { CodeEntry, CompiledProgram, CompiledStep, Line, ProgramRole, Step } from "../contract/program.js";
import type { Code } from "../contract/scenario.js";
import type { StopState } from "../contract/state.js";
import type { Stores } from "../contract/store-atomicity.js";
import { piecesOf } from "../memory/pieces.js";

/** Assembles code to lie at an address. */
export type Assemble = (code: Code, address: bigint, mode: string) => PlacedCode;

/** Bytes of the accesses in which code that is mapped is copied. */
const COPIED = 8;

/** Compiles lines into programs; composite steps (IPIs, stop_machine, grace periods) become operations and programs of their own. */
export class Compiler {
  readonly programs = new Map<string, CompiledProgram>();
  readonly #handlers = new Map<string, string>();

  readonly #handlerOf = new Map<string, string>();
  #stops = 0;
  readonly #stores: Stores;
  readonly #assemble: Assemble;
  /** Code that steps map, each once. */
  readonly mapped: PlacedCode[] = [];
  readonly #mappedAs = new Map<string, number>();
  /** Bytes (hex) that steps store as code, each step whole. */
  readonly stored: { readonly address: bigint; readonly bytes: string }[] = [];
  readonly #storedKeys = new Set<string>();

  /** `stores`: which stores become visible at one moment. */
  constructor(stores: Stores, assemble: Assemble) {
    this.#stores = stores;
    this.#assemble = assemble;
  }

  /**
   * Compiles lines under a name; `forever` goes back to the beginning, `claims` says that a trap is handled. `scope` keeps the handlers of
   * two patchers apart.
   */
  add(
    name: string,
    role: ProgramRole,
    scope: string,
    lines: readonly (Line | CompiledStep)[],
    options: { readonly forever?: boolean; readonly claims?: boolean } = {},
  ): string {
    const code: CodeEntry[] = [];
    const claims: number[] = [];
    this.#lines(lines, scope, code, claims);
    // It would end the program: a patch call that never returns, an interrupt that calls nothing.
    if (claims.length > 0 && options.claims !== true)
      throw new InputError(`A step of ${name} claims a trap where none is handled; only the handler of a trap does.`, {
        place: name,
        code: "conflict",
      });
    if (options.forever) code.push({ kind: "jump", to: 0 });
    for (const at of claims) code[at] = { kind: "jump", to: code.length };
    assertLocalsSet(name, code);
    this.programs.set(name, { name, role, code });
    return name;
  }

  /** Compiles the handlers of one vector: each is tried in turn until one claims the trap; `otherwise`, if any, comes after the last. */
  addChain(vector: string, chain: readonly (readonly Line[])[], otherwise?: "unclaimed" | "callPatched"): string {
    const end = otherwise === undefined ? [] : [{ id: otherwise, op: otherwise, args: {} } as const];
    const name = `trap ${vector}`;
    return this.add(name, { is: "handler", of: vector }, name, [...chain.flat(), ...end], {
      claims: otherwise === "unclaimed",
    });
  }

  #lines(lines: readonly (Line | CompiledStep)[], scope: string, code: CodeEntry[], claims: number[]): void {
    for (const line of lines) {
      if ("when" in line) {
        const branch = code.length;
        code.push({ kind: "jump", to: 0 });
        this.#lines(line.lines, scope, code, claims);
        const end = code.length;
        if (line.otherwise !== undefined) code.push({ kind: "jump", to: 0 });
        code[branch] = { kind: "branch", condition: line.when, otherwise: code.length };
        if (line.otherwise === undefined) continue;
        this.#lines(line.otherwise, scope, code, claims);
        code[end] = { kind: "jump", to: code.length };
      } else if ("while" in line) {
        const branch = code.length;
        code.push({ kind: "jump", to: 0 });
        this.#lines(line.repeat, scope, code, claims);
        if (!code.slice(branch).some((entry) => entry.kind === "op"))
          throw new InputError(`The loop ${line.id} repeats no step, so it would never end.`, {
            place: scope,
            code: "conflict",
          });
        code.push({ kind: "jump", to: branch });
        code[branch] = { kind: "branch", condition: line.while, otherwise: code.length };
      } else if (line.op === "claim") {
        claims.push(code.length);
        code.push({ kind: "jump", to: 0 });
      } else {
        this.#step(line, scope, code);
      }
    }
  }

  #step(step: Step | CompiledStep, scope: string, code: CodeEntry[]): void {
    const op = <O extends CompiledName>(name: O, args: ArgumentsOf<O>): void => {
      code.push({ kind: "op", step: step.id, op: name, args } as CodeEntry);
    };
    switch (step.op) {
      case "store":
      case "storeData": {
        const { address, bytes, width } = step.args;
        const stores = this.#stores[step.op === "store" ? "code" : "data"];
        const direct = "direct" in step.args && step.args.direct === true ? ({ direct: true } as const) : {};
        const whole = { address, bytes };
        if (step.op === "store") this.#store(whole);
        const cut = piecesOf(address, bytes, width, stores);
        for (const [at, piece] of cut) op(step.op, { address: at, bytes: piece, ...direct });
        return;
      }
      case "mapCode": {
        const { address, code: written, mode = "", access } = step.args;
        const placed = this.#assemble(written, address, mode);
        const given = access === undefined ? {} : { access };
        op("mapCode", { address, size: placed.bytes.length, holds: this.#map(placed), ...given });
        for (const [at, piece] of piecesOf(address, toHex(placed.bytes), COPIED, this.#stores.code))
          op("store", { address: at, bytes: piece });
        return;
      }
      case "syncCores": {
        const handler = this.#handler(scope, step.id, [{ id: step.id, op: "syncCore", args: {} }]);
        op("sendIpi", { handler, self: true });
        op("waitIpi", { handler });
        return;
      }
      case "sendIpi":
        op("sendIpi", {
          handler: this.#handler(scope, step.id, step.args.handler),
          self: step.args.self === true,
        });
        return;
      case "waitIpi": {
        const handler = this.#handlerOf.get(`${scope} ${step.args.of}`);
        if (handler === undefined) {
          throw new InputError(
            `Step ${step.id} waits for the interrupt of step ${step.args.of}, which no earlier step sends.`,
            { code: "conflict" },
          );
        }
        op("waitIpi", { handler });
        return;
      }
      case "waitGrace":
        op("beginGrace", { ...step.args, waiter: scope });
        op("awaitGrace", { ...step.args, waiter: scope });
        return;
      case "stopMachine": {
        const work = `${scope} stop ${this.#stops++}`;
        const { run, secondaries, everywhere } = step.args;
        this.#stopper(work, true, scope, step.id, run, []);
        this.#stopper(work, false, scope, step.id, everywhere === true ? run : null, secondaries);
        op("queueStop", { work });
        op("awaitStop", { work });
        return;
      }
      default:
        op(step.op, step.args as ArgumentsOf<typeof step.op>);
    }
  }

  /** Notes what a step stores as code; a kernel's worth of sites has more than one would search through each time. */
  #store(whole: { readonly address: bigint; readonly bytes: string }): void {
    const key = `${whole.address} ${whole.bytes}`;
    if (this.#storedKeys.has(key)) return;
    this.#storedKeys.add(key);
    this.stored.push(whole);
  }

  /** The number of code that is mapped; the same code in the same place has one. */
  #map(placed: PlacedCode): number {
    const { address, bytes, mode, starts } = placed;
    const key = `${address} ${toHex(bytes)} ${mode} ${starts.join()}`;
    let number = this.#mappedAs.get(key);
    if (number === undefined) {
      number = this.mapped.length;
      this.mapped.push(placed);
      this.#mappedAs.set(key, number);
    }
    return number;
  }

  /** Handlers of the same lines are one program, so that CPU states after different steps are not told apart by their names. */
  #handler(scope: string, step: string, lines: readonly Line[]): string {
    const acknowledged = lines.some((line) => "op" in line && line.op === "ack")
      ? lines
      : [...lines, { id: step, op: "ack", args: {} } as const];
    const key = `${scope} ${keyOf(acknowledged.map((line) => ({ ...line, id: "" })))}`;
    let name = this.#handlers.get(key);
    if (name === undefined) {
      name = `${scope} ipi ${this.#handlers.size}`;
      this.#handlers.set(key, name);
      this.add(name, { is: "ipi" }, scope, acknowledged);
    }
    this.#handlerOf.set(`${scope} ${step}`, name);
    return name;
  }

  /** multi_cpu_stop: every CPU acknowledges each stage, and the last to do so advances it. */
  #stopper(
    work: string,
    boot: boolean,
    scope: string,
    step: string,
    run: readonly Line[] | null,
    secondaries: readonly Line[],
  ): void {
    const stage = (op: "ackStop" | "awaitStopStage", stage: StopState["stage"]): CompiledStep => ({
      id: step,
      op,
      args: { stage },
    });
    this.add(`${work} ${boot ? "active" : "secondary"}`, { is: "stopper", work, boot }, scope, [
      stage("ackStop", "prepare"),
      stage("ackStop", "disable-irq"),
      ...(run === null ? [] : [stage("awaitStopStage", "run"), ...run]),
      stage("ackStop", "run"),
      stage("awaitStopStage", "exit"),
      ...secondaries,
    ]);
  }
}

/** Throws {@link InputError} where a program looks at a local that no step of it can set: a step that does is left out, or misspelt. */
const assertLocalsSet = (name: string, code: readonly CodeEntry[]): void => {
  const looks = code.flatMap((entry) => {
    if (entry.kind === "jump") return [];
    const locals = localsIn(entry.kind === "op" ? entry.args : [entry.condition.a, entry.condition.b]);
    return locals.length === 0 ? [] : [{ entry, locals }];
  });
  if (looks.length === 0) return;
  const set = new Set<unknown>();
  // Whichever argument of an operation names the local that it sets, it is a string.
  for (const entry of code) if (entry.kind === "op") for (const value of Object.values(entry.args)) set.add(value);
  for (const { entry, locals } of looks) {
    const missing = locals.find((local) => !set.has(local));
    if (missing === undefined) continue;
    const who = entry.kind === "op" ? `The step ${entry.step}` : "A condition";
    throw new InputError(
      `${who} of ${name} looks at ${missing}, which no step sets; a step that others need cannot be left out.`,
      { place: "program", code: "undeclared" },
    );
  }
};

const localsIn = (value: Data): readonly string[] => {
  if (typeof value !== "object" || value === null) return [];
  if ("local" in value && typeof value.local === "string") return [value.local];
  return Object.values(value).flatMap(localsIn);
};
