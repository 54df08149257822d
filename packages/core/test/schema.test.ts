import { describe, expect, it } from "vitest";
import {
  claim,
  createSimulation,
  InputError,
  type Scenario,
  sendIpi,
  set,
  stopMachine,
  store,
  waitSrcu,
} from "../src/index.js";
import { coreRules } from "../src/machine/rules.js";
import { operations } from "../src/schema/program.js";
import { toy } from "./toy/architecture.js";
import { AT, scenario, strategy } from "./toy/scenario.js";

const { machine, check, simulate, outcomes, repairs } = createSimulation({ architecture: toy() });
const base = scenario(strategy(() => []));

/** What is thrown about a scenario that a program without types may ask for. */
const thrownBy = (run: () => unknown): InputError => {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return error as InputError;
  }
  throw new Error("Nothing was refused.");
};

const asked = (more: object): InputError => thrownBy(() => machine({ ...base, ...more } as unknown as Scenario));

describe("a scenario is understood or refused, with the path of the field and the nearest name", () => {
  const patcher = base.patchers[0];
  const at = base.sites[0];
  it.each<[string, object, string, string]>([
    [
      "an interrupt in capitals",
      { interrupts: { NMI: true } },
      "scenario.interrupts.NMI is no field of interrupts; did you mean nmi?",
      "unknown-field",
    ],
    [
      "a misspelt field",
      { preemt: true },
      "scenario.preemt is no field of a scenario; did you mean preempt?",
      "unknown-field",
    ],
    [
      "a misspelt property to ignore",
      { ignore: ["don"] },
      'scenario.ignore[0] cannot be "don"; did you mean done',
      "unknown-name",
    ],
    [
      "a misspelt property to judge",
      { properties: ["old-or-nwe"] },
      'scenario.properties[0] cannot be "old-or-nwe"; did you mean old-or-new?',
      "unknown-name",
    ],
    [
      "an unknown memory order",
      { memory: "tso" },
      'scenario.memory cannot be "tso"; there are sequential, architectural.',
      "unknown-name",
    ],
    [
      "a field that every object has",
      JSON.parse('{ "__proto__": 1 }') as object,
      "scenario.__proto__ is no field",
      "unknown-field",
    ],
    ["another one", { constructor: 1 }, "scenario.constructor is no field of a scenario", "unknown-field"],
    [
      "no number of CPUs",
      { cpus: undefined },
      "scenario.cpus has to be a whole number from 1 to 1024, not undefined.",
      "wrong-type",
    ],
    [
      "a number as text",
      { cpus: "2" },
      'scenario.cpus has to be a whole number from 1 to 1024, not "2".',
      "wrong-type",
    ],
    [
      "too many CPUs",
      { cpus: 1025 },
      "scenario.cpus has to be a whole number from 1 to 1024, not 1025.",
      "out-of-range",
    ],
    [
      "a number where a bigint is expected",
      { sites: [{ ...at, address: 0x1010 }] },
      "scenario.sites[0].address has to be an address as a bigint, such as 0xffffffff81000000n, not the number 4112: write 0x1010n.",
      "wrong-type",
    ],
    [
      "an address below 0",
      { sites: [{ ...at, address: -1n }] },
      "scenario.sites[0].address has to be an address as a bigint, such as 0xffffffff81000000n from 0 to 2^64 - 1, not -1n.",
      "out-of-range",
    ],
    [
      "a strategy that was not called",
      { patchers: [{ ...patcher, strategy: function int3() {} }] },
      "scenario.patchers[0].strategy has to be a strategy, not a function: call it, as in int3().",
      "wrong-type",
    ],
    [
      "a promise that nobody knows",
      { patchers: [{ ...patcher, strategy: strategy(() => [], { promises: ["dome"] as never }) }] },
      'scenario.patchers[0].strategy.promises[0] cannot be "dome"; did you mean done',
      "unknown-name",
    ],
    [
      "a step that is added without a place",
      { patchers: [{ ...patcher, add: [{ line: { id: "x", op: "ack", args: {} } }] }] },
      "scenario.patchers[0].add[0].after is missing from an added line.",
      "missing-field",
    ],
    [
      "text where bytes are expected",
      { data: [{ address: AT, bytes: "0f0b" }] },
      'scenario.data[0].bytes has to be a list of bytes, such as [0x0f, 0x0b], not "0f0b".',
      "wrong-type",
    ],
    [
      "what is no byte",
      { sites: [{ ...at, old: [0x100] }] },
      "scenario.sites[0].old[0] has to be a byte from 0 to 255, not 256.",
      "out-of-range",
    ],
    [
      "neither text nor bytes",
      { blocks: [{ address: AT, code: 5 }] },
      "scenario.blocks[0].code has to be assembler text or a list of bytes, not 5.",
      "wrong-type",
    ],
    ["a list for an object", { interrupts: [] }, "scenario.interrupts has to be interrupts, not a list.", "wrong-type"],
    [
      "a list for an object of names",
      { executors: [{ registers: [] }] },
      "scenario.executors[0].registers has to be an object of values of registers by name, not a list.",
      "wrong-type",
    ],
    [
      "a register that every object has",
      { executors: [{ registers: { constructor: 1n } }] },
      "scenario.executors[0].registers has constructor, a name that cannot be used here.",
      "wrong-type",
    ],
    [
      "a field that is inherited",
      { interrupts: Object.create({ irq: true }) },
      "scenario.interrupts has irq inherited or hidden, where it would be overlooked.",
      "wrong-type",
    ],
    [
      "a field that is hidden",
      { interrupts: Object.defineProperty({}, "nmi", { value: true }) },
      "scenario.interrupts has nmi inherited or hidden, where it would be overlooked.",
      "wrong-type",
    ],
    [
      "a map for an object of names",
      { executors: [{ registers: new Map([["acc", 1n]]) }] },
      "scenario.executors[0].registers has to be an object of values of registers by name, not an object of the class Map.",
      "wrong-type",
    ],
    [
      "a function for data",
      { interrupts: { irq: { words: { w: () => 1 } } } },
      "scenario.interrupts.irq.words.w has to be plain data, not a function.",
      "wrong-type",
    ],
    [
      "a judge under the id of one of core's properties",
      { judges: [{ id: "done", breaksWhen: "x", judge: () => undefined }] },
      "scenario.judges[0].id is done, which is one of core's own.",
      "wrong-type",
    ],
    [
      "a judge under no id",
      { judges: [{ id: "a,b", breaksWhen: "x", judge: () => undefined }] },
      'scenario.judges[0].id has to be lower-case words joined by -, not "a,b".',
      "wrong-type",
    ],
    [
      "a judge that follows from nothing",
      { judges: [{ id: "own", breaksWhen: "x", consequenceOf: ["don"], judge: () => undefined }] },
      'scenario.judges[0].consequenceOf[0] cannot be "don"; did you mean done',
      "unknown-name",
    ],
    ["no scenario at all", { patchers: [null] }, "scenario.patchers[0] has to be a patcher, not null.", "wrong-type"],
  ])("%s", (_, more, message, code) => {
    const { message: found, code: kind, place } = asked(more);
    expect(found.startsWith(message), `${found}\n${message}`).toBe(true);
    expect(kind).toBe(code);
    expect(found.startsWith(`${place} `)).toBe(true);
  });

  it("one of another name is said where a field is missing", () => {
    const { cpus, ...rest } = base;
    expect(thrownBy(() => machine({ ...rest, cpu: cpus } as unknown as Scenario)).message).toBe(
      "scenario.cpus is missing from a scenario, which has no cpu.",
    );
  });

  it("what is undefined is not there", () =>
    expect(machine({ ...base, preempt: undefined } as never).preempt).toBe(false));

  it("a domain of SRCU has a name", () =>
    expect(thrownBy(() => waitSrcu("it", undefined as never)).message).toBe(
      "A read-side section is one of rcu, rcu-tasks, rcu-tasks-trace or srcu:NAME, not srcu:.",
    ));

  it("the options of every call are understood too", async () => {
    await expect(check(base, { bound: { states: 1 } } as never)).rejects.toThrow(
      "options.bound is no field of options of a check; did you mean bounds or beyond?",
    );
    await expect(check(base, { bounds: { states: 0 } })).rejects.toThrow(
      "options.bounds.states has to be a number from 1 on, not 0.",
    );
    await expect(check(base, { reduce: { symetry: true } } as never)).rejects.toThrow(
      "options.reduce.symetry is no field of reductions; did you mean symmetry?",
    );
    await expect(outcomes(base, { beyond: 1 } as never)).rejects.toThrow("options.beyond is no field");
    await expect(repairs(base, { every: true } as never)).rejects.toThrow("options.every is no field");
    expect(() => simulate(base, { flips: 0 })).toThrow("options.flips has to be a whole number from 1 on, not 0.");
  });
});

