import { InputError } from "../base/errors.js";
import { fromHex } from "../base/hex.js";
import { assertRange, MOST_BYTES } from "../base/maxima.js";
import type { Effect } from "../contract/effect.js";
import type { Resumption, TextUse } from "../contract/events.js";
import type { PlacedCode, Stretch, TextLayout } from "../contract/layout.js";
import type { CompiledProgram, Operation } from "../contract/program.js";
import { cpuMap, rule } from "../contract/rule.js";
import type { Scenario, TextAccess, TextChange } from "../contract/scenario.js";
import {
  addressKey,
  type Context,
  type CpuState,
  type MachineCode,
  type MemoryState,
  type TextState,
  type TrapFrame,
} from "../contract/state.js";
import type { World as Machine } from "../contract/world.js";
import { STACK_BOTTOM, STACK_TOP } from "../program/reserved.js";

/*
 * R47: text is memory with a life. It is mapped with some content, may be read, written and executed or not, is given back, and other code
 * may be mapped where it was. All that a scenario and its programs say of this divides text into stretches, each of which stands in one
 * way at a time; text of which nobody says anything is mapped, read-only and executable for ever, and has no state.
 *
 * The reductions hold. Text with a state lies in cells, so none of its instructions is urgent or fetched by a window without a step of its own.
 * What the steps here write they declare, and they reach other CPUs by a map over each by itself. That a context is left in text that was
 * given back changes what is observed and nothing that anybody does, so an urgent step that comes before the giving back loses no behaviour.
 */

type Range = { readonly address: bigint; readonly size: number };

const hex = (address: bigint): string => `0x${address.toString(16)}`;

// ---- layout ----

const RANGED: ReadonlySet<string> = new Set(["freeCode", "mapCode", "setMemory"]);

const operationsOf = (programs: ReadonlyMap<string, CompiledProgram>): readonly Operation[] =>
  [...programs.values()].flatMap(({ code }) => code.flatMap((entry) => (entry.kind === "op" ? [entry] : [])));

const covers = ({ address, size }: Range, at: bigint): boolean => at >= address && at < address + BigInt(size);

const bytesIn = ({ address, size }: Range): readonly bigint[] =>
  Array.from({ length: size }, (_, i) => address + BigInt(i));

/** Divides text by all that is said of it. Throws {@link InputError} where that does not fit what lies there. */
export const divideText = (
  scenario: Scenario,
  programs: ReadonlyMap<string, CompiledProgram>,
  mapped: readonly PlacedCode[],
  stores: TextLayout["stores"],
  text: ReadonlyMap<bigint, number>,
  siteOf: ReadonlyMap<bigint, unknown>,
): TextLayout => {
  const operations = operationsOf(programs);
  const declared = scenario.text ?? [];
  const ranges = operations.flatMap(({ op, step, args }) =>
    RANGED.has(op) ? [{ op, step, range: args as Range }] : [],
  );
  const mapping = ranges.filter(({ op }) => op === "mapCode").map(({ range }) => range);
  const isCode = (at: bigint): boolean => text.has(at) || mapping.some((range) => covers(range, at));
  declared.forEach((range, i) => {
    assertSize(range, `text[${i}]`);
    if (!bytesIn(range).some(isCode))
      throw new InputError(`No code lies at ${hex(range.address)}, where text has permissions.`, {
        place: `text[${i}]`,
        code: "no-code",
      });
    const other = declared.findIndex((each, j) => j > i && meets(each, range));
    if (other >= 0)
      throw new InputError(
        `The ranges of text at ${hex(range.address)} and ${hex(declared[other]?.address ?? 0n)} overlap.`,
        {
          place: `text[${other}]`,
          code: "overlap",
        },
      );
  });
  for (const { op, step, range } of ranges) {
    assertSize(range, step);
    if (op === "mapCode") {
      const site = bytesIn(range).find((at) => siteOf.has(at));
      if (site !== undefined)
        throw new InputError(
          `Step ${step} maps code over the site at ${hex(site)}; what a site is changed to is its new version.`,
          { place: step, code: "overlap" },
        );
    } else if (!bytesIn(range).some(isCode)) {
      throw new InputError(`No code lies at ${hex(range.address)}, of which step ${step} speaks.`, {
        place: step,
        code: "no-code",
      });
    }
  }
  for (const { op, step, args } of operations) {
    if (op !== "storeData" && op !== "freeData") continue;
    const { address, bytes = "", size = bytes.length / 2 } = args as { address: bigint; bytes?: string; size?: number };
    const code = bytesIn({ address, size }).find(isCode);
    if (code === undefined) continue;
    throw new InputError(
      op === "freeData"
        ? `Step ${step} gives data back at ${hex(code)}, where code lies; code is given back with freeCode.`
        : `Step ${step} stores data at ${hex(code)}, where code lies; code is stored with store.`,
      { place: step, code: "conflict" },
    );
  }
  const all = [...declared, ...ranges.map(({ range }) => range)];
  const borders = [...new Set(all.flatMap(({ address, size }) => [address, address + BigInt(size)]))].sort((a, b) =>
    a < b ? -1 : 1,
  );
  const stretches = borders.flatMap((from, i): readonly Stretch[] => {
    const to = borders[i + 1];
    return to !== undefined && all.some((range) => covers(range, from)) ? [{ from, to }] : [];
  });
  const initial = stretches.map(({ from, to }): TextState => {
    const access = declared.find((range) => covers(range, from))?.access ?? "r-x";
    const lies = bytesIn({ address: from, size: Number(to - from) }).some((at) => text.has(at));
    return lies ? { access } : { access, freed: true };
  });
  return { stretches, mapped, stores, initial };
};

