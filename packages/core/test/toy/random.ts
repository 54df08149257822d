import { Random } from "../../../../tooling/oracle/random.js";
import {
  ack,
  addEachCpu,
  claim,
  emulate,
  enterWindow,
  eq,
  expectText,
  type Flip,
  free,
  freeCode,
  type Line,
  leaveWindow,
  load,
  local,
  lock,
  lookup,
  mapCode,
  maskIrq,
  ne,
  type Patcher,
  type PatchProgram,
  publish,
  put,
  readLock,
  readUnlock,
  restartNmi,
  type Scenario,
  type Site,
  sendIpi,
  set,
  setEachCpu,
  setMemoryNx,
  setMemoryRo,
  setMemoryRw,
  setMemoryX,
  step,
  stopMachine,
  stopNmi,
  store,
  syncCore,
  syncCores,
  toHex,
  tryGet,
  unlock,
  unmaskIrq,
  until,
  untilEachCpu,
  waitIpi,
  waitRcu,
  waitRcuTasks,
  waitRcuTasksRude,
  waitRcuTasksTrace,
  waitSrcu,
  when,
  whileLocal,
} from "../../src/index.js";
import { granules, inOrder, ordered, strict, type ToyOptions, toyCpu, untilSync } from "./architecture.js";
import { AT, site, strategy } from "./scenario.js";

const TRAP = 0x02;

const synchronisation = (random: Random, id: string, careful: boolean): readonly Line[] => {
  switch (careful ? 13 : random.below(14)) {
    case 0:
      return [];
    case 1:
      return [syncCore(id)];
    case 2:
      return [sendIpi(id, [syncCore(`${id}-core`)])];
    case 3:
      return [sendIpi(id, [ack(), syncCore(`${id}-core`)]), waitIpi(`${id}-wait`, id)];
    case 4:
      return [sendIpi(id, []), waitIpi(`${id}-wait`, id)];
    case 5:
      return [random.pick([waitRcu, waitRcuTasks, waitRcuTasksRude])(id)];
    default:
      return [syncCores(id)];
  }
};

/** Code that is changed: three bytes each. */
const codes = ["nop3", "call", "add 7", "jump", "ret+ret+ret", "nop+nop+nop"] as const;

/** Writes one site: at once, byte by byte, or behind a breakpoint; in order or not. */
const writing = (
  random: Random,
  { address, next }: Flip["sites"][number],
  id: string,
  careful: boolean,
): readonly Line[] => {
  const whole = store(`${id}-whole`, address, next, { width: random.pick([1, 4]) });
  const trap = store(`${id}-trap`, address, [TRAP]);
  const tail = store(`${id}-tail`, address + 1n, next.slice(1), { width: random.pick([1, 4]) });
  const firstByte = store(`${id}-first`, address, next.slice(0, 1));
  const sync = (n: number): readonly Line[] => synchronisation(random, `${id}-sync-${n}`, careful);
  switch (careful ? 4 : random.below(5)) {
    case 0:
      return [whole, ...sync(1)];
    case 1:
      return [tail, ...sync(1), firstByte, ...sync(2)];
    case 2:
      return [
        stopMachine(`${id}-stop`, {
          run: [whole, ...(random.chance(50) ? [syncCore(`${id}-here`)] : [])],
          secondaries: sync(1).filter((line) => "op" in line && line.op === "syncCore"),
        }),
      ];
    default:
      return [trap, ...sync(1), tail, ...sync(2), firstByte, ...sync(3)];
  }
};

/** `forgets`: what is taken may be kept for good, which breaks `assertion` whatever else is right. */
const around = (random: Random, lines: readonly Line[], forgets: boolean): readonly Line[] => {
  switch (random.below(6)) {
    case 0:
      return [maskIrq("mask"), ...lines, unmaskIrq("unmask")];
    case 1:
      return [enterWindow("enter", "window"), ...lines, leaveWindow("leave", "window")];
    case 2:
      return [lock("lock", "mutex"), ...lines, ...(forgets ? [] : [unlock("unlock", "mutex")])];
    default:
      return [lock("lock", "mutex"), ...lines, unlock("unlock", "mutex")];
  }
};

/** Another CPU answers through a word, for which the patcher waits or polls. */
const answered = (random: Random): readonly Line[] => [
  set("ask", "answer", 0),
  sendIpi("ask-all", random.pick([[set("answer", "answer", 1)], [ack(), set("answer", "answer", 1)]])),
  ...(random.chance(50)
    ? [until("answered", "answer", 1)]
    : [
        load("look", "answer", "seen"),
        whileLocal("poll", eq(local("seen"), 0), [load("look-again", "answer", "seen")]),
      ]),
];

/**
 * The handler of the breakpoint looks its address up, with or without a reference to hold the patcher back, and emulates the new code or
 * starts what is there now.
 */
