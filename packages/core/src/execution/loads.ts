import { toHex } from "../base/hex.js";
import type { Observation } from "../contract/events.js";
import type { Access } from "../contract/instruction-set.js";
import type { Write } from "../contract/memory-order.js";
import { addressKey, type CpuState, FREED_BYTE, type MemoryState, type SiteState } from "../contract/state.js";
import type { World } from "../contract/world.js";
import { freedIn } from "../fetch/text.js";

/** One load of machine code and what it found; `stood`: how the site of data stood when it loaded, where that is longer ago. */
export type Loaded = { readonly access: Access; readonly value: bigint; readonly stood?: SiteState | undefined };

/** How the site of data stands that holds an address; undefined where none does. */
export const dataSiteAt = (address: bigint, memory: MemoryState, machine: World): SiteState | undefined => {
  const index = machine.siteAt(address)?.site;
  return index === undefined || machine.layout.sites[index]?.data !== true ? undefined : memory.sites[index];
};

/** What an instruction at `at` loaded that matters to a property: data of a site, or bytes that were given back. */
export const dataLoaded = (
  at: bigint,
  loads: readonly Loaded[],
  memory: MemoryState,
  machine: World,
): readonly Observation[] =>
  loads.flatMap(({ access, value, stood }) => {
    const freed =
      places(access).some((address) => memory.data[addressKey(address)] === FREED_BYTE) ||
      freedIn(access, memory, machine) !== undefined;
    const observed: Observation[] = freed
      ? [{ what: "load-freed", detail: { word: `0x${addressKey(access.address)}` } }]
      : [];
    const place = machine.siteAt(access.address);
    const site = place === undefined ? undefined : machine.layout.sites[place.site];
    if (place === undefined || site?.data !== true) return observed;
    const bytes = toHex(Array.from({ length: access.size }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn)));
    if (machine.isGuard(access.address, bytes)) return observed;
    const matched = site.versions.flatMap((version, i) =>
      toHex(version.bytes.slice(place.offset, place.offset + access.size)) === bytes ? [i] : [],
    );
    const detail = {
      at,
      address: access.address,
      bytes,
      ...(stood ?? (memory.sites[place.site] as SiteState)),
      ...place,
      matched,
    };
    return [...observed, { what: "load-site", detail }];
  });

/** The first of these places of data (addresses in hex) that was given back, as this CPU sees memory; undefined where none was. */
export const freedData = (
  keys: readonly string[],
  cpu: CpuState,
  memory: MemoryState,
  machine: World,
): string | undefined => {
  // Where no data is given back, no store is to look at memory for it.
  if (!machine.uses("freeData")) return undefined;
  const pending = machine.order.pending(cpu);
  return keys.find((key) => {
    const own = pending.findLast((write) => write.to === "data" && write.bytes[key] !== undefined);
    return (own?.to === "data" ? own.bytes[key] : memory.data[key]) === FREED_BYTE;
  });
};

/** Stores of an instruction to text or data that was given back. */
export const storesFreed = (
  writes: readonly Write[],
  cpu: CpuState,
  memory: MemoryState,
  machine: World,
): readonly Observation[] =>
  writes.flatMap((write): readonly Observation[] => {
    if (write.to === "data") {
      const key = freedData(Object.keys(write.bytes), cpu, memory, machine);
      return key === undefined ? [] : [{ what: "store-freed", detail: { address: BigInt(`0x${key}`), data: true } }];
    }
    if (write.to !== "code") return [];
    const freed = freedIn({ address: write.address, size: write.bytes.length / 2 }, memory, machine);
    return freed === undefined ? [] : [{ what: "store-freed", detail: { address: freed } }];
  });

const places = ({ address, size }: Access): readonly bigint[] =>
  Array.from({ length: size }, (_, i) => address + BigInt(i));