const meets = (a: Range, b: Range): boolean =>
  a.address < b.address + BigInt(b.size) && b.address < a.address + BigInt(a.size);

const assertSize = ({ address, size }: Range, place: string): void => {
  if (!Number.isInteger(size) || size < 1 || size > MOST_BYTES)
    throw new InputError(`A range of text has 1 to ${MOST_BYTES} bytes, not ${size}.`, { place, code: "out-of-range" });
  assertRange("A range of text", address, size, place);
};

// ---- how text stands ----

/** Whether anything is said of any text. */
const hasLife = ({ layout }: Machine): boolean => layout.lives.stretches.length > 0;

/** How the text at an address stands; undefined where nobody says anything of it. */
export const standsAt = (address: bigint, memory: MemoryState | undefined, machine: Machine): TextState | undefined => {
  // Where nobody says anything of text, no step is to look at memory for it: what steps look at decides what can be left out.
  const stretch = machine.stretchAt(address);
  return stretch === undefined ? undefined : memory?.text?.[stretch];
};

/**
 * Whether a store to an address, but for one through a mapping of a patcher's own, is one to read-only text; without `memory`, to text that
 * is read-only for ever.
 */
export const isReadOnly = (address: bigint, memory: MemoryState | undefined, machine: Machine): boolean => {
  const stands = standsAt(address, memory, machine);
  const isCell = machine.cellOf(address) !== undefined;
  // Of sites it is taken that whoever stores there reaches them through a writable mapping.
  if (stands === undefined) return !isCell && machine.text(address) !== undefined;
  return isCell && !stands.access.includes("w");
};

/** Whether text may be written without a mapping of a patcher's own: only where somebody says so. */
export const isWritable = (address: bigint, memory: MemoryState, machine: Machine): boolean =>
  standsAt(address, memory, machine)?.access.includes("w") ?? false;

/** Whether text may be executed. */
export const isExecutable = (address: bigint, memory: MemoryState, machine: Machine): boolean =>
  standsAt(address, memory, machine)?.access.includes("x") ?? true;

/** Whether text was given back, or nothing was ever mapped there. */
export const isFreed = (address: bigint, memory: MemoryState, machine: Machine): boolean =>
  standsAt(address, memory, machine)?.freed === true;

/** The first byte of a range that was given back; undefined where none was. */
export const freedIn = (range: Range, memory: MemoryState, machine: Machine): bigint | undefined =>
  hasLife(machine) ? bytesIn(range).find((at) => isFreed(at, memory, machine)) : undefined;

// ---- what an instruction of text is ----

const NOTHING: TextUse = {};

/**
 * What is wrong with an instruction (its bytes in hex) that takes effect at an address. `context` runs it; `stranded`: it was fetched before
 * its text was given back.
 */
export const textUse = (
  at: bigint,
  bytes: string,
  memory: MemoryState,
  context: Context,
  machine: Machine,
  stranded = false,
): TextUse => {
  const forbidden = machine.layout.forbidden.get(at);
  const freed = freedWhy(at, bytes, memory, context, machine, stranded);
  const strange = freed === undefined && isStrange(at, bytes, memory, machine);
  if (forbidden === undefined && freed === undefined && !strange) return NOTHING;
  return {
    ...(forbidden === undefined ? {} : { forbidden }),
    ...(freed === undefined ? {} : { freed }),
    ...(strange ? { strange } : {}),
  };
};

