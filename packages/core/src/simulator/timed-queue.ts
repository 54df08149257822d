import type { CompiledProgram } from "../contract/program.js";

/** Something that happens at a time, in nanoseconds; what was scheduled first comes first among those of one time. */
type Timed = {
  readonly at: number;
  readonly order: number;
  readonly cpu: number;
  readonly run: number | Posted;
};

/** What is posted to a CPU: the program that it is to run, and as what. */
export type Posted = { readonly program: CompiledProgram; readonly level: "irq" | "stopper" };

const isBefore = (a: Timed, b: Timed): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** A queue of what is to happen, by time: a binary heap. */
export class EventQueue {
  readonly #heap: Timed[] = [];
  #order = 0;

  /** When the next thing happens; infinite when nothing does. */
  get next(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Adds what happens to a CPU at a time. */
  add(at: number, cpu: number, run: Timed["run"]): void {
    const heap = this.#heap;
    const added: Timed = { at, order: this.#order++, cpu, run };
    let i = heap.length;
    heap.push(added);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent] as Timed;
      if (!isBefore(added, above)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = added;
  }

  /** Takes the next. */
  take(): Timed | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Timed, heap[child] as Timed)) child++;
      if (!isBefore(heap[child] as Timed, last)) break;
      heap[i] = heap[child] as Timed;
      i = child;
    }
    heap[i] = last;
    return first;
  }
}
