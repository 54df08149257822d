import {
  addEachCpu,
  claim,
  emulate,
  eq,
  type Flip,
  type FlipSite,
  type Impossible,
  type InstructionSet,
  type Line,
  local,
  lock,
  lookup,
  ne,
  type PatchProgram,
  type PatchStrategy,
  type PropertyId,
  publishEvent,
  put,
  set,
  setEachCpu,
  store,
  syncCores,
  toHex,
  trapPromises,
  tryGet,
  unlock,
  untilEachCpu,
  when,
} from "@cmodx/core";
import { flag, optional, withOptions } from "@cmodx/core/schema";
import { INT3 } from "./decoded.js";

const SOURCE = "smp_text_poke_batch_finish and smp_text_poke_int3_handler, arch/x86/kernel/alternative.c, 7.3";

/** Entries of the text_poke_array: a page of 16-byte entries. */
export const BATCH_CAPACITY = 256;

/** What the handler can emulate: RET, CALL, JMP, Jcc and the no-operations, which it treats as jumps of distance 0. */
const EMULATED: ReadonlySet<string> = new Set(["ret", "call", "jmp", "jcc", "nop", "int3"]);

const refuse = (site: FlipSite, isa: InstructionSet): string | undefined => {
  const insn = isa.decode(site.next, "");
  const at = `0x${site.address.toString(16)}`;
  if (typeof insn === "string") return `the new bytes at ${at} are no instruction of the modelled subset.`;
  const name = insn.op;
  const padded = (name === "ret" || name === "jmp") && site.next.slice(insn.length).every((byte) => byte === INT3);
  if (insn.length !== site.next.length && !padded)
    return `the new code at ${at} is more than one instruction, which the handler cannot emulate.`;
  if (!EMULATED.has(name)) return `the handler cannot emulate ${isa.format(insn, site.address)} at ${at}.`;
  return undefined;
};

/** What the text_poke_array takes at a time: up to its capacity, and nothing below the address before. */
const batchesOf = (sites: readonly FlipSite[]): readonly (readonly FlipSite[])[] => {
  const batches: FlipSite[][] = [];
  for (const site of sites) {
    const open = batches.at(-1);
    const last = open?.at(-1);
    if (open === undefined || last === undefined || open.length === BATCH_CAPACITY || site.address < last.address)
      batches.push([site]);
    else open.push(site);
  }
  return batches;
};

/** One batch of the three-step protocol. Ids are suffixed by the batch where there are several. */
const batch = (sites: readonly FlipSite[], suffix: string, publishes: boolean): readonly Line[] => {
  const id = (name: string): string => `${name}${suffix}`;
  const each = (name: string, index: number): string => id(sites.length === 1 ? name : `${name}.${index}`);
  const tails = sites.flatMap((site, i) =>
    site.next.length === 1
      ? []
      : [
          store(each("write-tail", i), site.address + 1n, site.next.slice(1), {
            note: "everything but the first byte",
          }),
        ],
  );
  const firsts = sites.flatMap((site, i) =>
    site.next[0] === INT3
      ? []
      : [store(each("write-first", i), site.address, site.next.slice(0, 1), { note: "replaces the INT3" })],
  );
  return [
    set(
      id("fill-array"),
      "text_poke_array",
      sites.map((site) => ({ address: site.address, bytes: toHex(site.next) })),
      "addresses and new instructions",
    ),
    setEachCpu(id("get-refs"), "text_poke_array_refs", 1, "from here on the handlers may look at the array"),
    ...sites.map((site, i) => store(each("write-int3", i), site.address, [INT3], { note: "traps whoever comes" })),
    syncCores(id("sync-1"), "all CPUs now fetch the INT3"),
    ...tails,
    ...(publishes
      ? sites.map((site, i) => publishEvent(each("event", i), site, { note: "perf_event_text_poke" }))
      : []),
    ...(tails.length > 0 ? [syncCores(id("sync-2"), "all CPUs now fetch the new tail")] : []),
    ...firsts,
    ...(firsts.length > 0
      ? [syncCores(id("sync-3"), "all CPUs now fetch the new instruction; their handlers have ended")]
      : []),
    addEachCpu(id("drop-refs"), "text_poke_array_refs", -1),
    untilEachCpu(id("wait-refs"), "text_poke_array_refs", 0, "handlers that still look at the array"),
    set(id("clear-array"), "text_poke_array", []),
  ];
};