const freedWhy = (
  at: bigint,
  bytes: string,
  memory: MemoryState,
  context: Context,
  machine: Machine,
  stranded: boolean,
): string | undefined => {
  if (!hasLife(machine)) return undefined;
  const size = Math.max(1, bytes.length / 2);
  const gone = freedIn({ address: at, size }, memory, machine);
  if (gone !== undefined)
    return nowAt(memory, machine)(gone) === undefined ? "no code is mapped there yet" : "the text there was given back";
  if (stranded) return "it was fetched before the text there was given back";
  if (isStranded(at, context)) return "the context held this address when the text there was given back";
  return isFormer(at, bytes, memory, machine) ? "it is of code that lay there before and was given back" : undefined;
};

/** Whether a context held an address in text when that was given back. */
export const isStranded = (at: bigint, { stranded }: Context): boolean => stranded?.includes(addressKey(at)) ?? false;

/** What is wrong with the place where a context goes on that was stopped: which it is, and why it is text that was given back. */
export const resumption = (context: Context | undefined, memory: MemoryState, machine: Machine): Resumption => {
  if (!hasLife(machine) || context?.code.run !== "machine") return NOTHING;
  const { home, pc, trapped } = context.code;
  if (home || trapped !== null) return NOTHING;
  if (isFreed(pc, memory, machine)) return { freed: `the text at ${hex(pc)} was given back`, place: pc };
  if (!isStranded(pc, context)) return NOTHING;
  return { freed: `the text at ${hex(pc)} was given back, and other code was mapped there since`, place: pc };
};

/** Content of text that a mapping brought, or that lies there at first. */
type Content = (address: bigint) => number | undefined;

const contentOf = (holds: number | undefined, machine: Machine): Content => {
  if (holds === undefined) return (at) => machine.text(at);
  const placed = machine.layout.lives.mapped[holds];
  return (at) => (placed === undefined || at < placed.address ? undefined : placed.bytes[Number(at - placed.address)]);
};

/** Whether bytes are an instruction of what lay there before, and of nothing that lies there now. */
const isFormer = (at: bigint, bytes: string, memory: MemoryState, machine: Machine): boolean => {
  const stands = standsAt(at, memory, machine);
  if (stands === undefined || machine.siteAt(at) !== undefined) return false;
  if (isOf(at, bytes, nowAt(memory, machine), machine)) return false;
  const { mapped } = machine.layout.lives;
  const former = [undefined, ...mapped.keys()].filter((holds) => holds !== stands.holds);
  return former.some((holds) => {
    const content = contentOf(holds, machine);
    return content(at) !== undefined && isOf(at, bytes, content, machine);
  });
};

/** The byte that was laid out or mapped at an address; undefined where no code is. */
export const contentAt = (at: bigint, memory: MemoryState, machine: Machine): number | undefined =>
  contentOf(standsAt(at, memory, machine)?.holds, machine)(at);

const nowAt =
  (memory: MemoryState, machine: Machine): Content =>
  (at) =>
    contentAt(at, memory, machine);

/** Whether bytes outside of sites are what nobody laid out there, mapped or stores with a step of a program. */
const isStrange = (at: bigint, bytes: string, memory: MemoryState, machine: Machine): boolean => {
  if (bytes === "" || machine.siteAt(at) !== undefined) return false;
  const places = bytesIn({ address: at, size: bytes.length / 2 });
  if (places.every((each) => machine.cellOf(each) === undefined)) return false;
  const now = nowAt(memory, machine);
  // Where no code is, that is what is wrong.
  if (now(at) === undefined && !storesAt(at, bytes, machine).some((each) => covers(sizeOf(each), at))) return false;
  return !isOf(at, bytes, now, machine);
};

type Stored = TextLayout["stores"][number];

const sizeOf = ({ address, bytes }: Stored): Range => ({ address, size: bytes.length / 2 });

/** What steps of programs store over bytes (hex) at an address. */
export const storesAt = (at: bigint, bytes: string, machine: Machine): readonly Stored[] =>
  machine.layout.lives.stores.filter((each) => meets(sizeOf(each), { address: at, size: bytes.length / 2 }));

/** Steps whose stores are put together in all ways; beyond that each byte is looked at by itself. */
const MOST_STORES = 10;

