import { InputError } from "../base/errors.js";
import { keyOf } from "../base/key.js";
import type { Architecture } from "../contract/architecture.js";
import type { CompiledProgram, CompiledStep, Line, PatchProgram } from "../contract/program.js";
import type { Rule } from "../contract/rule.js";
import { isImpossible } from "../contract/strategy.js";
import { placeAt } from "../machine/sites.js";
import { storesOf } from "../memory/pieces.js";
import { Compiler } from "../program/compile.js";
import { plannedSchema } from "../schema/program.js";
import { assertFits } from "../schema/schema.js";
import type { TimedCall } from "./timed-scenario.js";

/** A call that was planned and compiled. */
type Begun = { readonly main: CompiledProgram; readonly planned: PatchProgram };

/** The compiled programs of the calls that are under way, by the machine's compiler, and of the handlers of all. */
export class TimedPrograms {
  readonly #programs = new Map<string, CompiledProgram>();
  readonly #chains = new Map<string, CompiledProgram>();
  readonly #handlers = new Map<string, Map<number, readonly Line[]>>();
  readonly #rules = new Map<string, Rule>();
  readonly #looked = new Set<string>();
  readonly #architecture: Architecture;
  readonly #cpus: number;

  constructor(architecture: Architecture, cpus: number) {
    this.#architecture = architecture;
    this.#cpus = cpus;
  }

  /** A program by its name. Throws where there is none. */
  get(name: string): CompiledProgram {
    const program = this.#programs.get(name);
    if (program === undefined) throw new Error(`There is no program ${name}.`);
    return program;
  }

  /** The handlers of a trap vector; undefined where there are none. */
  handlerOf(vector: string): CompiledProgram | undefined {
    return this.#chains.get(vector);
  }

  /** What a CPU's stopper does in a stop_machine; `boot`: that of the first online CPU. */
  stopperOf(work: string, boot: boolean): CompiledProgram {
    return this.get(stopper(work, boot));
  }

  #keep(program: CompiledProgram): void {
    const { name, role } = program;
    if (role.is === "handler") this.#chains.set(role.of, program);
    else this.#programs.set(role.is === "stopper" ? stopper(role.work, role.boot) : name, program);
  }

  /** The rule that a strategy brings for an operation. */
  rule(operation: string): Rule | undefined {
    return this.#rules.get(operation);
  }

  /** Plans and compiles a call. Throws {@link InputError} where the strategy cannot do it. */
  begin(patcher: number, call: TimedCall): Begun {
    const { strategy, sites, mode = "" } = call;
    const architecture = this.#architecture;
    if (strategy.architectures !== "any" && !strategy.architectures.includes(architecture.id))
      throw new InputError(
        `The strategy ${strategy.id} is for ${strategy.architectures.join(", ")}, not for ${architecture.id}.`,
        { place: "strategy", code: "conflict" },
      );
    if (sites.length === 0)
      throw new InputError("There is no site to patch.", { place: "sites", code: "missing-field" });
    const context = {
      instructionSet: architecture.instructionSet,
      mode,
      cpus: this.#cpus,
      reports: architecture.fetch.reports,
    };
    if (!this.#looked.has(strategy.id)) {
      // The form of what it plans is looked at once; that of a kernel's worth of sites is the same over and over.
      const form = strategy.plan({ sites: sites.slice(0, 1) }, context);
      assertFits(plannedSchema, form, "program", { words: `The strategy ${strategy.id}` });
      this.#looked.add(strategy.id);
      for (const rule of strategy.rules ?? []) this.#rules.set(rule.id, rule);
    }
    const planned = strategy.plan({ sites }, context);
    if (isImpossible(planned))
      throw new InputError(`The strategy ${strategy.id} cannot do this: ${planned.impossible}`, {
        place: "site",
        code: "impossible",
      });
    const compiler = new Compiler(storesOf(architecture, architecture.fetch), (code, address, into) =>
      placeAt(code, address, into, address, architecture),
    );
    const name = `patcher ${patcher}`;
    const indices: readonly number[] = [];
    const bound = (op: "beginCall" | "returnCall"): CompiledStep => ({ id: op, op, args: { sites: indices, to: 1 } });
    compiler.add(name, { is: "patcher", patcher }, name, [
      bound("beginCall"),
      ...(planned.main as readonly Line[]),
      bound("returnCall"),
    ]);
    for (const [vector, lines] of Object.entries(planned.traps ?? {})) this.#handle(patcher, vector, lines, compiler);
    for (const program of compiler.programs.values()) this.#keep(program);
    return { main: this.#programs.get(name) as CompiledProgram, planned };
  }

  /** The handlers of a vector are those of each patcher's last call, tried in turn. */
  #handle(patcher: number, vector: string, lines: readonly Line[], compiler: Compiler): void {
    if (entered.has(vector)) return;
    const known = this.#handlers.get(vector) ?? new Map<number, readonly Line[]>();
    this.#handlers.set(vector, known.set(patcher, lines));
    const chain = new Map([...known.values()].map((each) => [keyOf(each), each]));
    compiler.addChain(vector, [...chain.values()], "unclaimed");
  }
}

const stopper = (work: string, boot: boolean): string => `${boot ? "boot" : "other"} ${work}`;

/** Handlers of what no instruction raises. */
const entered: ReadonlySet<string> = new Set(["irq", "nmi", "switch"]);
