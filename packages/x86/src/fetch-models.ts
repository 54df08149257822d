import type { Admission, ByteWindow, FetchModel, FetchVariant } from "@cmodx/core";

const INT3 = 0xcc;

/**
 * Intel allows no unsynchronised cross-modification but one, by word of its engineers: a first byte that changes to or from INT3,
 * the other bytes of the instruction being stable.
 */
const intelAdmits = (window: readonly ByteWindow[]): Admission => {
  const changing = window.findIndex((byte) => byte.length > 1);
  if (changing < 0) return "run";
  const first = window[0] as ByteWindow;
  const others = window.slice(1).every((byte) => byte.length === 1);
  if (others && first.length === 2 && first.includes(INT3)) return "run";
  return {
    breaks: "rule",
    why: `byte ${changing} of the instruction was modified and this CPU has not executed a serialising instruction since (SDM vol. 3, "Handling Self- and Cross-Modifying Code").`,
  };
};

const runs = (): Admission => "run";

/** Intel's manual, with the exception for INT3 that the vendors accepted by mail. The weakest x86 model. */
export const intel: FetchModel = {
  id: "intel",
  source:
    'Intel SDM vol. 3, "Handling Self- and Cross-Modifying Code"; INT3: LKML 2010, arch/x86/kernel/alternative.c 7.3',
  summary:
    "Intel SDM: nothing but a first byte to or from INT3 may change without a serialising instruction on the executing CPU",
  unit: 1,
  stale: "until-sync",
  granule: 0,
  reports: {},
  admits: intelAdmits,
};

/** What Intel's Open Source Technology Center said in 2010: after a synchronised INT3 the second synchronisation is not needed. */
export const intelOtc: FetchModel = {
  ...intel,
  id: "intel-otc",
  source: "LKML 2010, the engineers of Intel's Open Source Technology Center on the INT3 method",
  summary: "as intel, but after a synchronised INT3 a new first byte is never fetched with an older tail",
  // So the other bytes have settled for whoever fetches that first byte.
  orderedAfter: "cc",
};

/** AMD's manual: what a naturally aligned quadword holds is fetched whole; torn mixes of quadwords are decoded. */
export const amd: FetchModel = {
  id: "amd",
  source: "AMD APM vol. 2, 7.6.1: stores inside one naturally aligned quadword are seen whole by fetches",
  summary: "AMD APM: aligned quadwords are stored and fetched whole, and stay stale until a serialising instruction",
  unit: 8,
  stale: "until-sync",
  granule: 0,
  reports: {},
  admits: runs,
};

/**
 * AMD's manual as HotSpot reads it, which patches running code: what is modified asynchronously may be fetched late, but whoever fetched
 * one store has seen those before it.
 */
export const amdOrdered: FetchModel = {
  ...amd,
  id: "amd-ordered",
  source:
    "AMD APM vol. 2, 7.6.1, as E. Österlund and J. Rose read it: How HotSpot cross-modifies code (2022), JDK-8310239, JDK-8334890",
  summary: "as amd, but fetches see the stores in their order, at most 16 late, until a serialising instruction",
  stale: "in-order",
};

/** What Zen 3 and Zen 5 were measured to do: never stale, but the 32-byte blocks of an instruction are fetched at different moments. */
export const coherent: FetchModel = {
  id: "coherent",
  source: "measured on AMD Zen 3 and Zen 5, on no Intel machine: docs/hardware.md",
  summary: "as measured on Zen 3 and Zen 5: fetches see every store, 32-byte blocks are fetched one after the other",
  unit: 32,
  stored: 32,
  stale: "never",
  granule: 32,
  reports: {},
  admits: runs,
};

/** Every fetch model of x86, the weakest first. */
export const fetchModels: readonly FetchModel[] = [intel, intelOtc, amd, amdOrdered, coherent];

/**
 * The delivery of a fetched trap may lag: the CPU takes interrupts first, those of a synchronisation included. No manual says so;
 * crashes that fit were seen under an emulator, and their cause was never fully attributed.
 */
export const lateTrap: FetchVariant = {
  id: "late-trap",
  summary:
    "the delivery of a trap may lag: interrupts are taken between the fetch of an INT3 and the entry of its handler",
  apply: (model) => ({
    ...model,
    id: `${model.id}+${lateTrap.id}`,
    source: `${model.source}; late traps: 8e791f7eba4c and MPTCP issue 471 (2024), QEMU TCG`,
    summary: `${model.summary}; traps may be delivered late`,
    lateTrap: true,
  }),
};
