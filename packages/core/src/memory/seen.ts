import type { Data } from "../base/data.js";
import { own } from "../base/own.js";
import type { CpuState, ServicesState } from "../contract/state.js";
import type { World } from "../contract/world.js";

/** The value of a shared word as a CPU sees it: what it wrote itself it sees before others do. */
export const wordSeen = (cpu: CpuState, services: ServicesState, word: string, machine: World): Data => {
  const written = machine.order.pending(cpu).findLast((write) => write.to === "word" && write.word === word);
  return written?.to === "word" ? written.value : own(services.words, word);
};

/** The value of one of its own per-CPU words as a CPU sees it. */
export const cpuWordSeen = (cpu: CpuState, word: string, machine: World): Data => {
  const written = machine.order.pending(cpu).findLast((write) => write.to === "each-cpu" && write.word === word);
  return written?.to === "each-cpu" ? written.value : own(cpu.words, word);
};