/** Whether bytes at an address are of some content, with none, some or all stores of programs made there. */
const isOf = (at: bigint, bytes: string, content: Content, machine: Machine): boolean => {
  const wanted = fromHex(bytes);
  const laid = wanted.map((_, i) => content(at + BigInt(i)));
  const stores = storesAt(at, bytes, machine);
  // Bytes of a site are judged as the site's.
  const free = wanted.map((_, i) => machine.siteAt(at + BigInt(i)) !== undefined);
  const fits = (held: readonly (number | undefined)[]): boolean =>
    wanted.every((byte, i) => free[i] || (held[i] ?? 0) === byte);
  const after = (held: readonly (number | undefined)[], { address, bytes: stored }: Stored): typeof held => {
    const values = fromHex(stored);
    return held.map((byte, i) => values[Number(at + BigInt(i) - address)] ?? byte);
  };
  if (stores.length > MOST_STORES)
    return wanted.every(
      (byte, i) => free[i] || (laid[i] ?? 0) === byte || stores.some((each) => after(laid, each)[i] === byte),
    );
  let ways = [laid];
  for (const each of stores) ways = [...ways, ...ways.map((held) => [...after(held, each)])];
  return ways.some(fits);
};

// ---- steps of programs ----

const changes: { readonly [change in TextChange]: string } = {
  ro: "read-only",
  rw: "writable",
  x: "executable",
  nx: "not executable",
};

type Spoken = Range & { readonly holds?: number; readonly access?: TextAccess; readonly change?: TextChange };

/** The memory with the stretches of a range changed. */
const withText = (
  memory: MemoryState,
  { address, size }: Range,
  machine: Machine,
  change: (stands: TextState) => TextState,
): MemoryState => ({
  ...memory,
  text: (memory.text ?? []).map((stands, i) => {
    const stretch = machine.layout.lives.stretches[i];
    return stretch !== undefined && covers({ address, size }, stretch.from) ? change(stands) : stands;
  }),
});

const changed = (access: TextAccess, change: TextChange): TextAccess => {
  const writable = change === "rw" || (change !== "ro" && access.includes("w"));
  const executable = change === "x" || (change !== "nx" && access.includes("x"));
  return `r${writable ? "w" : "-"}${executable ? "x" : "-"}` as TextAccess;
};

/** What stands in a range is left there by whoever stands in it, on all CPUs and among the tasks that none runs. */
const stranding = (
  { address, size }: Range,
  tasks: readonly Context[],
  machine: Machine,
): Pick<Effect, "everyCpu"> & { readonly parked: { readonly tasks: readonly Context[] } } => {
  const range = { address, size };
  return {
    parked: { tasks: tasks.map((task) => strandedIn(task, null, range, machine.instructionSet.alignment)) },
    everyCpu: { id: "strand", args: range },
  };
};

/** Text is given back. */
export const freeCodeRule = rule({
  id: "freeCode",
  source:
    "R47; free_insn_slot, kernel/kprobes.c; bpf_jit_binary_pack_free, kernel/bpf/core.c; module_memory_free, kernel/module/main.c, 7.3",
  writesData: () => [],
  reads: ["cpu", "memory", "parked"],
  writes: ["cpu", "memory", "parked", "everyCpu"],
  says: {
    "free-code": ({ address }, { place }) => `gives the code at ${place(address)} back`,
  },
  maps: ["strand"],
  // Whoever gets the memory next comes after what its owner wrote before: it takes the allocator's lock.
  ordering: () => "release",
  apply({ cpu, memory, parked }, args: Spoken, machine): readonly Effect[] {
    const { parked: left, everyCpu } = stranding(args, parked.tasks, machine);
    const twice = freedIn(args, memory, machine) !== undefined;
    return [
      {
        set: {
          cpu: machine.advance(cpu),
          memory: withText(memory, args, machine, (stands) => ({ ...stands, freed: true })),
          parked: left,
        },
        ...(everyCpu === undefined ? {} : { everyCpu }),
        observed: [{ what: "free-code", detail: { address: args.address, size: args.size, twice } }],
      },
    ];
  },
});

/** Other code is to lie in a range of text: its stores come behind this step. */
export const mapCodeRule = rule({
  id: "mapCode",
  source: "R47; get_insn_slot, kernel/kprobes.c; bpf_jit_binary_pack_alloc, kernel/bpf/core.c, 7.3",
  writesData: () => [],
  reads: ["cpu", "memory", "parked"],
  writes: ["cpu", "memory", "parked", "everyCpu"],
  says: {
    "map-code": ({ address }, { place }) => `maps other code at ${place(address)}`,
  },
  maps: ["strand"],
  ordering: () => "atomic",
  apply({ cpu, memory, parked }, args: Spoken, machine): readonly Effect[] {
    const { holds = 0, access = "r-x" } = args;
    const { parked: left, everyCpu } = stranding(args, parked.tasks, machine);
    return [
      {
        set: {
          cpu: machine.advance(cpu),
          memory: withText(memory, args, machine, () => ({ access, holds })),
          parked: left,
        },
        ...(everyCpu === undefined ? {} : { everyCpu }),
        observed: [{ what: "map-code", detail: { address: args.address, size: args.size } }],
      },
    ];
  },
});