/** The handler: emulates the new instruction of the entry with the trap's address. */
const int3Handler: readonly Line[] = [
  tryGet("handler-get", "text_poke_array_refs", "got", "no patching under way: not ours"),
  when("handler-got", eq(local("got"), true), [
    lookup("handler-find", "text_poke_array", "entry", "by address"),
    when("handler-ours", ne(local("entry"), null), [
      // Whoever puts an INT3 there for its own sake wants to handle it.
      when("handler-not-int3", ne(local("entry"), toHex([INT3])), [
        emulate("handler-emulate", local("entry"), "the new instruction"),
        put("handler-put", "text_poke_array_refs"),
        claim("handler-claim"),
      ]),
    ]),
    put("handler-put-other", "text_poke_array_refs"),
  ]),
];

const plan = (flip: Flip, isa: InstructionSet, publishes: boolean): PatchProgram | Impossible => {
  for (const site of flip.sites) {
    const impossible = refuse(site, isa);
    if (impossible !== undefined) return { impossible };
  }
  const batches = batchesOf(flip.sites);
  return {
    main: [
      lock("lock", "text_mutex"),
      ...batches.flatMap((sites, i) => batch(sites, batches.length === 1 ? "" : `#${i}`, publishes)),
      unlock("unlock", "text_mutex"),
    ],
    traps: { int3: int3Handler },
    words: { text_poke_array: [] },
    cpuWords: { text_poke_array_refs: 0 },
  };
};

const common = {
  architectures: ["x86"],
  source: SOURCE,
};

/** Variants of {@link int3}. */
export type Int3Options = {
  /** Text-poke events are published, for which `trace` is promised. Default false: nobody listens. */
  readonly events?: boolean;
};

/** Variants of {@link int3Batch}. */
export type Int3BatchOptions = Int3Options & {
  /**
   * The caller queues the sites by address, as jump labels and ftrace do. Without it they come in the order they are given, and each address
   * that is lower than the one before ends a batch. Default true.
   */
  readonly sorted?: boolean;
};

const promised = (events: boolean): readonly PropertyId[] => (events ? [...trapPromises, "trace"] : trapPromises);

/** Linux's patching of one site: INT3, tail, first byte, with all CPUs synchronised after each (`smp_text_poke_single`). */
export const int3 = withOptions(
  "int3",
  { events: optional(flag) },
  ({ events = false }: Int3Options): PatchStrategy => ({
    ...common,
    promises: promised(events),
    id: "int3",
    summary: "INT3 over the first byte, then the tail, then the first byte, all CPUs synchronised after each",
    defaultSite: "nop5:call .+0x123456c",
    plan(flip, { instructionSet }) {
      if (flip.sites.length !== 1)
        return { impossible: `it patches one site at a time, not ${flip.sites.length}; int3-batch patches several.` };
      return plan(flip, instructionSet, events);
    },
  }),
);

/**
 * Linux's batched patching (`smp_text_poke_batch_add` and `_finish`): up to 256 sites share the three rounds of interrupts. Like the
 * kernel it begins a new batch when an address is lower than the one before; equal or overlapping sites are refused.
 */
export const int3Batch = withOptions(
  "int3Batch",
  { events: optional(flag), sorted: optional(flag) },
  ({ events = false, sorted = true }: Int3BatchOptions): PatchStrategy => ({
    ...common,
    promises: promised(events),
    id: "int3-batch",
    summary: "int3 for up to 256 sites at a time, which share the three synchronisations",
    defaultSite: "nop5:call .+0x123456c",
    plan(flip, { instructionSet }) {
      const sites = sorted ? [...flip.sites].sort((a, b) => (a.address < b.address ? -1 : 1)) : flip.sites;
      return plan({ sites }, instructionSet, events);
    },
  }),
);
