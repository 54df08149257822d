import { type Bytes, lock, type PatchStrategy, type Scenario, store, unlock } from "@cmodx/core";
import { x86 } from "@cmodx/x86";
import type { GalleryEntry } from "../entry.js";
import { AT } from "./common.js";

/*
 * HotSpot's nmethod entry barrier on x86: a compare with an immediate that is wrong while the method is armed. Before a method is disarmed,
 * the immediates in its code are brought up to date.
 */

/** The compare with the guard in its immediate, in one aligned quadword; the guard lies in its upper half. */
const GUARD = AT;
const VALUE = GUARD + 4n;
/** The method's code, with an oop as immediate, and what uses it. */
const BODY = AT + 0x10n;
const USE = BODY + 5n;
/** The stub that the method calls while it is armed. */
const STUB = AT + 0x100n;
/** Where the thread keeps the value that a disarmed guard has. */
const DISARMED_VALUE = 0x20n;

const [ARMED, DISARMED] = [0x1000, 0x2000];
const [OLD_OOP, NEW_OOP] = [0x11111111n, 0x22222222n];

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

/** Another thread is in the barrier first: it brings the oops up to date and disarms the method. */
const disarm: PatchStrategy = {
  id: "nmethod-disarm",
  summary: "the oops in a method's code are brought up to date, then its entry barrier is disarmed",
  source: "BarrierSetNMethod::nmethod_entry_barrier, src/hotspot/share/gc/shared/barrierSetNMethod.cpp",
  architectures: ["x86"],
  defaultSite: "mov eax, 0x11111111:mov eax, 0x22222222",
  // Whoever is in the method goes on as it was: nobody waits for other threads.
  promises: ["mid-sequence", "old-or-new", "pair", "progress", "rule"],
  plan({ sites }) {
    const next = (at: bigint): readonly number[] => sites.find(({ address }) => address === at)?.next ?? [];
    return {
      main: [
        lock("lock", "nmethod_entry_lock"),
        store("write-oop", BODY + 1n, next(BODY).slice(1), { width: 4, note: "the method's code" }),
        store("disarm", VALUE, next(GUARD).slice(4), {
          width: 4,
          note: "a release store, behind all that it is about",
        }),
        unlock("unlock", "nmethod_entry_lock"),
      ],
      // Nobody enters the method but by a disarmed guard, so the old oop is never used.
      pairs: [{ at: USE, registers: ["rax"], published: [[NEW_OOP]] }],
    };
  },
};

/** Where the stub executes a serialising instruction. */
type Fence = "none" | "before" | "after";

const FENCE = "cpuid";

/** Lines of code at an address. */
const code = (at: bigint, ...lines: readonly string[]): Bytes => {
  const bytes: number[] = [];
  for (const line of lines) bytes.push(...x86().instructionSet.assemble(line, at + BigInt(bytes.length)));
  return bytes;
};

/** The stub looks at the guard as data: where it is disarmed the thread enters the method, else it returns. */
const stub = (fence: Fence): Bytes => {
  const before = fence === "before" ? [FENCE] : [];
  const after = fence === "after" ? [FENCE] : [];
  const end = (...lines: readonly string[]): bigint => STUB + BigInt(code(STUB, ...lines).length);
  const load = (next: bigint): string => `mov edx, dword ptr [rip - ${hex(next - VALUE)}]`;
  const look = [...before, load(end(...before, load(STUB))), "cmp edx, dword ptr [r15 + 0x20]"];
  const enter = [...after, `jmp32 ${hex(BODY)}`];
  const armed = end(...look, `jne32 ${hex(STUB)}`, ...enter);
  return code(STUB, ...look, `jne32 ${hex(armed)}`, ...enter, "ret");
};

const compare = (value: number): Bytes => code(GUARD, `cmp dword ptr [r15 + 0x20], ${hex(value)}`);

/** One thread disarms a method, another enters it. One that finds it armed would do the same work itself, which is left out. */
const entering = (name: string, fence: Fence): Scenario => ({
  name,
  sites: [
    {
      address: GUARD,
      old: compare(ARMED),
      new: compare(DISARMED),
      after: `jne32 ${hex(STUB)}+nop2`,
    },
    { address: BODY, old: `mov eax, ${hex(OLD_OOP)}`, new: `mov eax, ${hex(NEW_OOP)}` },
  ],
  patchers: [{ strategy: disarm, sites: [0, 1], flips: 1 }],
  executors: [{ entries: [GUARD] }],
  cpus: 2,
  blocks: [{ address: STUB, code: stub(fence) }],
  data: [{ address: DISARMED_VALUE, bytes: [DISARMED & 0xff, DISARMED >> 8, 0, 0] }],
});

const ordered = () => x86({ fetch: "amd-ordered" });

const shared = {
  architecture: ordered,
  property: "pair",
  fixed: entering("a fence behind the look at the guard", "after"),
} as const;

/** Without a fence. */
export const entryBarrier: GalleryEntry = {
  ...shared,
  id: "2023",
  title: "An nmethod is found disarmed as data, and entered stale",
  source: "E. Österlund, JDK-8310239 (2023) and JDK-8334890 (2024); AMD APM vol. 2, 7.6.1",
  bug: "HotSpot guards a method whose code holds oops by a compare with an immediate at its entry. A thread fetches the armed compare and calls the stub. Meanwhile another brings the oops up to date and disarms the compare. The stub loads the guard as data, finds it disarmed, and enters the method: no fetch has seen the store that disarmed it, so none need see those before it, and the old oop is used.",
  fix: "The stub executes a serialising instruction after it has looked at the guard, whatever it found. On the way that calls no stub none is needed: who fetched the disarmed compare has seen what was stored before it.",
  wrong: entering("no fence", "none"),
};

/** With a fence that comes too early. */
export const entryBarrierEarly: GalleryEntry = {
  ...shared,
  id: "2023-early",
  title: "The fence of an nmethod's barrier comes before the look",
  source: "E. Österlund, JDK-8310239 (2023): other ports fenced before the call",
  bug: "The stub executes its serialising instruction first and looks at the guard then. Between the two another thread brings the oops up to date and disarms the method; what was fetched ahead behind the instruction is old again.",
  fix: "The fence comes after the look at the guard, and orders the fetches behind what was seen there.",
  wrong: entering("a fence before the look at the guard", "before"),
};