const handler = (counted: boolean, restarts: boolean): readonly Line[] => {
  const search = [
    lookup("find", "entries", "entry"),
    when("ours", ne(local("entry"), null), [
      restarts ? step("restart", "restart") : emulate("emulate", local("entry")),
      ...(counted ? [put("put", "refs")] : []),
      claim(),
    ]),
  ];
  return counted
    ? [tryGet("get", "refs", "got"), when("if-got", eq(local("got"), true), [...search, put("put-other", "refs")])]
    : search;
};

/** Where a jump of a site goes by default, as far from its first site, and what may lie there. */
const targetOf = ({ address }: { readonly address: bigint }): bigint => address + 0x40n;

/** What a protocol does with the text of its jump's target, and what it says of its own site; from a generator of its own. */
const livingText = (
  random: Random,
  { sites }: Flip,
): { readonly first: readonly Line[]; readonly last: readonly Line[] } => {
  const [site] = sites;
  if (site === undefined) return { first: [], last: [] };
  const slot = targetOf(site);
  const gone = freeCode("give-back", slot, 2);
  const reuse = mapCode("reuse", slot, random.pick(["ret", "add 9+ret", "nop+ret"]));
  const wait = random.chance(50) ? [random.pick([waitRcu, waitRcuTasks])("wait-slot")] : [];
  return {
    first: random.chance(40) ? [expectText("expect", site.address, site.old)] : [],
    last: random.pick([
      [...wait, gone],
      [...wait, gone, reuse],
      [...wait, reuse],
      [random.pick([setMemoryNx, setMemoryRo])("protect", slot, 2)],
      [random.pick([setMemoryNx, setMemoryRw])("protect", slot, 2), setMemoryX("again", slot, 1)],
    ]),
  };
};

/** The code at a jump's target, and sometimes code that stores over it, which its permissions may let it do. */
const aroundText = (random: Random, [first]: readonly Site[]): Partial<Scenario> => {
  if (first === undefined) return {};
  const slot = targetOf(first);
  const block = { address: slot, code: "nop+ret" };
  if (!random.chance(30)) return { blocks: [block] };
  const scribbler = slot + 0x20n;
  return {
    blocks: [block, { address: scribbler, code: `add ${random.pick([0, 6])}+store ${slot}+ret` }],
    executors: [{ entries: [first.address, scribbler] }],
    text: [{ address: slot, size: 2, access: random.pick(["rwx", "r-x", "rw-"]) }],
    // Its stores become visible in pieces.
    memory: "architectural",
  };
};

/** What others rest on: a step that waits for an interrupt, or a condition on a local, is refused without. */
const needed: ReadonlySet<string> = new Set(["sendIpi", "load"]);

const plan = (
  random: Random,
  flip: Flip,
  careful: boolean,
  text: Random | null,
  forgets: boolean,
): { readonly main: readonly Line[]; readonly rest: Omit<PatchProgram, "main"> } => {
  const counted = random.chance(40);
  const published = random.chance(15);
  const lines = [
    set(
      "entries",
      "entries",
      flip.sites.map(({ address, next }) => ({ address, bytes: toHex(next) })),
    ),
    ...(counted ? [setEachCpu("refs", "refs", 1)] : []),
    ...(published ? [publish("publish")] : []),
    ...flip.sites.flatMap((each, i) => writing(random, each, `site-${i}`, careful)),
    ...(counted ? [addEachCpu("drop-refs", "refs", -1), untilEachCpu("wait-refs", "refs", 0)] : []),
    ...(random.chance(30) ? synchronisation(random, "last", false) : []),
    ...(random.chance(15) ? answered(random) : []),
    ...(!careful && random.chance(30) ? [free("free", "entries")] : []),
  ];
  const { first, last } = text === null ? { first: [], last: [] } : livingText(text, flip);
  const kept = lines.filter((line) => careful || !random.chance(8) || ("op" in line && needed.has(line.op)));
  return {
    main: [...first, ...(careful ? kept : around(random, kept, forgets)), ...last],
    rest: {
      traps: { brk: handler(counted, random.chance(12)) },
      words: { entries: [], answer: 0 },
      cpuWords: { refs: 0 },
    },
  };
};

/**
 * What else a program may have around it: a read-side section and a wait for one, NMIs turned off. It has numbers of its own, so that
 * protocols without it stay as they were.
 */
const besides = (seed: number): ((lines: readonly Line[]) => readonly Line[]) => {
  const random = new Random(seed ^ 0x5ec7);
  const section = random.pick(["rcu", "rcu-tasks", "rcu-tasks-trace", "srcu:list"] as const);
  const reads = random.chance(8);
  const waits = random.chance(8) ? [random.pick([waitSrcu("srcu", "list"), waitRcuTasksTrace("trace")])] : [];
  const off = random.chance(8);
  return (lines) => [
    ...(off ? [stopNmi("nmi-off")] : []),
    ...(reads ? [readLock("enter-section", section)] : []),
    ...lines,
    ...(reads ? [readUnlock("leave-section", section)] : []),
    ...waits,
    ...(off ? [restartNmi("nmi-on")] : []),
  ];
};