/** Text changes its permissions, on all CPUs before the step ends: their old translations are flushed. */
export const setMemoryRule = rule({
  id: "setMemory",
  source:
    "R47; change_page_attr_set_clr, arch/x86/mm/pat/set_memory.c; change_memory_common, arch/arm64/mm/pageattr.c, 7.3",
  writesData: () => [],
  reads: ["cpu", "memory"],
  writes: ["cpu", "memory"],
  says: {
    "set-memory": ({ address, change }, { place }) => `makes the text at ${place(address)} ${changes[change]}`,
  },
  ordering: () => "event",
  apply({ cpu, memory }, args: Spoken, machine) {
    const { change = "ro" } = args;
    return [
      {
        set: {
          cpu: machine.advance(cpu),
          memory: withText(memory, args, machine, (stands) => ({ ...stands, access: changed(stands.access, change) })),
        },
        observed: [{ what: "set-memory", detail: { address: args.address, size: args.size, change } }],
      },
    ];
  },
});

// ---- who is left in text that was given back ----

/**
 * Whoever is in a range, or holds an address in it, keeps that noted until it is home again: it may come there when other code has long been
 * mapped. That it holds one is read off its pc, its registers and its own stack, as far as that is in use; a value that only looks like an
 * address there counts as one.
 */
export const strandMap = cpuMap({
  id: "strand",
  touches: ["stack", "order"],
  apply(cpu, range: Range, machine): CpuState {
    const { alignment } = machine.instructionSet;
    const loaded = machine.order.loaded?.(cpu) ?? NO_VALUES;
    const stack = cpu.stack.map((context, i) => {
      const above = cpu.stack[i + 1]?.code;
      // What was fetched ahead belongs to what runs now.
      const ahead = above === undefined ? loaded : NO_VALUES;
      return strandedIn(context, above?.run === "program" ? above.frame : null, range, alignment, ahead);
    });
    const same = stack.every((context, i) => context === cpu.stack[i]);
    const after = same ? cpu : { ...cpu, stack };
    return machine.order.strand?.(after, (at) => covers(range, at)) ?? after;
  },
});

const NO_VALUES: readonly bigint[] = [];

const strandedIn = (
  context: Context,
  frame: TrapFrame | null,
  range: Range,
  alignment: number,
  ahead: readonly bigint[] = NO_VALUES,
): Context => {
  const { code } = context;
  if (code.run !== "machine") return context;
  const held = [
    ...heldBy(code),
    ...ahead,
    ...(frame === null ? [] : [frame.at, frame.resume, ...heldBy(frame.interrupted)]),
  ]
    .map((value) => value - (value % BigInt(alignment)))
    .filter((value) => covers(range, value));
  if (held.length === 0) return context;
  const stranded = [...new Set([...(context.stranded ?? []), ...held.map(addressKey)])].sort();
  return { ...context, stranded };
};

/** All values that a context could go on at: its pc, those of its registers, and the words of its stack. */
const heldBy = ({ home, pc, registers, memory, trapped }: MachineCode): readonly bigint[] => {
  if (home) return [];
  const values = Object.values(registers);
  const tops = values.filter((value) => value >= STACK_BOTTOM && value < STACK_TOP);
  const [top = STACK_TOP] = [...tops].sort((a, b) => (a < b ? -1 : 1));
  const words = Object.keys(memory)
    .map((key) => BigInt(`0x${key}`))
    .filter((address) => address >= top && address % 4n === 0n)
    .flatMap((address) => [4, 8].map((size) => wordIn(memory, address, size)));
  return [pc, ...values, ...words, ...(trapped === null ? [] : [trapped.at, trapped.resume])];
};

const wordIn = (memory: MachineCode["memory"], address: bigint, size: number): bigint => {
  let value = 0n;
  for (let i = size - 1; i >= 0; i--)
    value = (value << 8n) | BigInt(`0x${memory[addressKey(address + BigInt(i))] ?? "00"}`);
  return value;
};
