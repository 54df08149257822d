import type { CpuState, MemoryState, Place } from "../../contract/state.js";
import { isPending, reservationFor } from "./exclusive.js";
import { overlap } from "./places.js";
import type { WindowView } from "./view.js";

/*
 * R43: no store of another CPU comes between the load and the store of an atomic access. Until the CPU has done something behind it that
 * others see, such a store makes the access load again. From then on that cannot be taken back: the memory holds the place for this CPU,
 * and the stores of others to it wait.
 */

const NONE: readonly Place[] = [];

/** The places that a CPU's atomic accesses hold: those that have loaded from memory, and behind which the CPU has stored. */
export const heldBy = (view: WindowView | undefined, cpu: CpuState): readonly Place[] => {
  if (view === undefined || !view.entries.some((seen) => seen.entry.half === true || isPending(seen))) return NONE;
  const isSeen = (index: number): boolean =>
    view.entries
      .slice(index + 1)
      .some(({ entry, stores }) => stores.length > 0 && (entry.done === true || entry.stored !== undefined));
  return view.entries.flatMap((seen, index): readonly Place[] => {
    if (seen.entry.half !== true && !isPending(seen)) return NONE;
    if (!isSeen(index)) return NONE;
    if (seen.entry.half === true) return seen.entry.from === undefined ? (seen.accesses ?? []).map(placeOf) : NONE;
    const reservation = reservationFor(view.entries, index, cpu);
    return reservation?.place !== undefined && reservation.isOpen ? [placeOf(reservation.place)] : NONE;
  });
};

const placeOf = ({ address, size }: Place): Place => ({ address, size });

/** The places that are held for other CPUs than that of a view. */
export const heldByOthers = (view: WindowView, cpu: CpuState, { held }: MemoryState): readonly Place[] => {
  if (held === undefined) return NONE;
  const own = [...heldBy(view, cpu)];
  return held.filter((place) => {
    const at = own.findIndex((each) => each.address === place.address && each.size === place.size);
    if (at >= 0) own.splice(at, 1);
    return at < 0;
  });
};

/** Whether an access shares a byte with a place that is held. */
export const isHeld = ({ address, size }: Place, held: readonly Place[]): boolean =>
  held.some((place) => overlap({ address, size, tags: [] }, { ...place, tags: [] }));

/** The memory with places held for the CPUs that their atomic accesses are of. */
export const withHeld = (memory: MemoryState, held: readonly Place[]): MemoryState => {
  if (held.length === 0 && memory.held === undefined) return memory;
  const { held: _, ...rest } = memory;
  if (held.length === 0) return rest;
  const inOrder = [...held].sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : a.size - b.size));
  return { ...rest, held: inOrder };
};
