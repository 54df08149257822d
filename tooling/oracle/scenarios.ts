import { arm64, strategies as ofArm64 } from "@cmodx/arm64";
import { armv7, strategies as ofArmv7 } from "@cmodx/armv7";
import {
  type Architecture,
  createSimulation,
  type PatchStrategy,
  parseAddition,
  type Scenario,
  type Simulation,
  synchronisationsOf,
} from "@cmodx/core";
import { strategies as ofRiscv, riscv } from "@cmodx/riscv";
import { strategies as ofX86, x86 } from "@cmodx/x86";
import { Random } from "./random.js";

/** An architecture as scenarios of nobody's choice take it. */
type Choice = {
  readonly create: (options: { readonly fetch?: string }) => Architecture;
  readonly strategies: readonly PatchStrategy[];
  /** Sites beside those that strategies are shown on, `OLD:NEW`; by fetch model where they go with one alone. */
  readonly sites: (fetch: string) => readonly string[];
  /** Code behind a site that ends otherwise than by a return. */
  readonly ends: readonly string[];
};

/** The architectures, by id. */
export const architectures = {
  x86: {
    create: x86,
    strategies: ofX86,
    sites: () => ["nop5:call", "nop5:jmp", "nop2:jmp8", "nop+nop+nop+nop+nop:call", "nop5:nop5", "call:jmp"],
    ends: ["ud2", "int3", "jmp rax"],
  },
  arm64: {
    create: arm64,
    strategies: ofArm64,
    sites: () => ["nop:b", "nop:bl", "b:bl", "nop:mov x0, x1"],
    ends: ["udf #0", "brk #1", "br x16"],
  },
  armv7: {
    create: armv7,
    strategies: ofArmv7,
    sites: (fetch) => (fetch.startsWith("t32") ? ["nop.w:b.w", "nop:b"] : ["nop:b", "nop:bl"]),
    ends: ["bx r3"],
  },
  riscv: {
    create: riscv,
    strategies: ofRiscv,
    sites: () => ["nop:j", "nop:call t0", "c.nop+c.nop:j", "c.nop+c.nop+c.nop+c.nop:call t0"],
    ends: ["c.ebreak", "jr t3"],
  },
} as const satisfies { readonly [id: string]: Choice };

/** The id of an architecture. */
export type ArchitectureId = keyof typeof architectures;

/** A scenario that nobody chose, on its architecture. */
export type RandomScenario = {
  readonly architecture: Architecture;
  readonly scenario: Scenario;
  /** What was drawn, in the words of the command line. */
  readonly words: string;
};

/** A scenario by its seed; undefined where the strategy cannot do what was drawn. Every seed gives the same one again. */
export const randomScenario = (id: ArchitectureId, seed: number): RandomScenario | undefined => {
  const random = new Random(seed);
  const { create, strategies, sites, ends }: Choice = architectures[id];
  const models = create({}).fetchModels.map((model) => model.id);
  const late = (create({}).fetchVariants ?? []).map((variant) => `+${variant.id}`);
  const fetch = `${random.pick(models)}${random.chance(10) && late.length > 0 ? random.pick(late) : ""}`;
  const architecture = create({ fetch });
  const strategy = random.pick(strategies);
  const shown =
    typeof strategy.defaultSite === "string"
      ? strategy.defaultSite
      : (strategy.defaultSite[`${id} ${architecture.fetch.id}`] ?? strategy.defaultSite[id]);
  const text = shown === undefined || random.chance(25) ? random.pick(sites(fetch)) : shown;
  const [old = "", next = ""] = text.split(":");
  const place = random.pick([0, 0, 60, 61, 62, 63, 2 * random.below(32)]);
  const offset = place - (place % architecture.instructionSet.alignment);
  const flips = random.chance(60) ? 1 : 2;
  const mode = id === "armv7" ? fetch.split("+")[0] : undefined;
  const two = random.chance(8);
  const cpus = two || random.chance(15) ? 3 : 2;
  const after = random.chance(6) ? { after: random.pick(ends) } : {};
  const site = (address: bigint) => ({ address, old, new: next, ...(mode === undefined ? {} : { mode }), ...after });
  const at = architecture.base + BigInt(offset);
  const scenario: Scenario = {
    name: `seed ${seed}`,
    sites: two ? [site(at), site(at + 0x40n)] : [site(at)],
    patchers: two
      ? [
          { strategy, sites: [0], flips: 1 },
          { strategy, sites: [random.below(2)], flips: 1 },
        ]
      : [{ strategy, sites: [0], flips }],
    cpus,
    interrupts: { irq: random.chance(12), nmi: random.chance(20) },
    preempt: random.chance(20),
    memory: architecture.memory !== undefined && random.chance(40) ? "architectural" : "sequential",
  };
  const drawn = varied(random, scenario, architecture);
  if (drawn === undefined) return undefined;
  const [patcher] = drawn.patchers;
  const words = [
    `--arch ${id} --fetch ${fetch} --strategy ${strategy.id} --site '${text}' --offset ${offset} --cpus ${cpus}`,
    `--flips ${flips} --memory ${scenario.memory}${two ? " (two patchers)" : ""}`,
    scenario.interrupts?.irq ? "--irq" : "",
    scenario.interrupts?.nmi ? "--nmi" : "",
    scenario.preempt ? "--preempt" : "",
    after.after === undefined ? "" : `(after the site: ${after.after})`,
    (patcher?.drop ?? []).length > 0 ? `--drop ${patcher?.drop?.join()}` : "",
    (patcher?.add ?? []).map(({ line }) => `--add ${line.id}`).join(" "),
    drawn.ignore === undefined ? "" : `--ignore ${drawn.ignore.join()}`,
  ];
  return { architecture, scenario: drawn, words: words.filter((word) => word !== "").join(" ") };
};

/** The scenario with steps left out and put in, or undefined where that or the whole cannot be done. */
const varied = (random: Random, scenario: Scenario, architecture: Architecture): Scenario | undefined => {
  const simulation = createSimulation({ architecture });
  const machine = machineOf(simulation, scenario);
  if (machine === undefined) return undefined;
  const steps = machine.layout.steps[0] ?? [];
  const drop = random.chance(55) ? [...new Set([random.pick(steps), random.pick(steps)])].slice(random.below(2)) : [];
  const kinds = synchronisationsOf(machine);
  const name = `${random.pick(kinds).kind}@${random.chance(20) ? "start" : random.pick(steps)}`;
  const add = random.chance(20) ? [parseAddition(name, machine)] : [];
  const [first, ...others] = scenario.patchers;
  const changed: Scenario = {
    ...scenario,
    patchers: first === undefined ? [] : [{ ...first, drop, add }, ...others],
    ...(random.chance(25) ? { ignore: ["rule" as const] } : {}),
  };
  return machineOf(simulation, changed) === undefined ? undefined : changed;
};

/** The machine of a scenario; undefined where it does not fit together. */
export const machineOf = (simulation: Simulation, scenario: Scenario) => {
  try {
    return simulation.machine(scenario);
  } catch (error) {
    if (error instanceof Error && error.name === "InputError") return undefined;
    throw error;
  }
};
