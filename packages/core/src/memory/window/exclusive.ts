import type { CpuState, Place } from "../../contract/state.js";
import { reservedIn } from "../exclusive.js";
import type { SeenEntry } from "./state.js";
import { codeOn, windowOfCpu } from "./state.js";

/*
 * R43: exclusive accesses. A store to a reserved place is taken to take place, and not to, when it is fetched; where it does it is atomic with
 * the load that reserved the place.
 */

/** What a store to a reserved place goes with. */
type Reservation = {
  /** The load that reserves the place, while it is in the window. */
  readonly load: SeenEntry | undefined;
  /** The reserved place, once it is known. */
  readonly place: Place | undefined;
  /** Somebody else has stored there since. */
  readonly lost: boolean;
  /** The load has taken place, and all that it found is in memory. */
  readonly isOpen: boolean;
};

/** The reservation that a store behind the first `index` entries of a window goes with; undefined where there is none. */
export const reservationFor = (
  entries: readonly SeenEntry[],
  index: number,
  cpu: CpuState,
): Reservation | undefined => {
  const load = entries.slice(0, index).findLast(({ is }) => is.exclusive !== undefined);
  if (load === undefined) {
    const place = reservedIn(codeOn(cpu).registers);
    const lost = windowOfCpu(cpu).lost === true;
    return place && { load, place, lost, isOpen: true };
  }
  if (load.is.exclusive === "store") return undefined;
  const [place] = load.accesses ?? [];
  const isOpen = load.begun && load.entry.from === undefined;
  return { load, place, lost: load.entry.lost === true, isOpen };
};

/** Whether a store of the window may take place as far as its reservation goes. */
export const isGranted = (entries: readonly SeenEntry[], index: number, cpu: CpuState): boolean => {
  const seen = entries[index] as SeenEntry;
  if (seen.is.exclusive !== "store") return true;
  const reservation = reservationFor(entries, index, cpu);
  const [store] = seen.stores;
  const { place } = reservation ?? {};
  // The load that reserves the place takes place first, as all older accesses of it do.
  return (
    place !== undefined && reservation?.lost !== true && place.address === store?.address && place.size === store.size
  );
};

/** Whether an entry is a store to a reserved place that has still to take place. */
export const isPending = ({ is, entry, stores }: SeenEntry): boolean =>
  is.exclusive === "store" && stores.length > 0 && entry.done !== true;
