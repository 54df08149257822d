import type { Place, Recording } from "../recording.js";

/*
 * Handlers, callers and patchers are programs: they have no machine code. For a decoder, which reads branches off the code, they get some:
 * a caller `call CODE; jmp`, a handler `nop; iretq`, one that calls the patched code `call *%rax; jne; iretq`, a program that goes
 * nowhere by itself. All lie on one page, beside the code of the run.
 */

/** A piece of code that stands for a program. */
export type Stub = {
  readonly symbol: string;
  readonly address: bigint;
  readonly bytes: readonly number[];
  /** It calls the patched code, and may do so again. */
  readonly calls: boolean;
  /** How far behind its address what it called comes back to it. */
  readonly back: bigint;
  /** Where its IRETQ lies; null where it has none. */
  readonly returns: bigint | null;
};

/** Code that stands for the programs of a run. */
export type Stubs = {
  readonly all: readonly Stub[];
  /** Where tasks come from: `call CODE; jmp` to it, or `call *%rax; jmp` where the code is entered at several places. */
  readonly caller: Stub;
  /** Where a task is that runs a program. */
  readonly program: Stub;
  readonly stopper: Stub;
  /** Where a CPU is that has nothing to do. */
  readonly idle: Stub;
  readonly ipi: Stub;
  readonly irq: Stub;
  readonly nmi: Stub;
  /** The entry of an exception, by its vector. */
  trap(vector: string): Stub;
};

const PAGE = 0x1000n;
const SPACING = 0x20n;

/** `call *%rax; jmp` to it: which of several entries it calls is told by a packet. */
const CALLER = [0xff, 0xd0, 0xeb, 0xfc];
/** `call` at an address to another one, `jmp` to it. It leaves no packet, as most calls in a kernel do. */
const directCaller = (at: bigint, code: bigint): readonly number[] => {
  const distance = code - at - 5n;
  return [0xe8, ...[0n, 8n, 16n, 24n].map((shift) => Number((distance >> shift) & 0xffn)), 0xeb, 0xf9];
};
const PROGRAM = [0x90, 0xeb, 0xfd];
const HANDLER = [0x90, 0x48, 0xcf];
/** It calls the patched code, and does so again while it is told to. */
const CALLING_HANDLER = [0xff, 0xd0, 0x75, 0xfc, 0x48, 0xcf];

/** Names of the kernel's entries, by vector. */
const ENTRIES: { readonly [vector: string]: string } = {
  int3: "asm_exc_int3",
  ud: "asm_exc_invalid_op",
  gp: "asm_exc_general_protection",
  pf: "asm_exc_page_fault",
  db: "asm_exc_debug",
};

/** The page that no code of a run lies on: below the lowest, or where there is none, above the highest. */
const freePage = ({ regions }: Recording): bigint => {
  const lowest = regions[0]?.address ?? PAGE;
  const last = regions[regions.length - 1];
  const below = (lowest / PAGE) * PAGE - PAGE;
  return below >= 0n || last === undefined ? below : ((last.address + BigInt(last.bytes.length)) / PAGE + 1n) * PAGE;
};

/** Where the rounds of tasks begin. */
const entriesOf = ({ steps }: Recording): readonly bigint[] => [
  ...new Set(
    steps.flatMap(({ observed, from, to }) => {
      if (!from.home || from.level !== "task") return [];
      const executed = observed.flatMap(({ what, detail }) => (what === "execute" ? [detail.at] : []));
      return executed.length > 0 || to.pc === null || to.home || to.depth !== from.depth ? executed : [to.pc];
    }),
  ),
];

/** The stubs of a run. */
export const stubsOf = (recording: Recording): Stubs => {
  const all: Stub[] = [];
  let next = freePage(recording);
  const add = (symbol: string, bytes: readonly number[]): Stub => {
    const returns = bytes.at(-1) === 0xcf ? next + BigInt(bytes.length - 2) : null;
    const back = bytes[0] === 0xe8 ? 5n : 2n;
    const stub = { symbol, address: next, bytes, returns, calls: bytes === CALLING_HANDLER, back };
    next += SPACING;
    all.push(stub);
    return stub;
  };
  const { irq, nmi } = recording.handlersRun;
  const [entry, ...others] = entriesOf(recording);
  const traps = new Map<string, Stub>();
  const stubs = {
    all,
    caller: add("cmodx_caller", others.length > 0 || entry === undefined ? CALLER : directCaller(next, entry)),
    program: add("cmodx_program", PROGRAM),
    stopper: add("cmodx_stopper", PROGRAM),
    idle: add("cmodx_idle", PROGRAM),
    ipi: add("asm_sysvec_call_function", HANDLER),
    irq: add("asm_common_interrupt", irq ? CALLING_HANDLER : HANDLER),
    nmi: add("asm_exc_nmi", nmi ? CALLING_HANDLER : HANDLER),
    trap(vector: string): Stub {
      const found = traps.get(vector) ?? add(ENTRIES[vector] ?? `asm_exc_${vector}`, HANDLER);
      traps.set(vector, found);
      return found;
    },
  };
  // The stubs lie in the order of their first use, which is that of the steps.
  for (const { observed } of recording.steps)
    for (const { what, detail } of observed)
      if (what === "enter-trap" || what === "trap-unclaimed") stubs.trap(detail.vector);
  return stubs;
};

/** The stub that a task, a stopper or an idle CPU is at. */
export const stubAt = (stubs: Stubs, { level, pc }: Place): Stub => {
  if (level === "idle") return stubs.idle;
  return level === "stopper" ? stubs.stopper : pc === null ? stubs.program : stubs.caller;
};