/** What of the machine has to do with that. */
const environmentOf = (seed: number, nmi: boolean) => {
  const random = new Random(seed ^ 0x7a57);
  const nests = random.chance(50);
  const unguarded = nmi && nests && random.chance(20);
  return {
    nests,
    interrupts: unguarded ? ({ nestedIret: "unguarded" } as const) : {},
    user: random.chance(15),
    wayBack: random.pick([[], [], [], ["user-return"]]),
  };
};

/** Code behind a site that faults or leaves the code, and a handler of the executors' own, now and then. */
const faulting = (scenario: Scenario, random: Random): Scenario => {
  if (!random.chance(15)) return scenario;
  const handler = 0x1200n;
  const after = random.pick(["trap+ret", "nop", "store 0x1200+ret", [0xee]]);
  const [first, ...others] = scenario.sites;
  const faults = random.chance(50) ? { faults: handler } : {};
  return {
    ...scenario,
    sites: [...(first === undefined ? [] : [others.length > 0 ? first : { ...first, after }]), ...others],
    blocks: [...(scenario.blocks ?? []), { address: handler, code: "nop+ret" }],
    ...(scenario.executors === undefined
      ? {}
      : { executors: scenario.executors.map((each) => ({ ...each, ...faults })) }),
  };
};

/** A small protocol that may be right or wrong, in an environment that may show it. */
export const randomProtocol = (seed: number): { readonly scenario: Scenario; readonly architecture: ToyOptions } => {
  const random = new Random(seed);
  // What came later draws from generators of its own, so that seeds go on to mean what they meant.
  const ofText = new Random(seed ^ 0x7e87);
  const text = ofText.chance(35) ? ofText : null;
  const forgets = new Random(seed ^ 0x6175).chance(20);
  const careful = random.chance(45);
  const fetch = random.pick([untilSync, untilSync, granules, ordered, ...(careful ? [] : [strict])]);
  const codesOf = careful ? codes.slice(0, 4) : codes;
  const late = random.chance(10);
  const address = AT + BigInt(random.pick([0, 0, 2, 3]));
  const sites = [
    site(random.pick(codesOf), random.pick(codesOf), address),
    ...(random.chance(15) ? [site("nop3", "call", address + 4n)] : []),
  ];
  const flips = random.pick([1, 1, 2]);
  const patcher = (id: string): Patcher => {
    const planned = new Map<string, ReturnType<typeof plan>>();
    const planOf = (flip: Flip): ReturnType<typeof plan> => {
      const key = flip.sites.map(({ next }) => toHex(next)).join();
      const found = planned.get(key) ?? plan(random, flip, careful, text, forgets);
      planned.set(key, found);
      return found;
    };
    const around = besides(seed + id.length);
    const patching = strategy((flip) => around(planOf(flip).main), { id, program: (flip) => planOf(flip).rest });
    return { strategy: patching, sites: sites.map((_, i) => i), flips };
  };
  const preempt = random.chance(25);
  const patchers = [patcher("one"), ...(random.chance(12) ? [patcher("two")] : [])];
  const made: ReturnType<typeof randomProtocol> = {
    scenario: {
      name: `random ${seed}`,
      sites,
      patchers,
      cpus: patchers.length + 1 + (random.chance(35) ? 1 : 0),
      executors: preempt && random.chance(40) ? [{ count: 2 }] : [{}],
      ...(text === null ? {} : aroundText(text, sites)),
      preempt,
      interrupts: { irq: random.chance(25), nmi: random.chance(25) },
    },
    architecture: {
      fetch: late ? { ...fetch, lateTrap: true } : fetch,
      cpu: {
        trapsMask: random.chance(70),
        synchronizes: [
          ...toyCpu.synchronizes,
          ...(random.chance(15) ? ["trap-entry", "irq-entry"] : []),
          ...(random.chance(25) ? ["context-switch"] : []),
        ],
      },
    },
  };
  const { architecture } = made;
  const scenario = faulting(made.scenario, new Random(seed ^ 0xf00d));
  const { interrupts, nests, user, wayBack } = environmentOf(seed, scenario.interrupts?.nmi === true);
  const asked: Scenario = { ...scenario, user, interrupts: { ...scenario.interrupts, ...interrupts } };
  return {
    scenario: random.chance(30) ? { ...asked, memory: "architectural" } : asked,
    architecture: {
      ...architecture,
      cpu: {
        ...architecture.cpu,
        unblocksNmis: nests ? ["trap-return"] : [],
        synchronizes: [...(architecture.cpu?.synchronizes ?? []), ...wayBack],
      },
      ...(random.chance(25) ? { stores: { aligned: 4, block: 1 } } : {}),
      ...(random.chance(10) ? { fetch: inOrder } : {}),
    },
  };
};