describe("what a scenario says of its code fits together", () => {
  const at = base.sites[0];
  const words = createSimulation({
    architecture: {
      ...toy(),
      instructionSet: { ...toy().instructionSet, registers: ["acc", "sp"], modes: ["wide"], vectors: ["brk", "ud"] },
    },
  }).machine;
  const refused = (more: object): InputError => thrownBy(() => words({ ...base, ...more } as unknown as Scenario));

  it.each<[string, object, string, string]>([
    [
      "blocks in each other",
      {
        blocks: [
          { address: 0x2000n, code: "nop+nop+ret" },
          { address: 0x2002n, code: "nop" },
        ],
      },
      "scenario.blocks[1] overlaps scenario.blocks[0] at 0x2002 and says something else of it.",
      "overlap",
    ],
    [
      "a block over a site",
      { blocks: [{ address: AT - 1n, code: "nop+ret" }] },
      `scenario.blocks[0] overlaps scenario.sites[0] at 0x${AT.toString(16)} and says something else of it.`,
      "overlap",
    ],
    [
      "a block over what is said to follow a site",
      { sites: [{ ...at, after: "nop+ret" }], blocks: [{ address: AT + 4n, code: "nop" }] },
      "scenario.blocks[0] overlaps scenario.sites[0].after at 0x1014 and says something else of it.",
      "overlap",
    ],
    [
      "a start inside every version's instruction",
      { executors: [{ entries: [AT, AT + 1n] }] },
      "scenario.executors[0].entries[1] is 0x1011, byte 1 of scenario.sites[0], where no version of it has the start of an instruction.",
      "no-code",
    ],
    [
      "data in other data",
      {
        data: [
          { address: 0x3000n, bytes: [1, 2] },
          { address: 0x3001n, bytes: [3] },
        ],
      },
      "scenario.data[1] overlaps scenario.data[0] at 0x3001 and says something else of it.",
      "overlap",
    ],
    [
      "a mode that there is not",
      { sites: [{ ...at, mode: "wyde" }] },
      "scenario.sites[0].mode names the mode wyde, which toy does not have; did you mean wide?",
      "unknown-name",
    ],
    [
      "a register that there is not",
      { executors: [{ registers: { ac: 1n } }] },
      "scenario.executors[0].registers names the register ac, which toy does not have; did you mean acc?",
      "unknown-name",
    ],
  ])("%s", (_, more, message, code) => expect(refused(more)).toMatchObject({ message, code }));

  it("what follows a site by default gives way, and a block may lie right behind a site", () => {
    const { length } = machine(base).layout.sites[0] ?? { length: 0 };
    expect(words({ ...base, blocks: [{ address: AT + BigInt(length), code: "ret" }] }).cpus).toBe(2);
  });

  it("what says the same of a place may lie over it", () =>
    expect(words({ ...base, blocks: [{ address: AT - 1n, code: "ret+nop3+ret" }] }).cpus).toBe(2));

  const planning = (program: object): InputError =>
    thrownBy(() => words(scenario(strategy(() => [], { id: "odd", program: () => program }))));
  const doing = (op: string, args: object): InputError => planning({ main: [{ id: "it", op, args }] });

  it.each<[string, () => InputError, string]>([
    [
      "no program",
      () => planning({ main: undefined }),
      "The strategy odd: program.main has to be a list of lines, not undefined.",
    ],
    [
      "a misspelt field",
      () => planning({ trap: {} }),
      "The strategy odd: program.trap is no field of a patch program; did you mean traps",
    ],
    [
      "an unknown argument",
      () => doing("lock", { nmae: "x", name: "x" }),
      "The strategy odd: program.main[0].args.nmae is no field of the arguments of lock; did you mean name?",
    ],
    [
      "an argument that is missing",
      () => doing("lock", {}),
      "The strategy odd: program.main[0].args.name is missing from the arguments of lock.",
    ],
    [
      "a width that there is not",
      () => doing("store", { address: 1n, bytes: "00", width: 3 }),
      "The strategy odd: program.main[0].args.width has to be one of 1, 2, 4, 8, not 3.",
    ],
    [
      "bytes that are none",
      () => doing("store", { address: 1n, bytes: "0", width: 1 }),
      'The strategy odd: program.main[0].args.bytes has to be bytes as hexadecimal text, two lower-case digits each, not "0".',
    ],
    [
      "a number for an address",
      () => doing("store", { address: 1, bytes: "00", width: 1 }),
      "The strategy odd: program.main[0].args.address has to be an address as a bigint, such as 0xffffffff81000000n, not the number 1: write 0x1n.",
    ],
    [
      "inside of an interrupt",
      () => doing("sendIpi", { handler: [{ id: "x", op: "ack", args: { x: 1 } }] }),
      "The strategy odd: program.main[0].args.handler[0].args.x is no field of the arguments of ack; there are none.",
    ],
    [
      "a flavour that there is not",
      () => doing("waitGrace", { flavour: "rcu-task" }),
      'The strategy odd: program.main[0].args.flavour cannot be "rcu-task"; did you mean rcu-tasks',
    ],
    [
      "text for a guard",
      () => planning({ main: [], guards: [{ address: 1n, bytes: "00" }] }),
      'The strategy odd: program.guards[0].bytes has to be a list of bytes, such as [0x0f, 0x0b], not "00".',
    ],
    ...["a,b", " a", "a\tb", "start", "", "\u001b"].map((id): [string, () => InputError, string] => [
      `the id ${JSON.stringify(id)}, which no option could name`,
      () => planning({ main: [{ id, op: "syncCore", args: {} }] }),
      "The strategy odd: program.main[0].id has to be an id, words without commas other than start, not ",
    ]),
    [
      "an operation that calls are compiled to",
      () => doing("returnCall", { sites: [], to: 0 }),
      "The step it of the strategy odd uses returnCall, which is no operation of a program.",
    ],
    [
      "a rule of the machine",
      () => doing("irq", {}),
      "The step it of the strategy odd uses irq, which is no operation of a program.",
    ],
    // A program that ended there would never return, and what is judged after a return could not break.
    ...(
      [
        ["a program", { main: [claim()] }, "patcher 0"],
        ["stop_machine", { main: [stopMachine("s", { run: [claim()] })] }, "patcher 0 stop 0 active"],
        ["an interrupt to all", { main: [sendIpi("s", [claim()])] }, "patcher 0 ipi 0"],
        ["an interrupt from outside", { main: [], traps: { nmi: [claim()] } }, "trap nmi"],
        ["a switch of tasks", { main: [], traps: { switch: [claim()] } }, "trap switch"],
      ] as const
    ).map(([where, program, name]): [string, () => InputError, string] => [
      `a claim in ${where}`,
      () => planning(program),
      `A step of ${name} claims a trap where none is handled; only the handler of a trap does.`,
    ]),
    [
      "an option of store that there is not",
      () => planning({ main: [store("it", AT, [0], { widht: 4 } as never)] }),
      "The strategy odd: program.main[0].args.widht is no field of the arguments of store; did you mean width?",
    ],
    [
      "an option of stop_machine that there is not",
      () => planning({ main: [stopMachine("it", { run: [], secondary: [] } as never)] }),
      "The strategy odd: program.main[0].args.secondary is no field of the arguments of stopMachine; did you mean secondaries?",
    ],
    [
      "an option of stop_machine that is none",
      () => planning({ main: [stopMachine("it", { run: [], everywhere: "no" } as never)] }),
      'The strategy odd: program.main[0].args.everywhere has to be true, not "no".',
    ],
    ...[() => 1, Number.NaN, Promise.resolve(), new Map(), new Date(0), [[Symbol("s")]]].map(
      (value): [string, () => InputError, string] => [
        "what is no plain data",
        () => planning({ main: [], words: { w: value } }),
        "The strategy odd: program.words.w has to be plain data",
      ],
    ),
    [
      "a guard where no site is",
      () => planning({ main: [], guards: [{ address: 1n, bytes: [0] }] }),
      "The strategy odd: program.guards names 0x1, where no site lies.",
    ],
    [
      "an operation that there is not",
      () => doing("lok", {}),
      "Step it uses the operation lok, for which no rule is known; did you mean lock",
    ],
    [
      "a word that nobody declares",
      () => planning({ main: [set("it", "flg", 1)], words: { flag: 0 } }),
      "The step it of the strategy odd names the shared word flg, which is not there; did you mean flag?",
    ],
    [
      "a per-CPU word that is a shared one",
      () => planning({ main: [{ id: "it", op: "put", args: { word: "flag" } }], words: { flag: 0 } }),
      "The step it of the strategy odd names the per-CPU word flag, which is not there",
    ],
    [
      "a handler of no vector",
      () => planning({ main: [], traps: { bkr: [] } }),
      "A handler of the strategy odd names the vector bkr, which is not there; did you mean brk?",
    ],
    [
      "a pair where no code is",
      () => planning({ main: [], pairs: [{ at: 0x9000n, registers: ["acc"], published: [[1n]] }] }),
      "program.pairs at 0x9000 is where no code lies.",
    ],
    [
      "a pair in a register that there is not",
      () => planning({ main: [], pairs: [{ at: AT, registers: ["ack"], published: [[1n]] }] }),
      "program.pairs at 0x1010 names the register ack, which toy does not have; did you mean acc?",
    ],
    [
      "a pair of fewer values than registers",
      () => planning({ main: [], pairs: [{ at: AT, registers: ["acc", "sp"], published: [[1n]] }] }),
      "program.pairs at 0x1010 has 2 registers, but 1 values for them.",
    ],
    [
      "an entry inside an instruction",
      () => planning({ main: [], around: { entries: [AT + 1n] } }),
      "An entry that a strategy names is 0x1011, byte 1 of scenario.sites[0], where no version of it has the start of an instruction.",
    ],
    [
      "no vector to arm",
      () => doing("armTrap", { vector: "bkr" }),
      "The step it of the strategy odd names the vector bkr, which is not there; did you mean brk?",
    ],
    [
      "a barrier that there is not",
      () => doing("fence", { kind: "wmbb" }),
      "The step it of the strategy odd names the barrier wmbb, which is not there; did you mean wmb or mb ",
    ],
    [
      "a cache operation that there is not",
      () => doing("maintain", { operation: "clena" }),
      "The step it of the strategy odd names the cache operation clena, which is not there; did you mean clean?",
    ],
  ])("%s in a program", (_, thrown, message) => {
    const error = thrown();
    expect(error.message.slice(0, message.length)).toBe(message);
    expect(error.code).toBeDefined();
  });

  it("every operation of core that programs may use has its arguments in the schema", () => {
    // What the compiler makes of others, and what the outside does; steps of machine code have a hyphen.
    const inner = new Set(
      "beginCall returnCall unclaimed irq nmi callPatched preempt resume queueStop ackStop awaitStopStage awaitStop beginGrace awaitGrace".split(
        " ",
      ),
    );
    const others = coreRules.rules
      .map(({ id }) => id)
      .filter((id) => !Object.hasOwn(operations, id) && !inner.has(id) && !id.includes("-"));
    expect(others).toEqual([]);
  });
});
