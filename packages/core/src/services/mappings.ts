import type { Effect } from "../contract/effect.js";
import type { Step } from "../contract/program.js";
import { cpuMap, rule } from "../contract/rule.js";
import type { Code, TextAccess, TextChange } from "../contract/scenario.js";
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
import { covers, freedIn, type Range } from "../fetch/text.js";
import { step } from "../program/builder.js";
import { optionsOf } from "../program/given.js";
import { STACK_BOTTOM, STACK_TOP } from "../program/reserved.js";

/* R47: what programs do to the life of text: they map code, give it back, and change what it may be used for. */

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

/**
 * Gives `size` bytes of code back: an instruction that takes effect there afterwards, a store there, or a task that goes on there breaks
 * `lifetime`, also once other code is mapped. It waits for earlier stores of its CPU, and for nobody else.
 */
export const freeCode = (id: string, address: bigint, size: number, note?: string): Step =>
  step(id, "freeCode", { address, size }, note);

/**
 * Maps code where none is, or where it was given back: its bytes are then stored, 8 at a time. Caches and contexts are the program's
 * affair, as for every store of code. `access`: what it may be used for, default `r-x`; `mode`: the decoder's.
 */
export const mapCode = (
  id: string,
  address: bigint,
  code: Code,
  options: { readonly access?: TextAccess; readonly mode?: string; readonly note?: string } = {},
): Step => {
  const { note, ...given } = optionsOf(id, options);
  return step(id, "mapCode", { address, code, ...given }, note);
};

const setMemory =
  (change: TextChange) =>
  (id: string, address: bigint, size: number, note?: string): Step =>
    step(id, "setMemory", { address, size, change }, note);

/** Makes `size` bytes of text read-only (`set_memory_ro`), for all CPUs before the step ends. */
export const setMemoryRo = setMemory("ro");

/** Makes `size` bytes of text writable (`set_memory_rw`). */
export const setMemoryRw = setMemory("rw");

/** Makes `size` bytes of text executable (`set_memory_x`). */
export const setMemoryX = setMemory("x");

/** Makes `size` bytes of text not executable (`set_memory_nx`). */
export const setMemoryNx = setMemory("nx");
