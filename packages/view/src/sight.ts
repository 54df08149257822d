import {
  addressKey,
  type CpuState,
  fetchChoices,
  fromHex,
  latestByte,
  type Machine,
  own,
  type StateView,
  spaced,
  toHex,
} from "@cmodx/core";

/** One instruction that a CPU can fetch at an address, or that memory holds there. */
export type Sight = {
  readonly bytes: string;
  readonly text: string;
  /** It is not what memory holds at last. */
  readonly stale: boolean;
};

/** Instructions that a CPU can fetch at an address now, that of memory first. */
export const sightsAt = (machine: Machine, view: StateView, cpu: number, address: bigint): readonly Sight[] => {
  const { memory, cpus } = view;
  // Fetch granules are read when they are fetched, so nothing but memory can be seen.
  const place = machine.siteAt(address);
  const mode = place === undefined ? "" : (machine.layout.sites[place.site]?.mode ?? "");
  if (machine.fetch.granule > 0) return [inMemory(machine, view, address, mode)];
  return fetchChoices(cpus[cpu] as CpuState, memory, address, mode, machine).map(({ bytes, stale }) => ({
    bytes: toHex(bytes),
    text: machine.disassemble(bytes, address, mode),
    stale,
  }));
};

const inMemory = (machine: Machine, view: StateView, address: bigint, mode: string): Sight => {
  const { decode, maxLength } = machine.instructionSet;
  const bytes = bytesAt(machine, view, address, maxLength);
  const insn = decode(fromHex(bytes), mode);
  const own = typeof insn === "string" ? bytes : bytes.slice(0, 2 * insn.length);
  return { bytes: own, text: machine.disassemble(fromHex(own), address, mode), stale: false };
};

/** Up to `length` bytes of code or data as memory holds them, as hex; fewer where neither is. `--`: a byte that was given back. */
export const bytesAt = (machine: Machine, view: StateView, address: bigint, length: number): string => {
  const bytes: string[] = [];
  for (let i = 0; i < length; i++) {
    const byte = latestByte(view.memory, address + BigInt(i), machine);
    const held = byte === undefined ? own(view.memory.data, addressKey(address + BigInt(i))) : toHex([byte]);
    if (held === undefined) break;
    bytes.push(held);
  }
  return bytes.join("");
};

/** The bytes of every site in memory, as hex. */
export const sitesInMemory = (machine: Machine, view: StateView): readonly string[] =>
  machine.layout.sites.map((site) => bytesAt(machine, view, site.address, site.length));

/** What a site holds in memory in words: the version it is, or the first instruction of a mixture. */
export const describeSite = (machine: Machine, view: StateView, site: number): string => {
  const resolved = machine.layout.sites[site];
  if (resolved === undefined) return "";
  const bytes = bytesAt(machine, view, resolved.address, resolved.length);
  const version = resolved.versions.findIndex((each) => toHex(each.bytes) === bytes);
  const known = resolved.versions[version];
  if (known !== undefined) {
    return `${spaced(bytes)}  ${known.instructions.map(({ text }) => text).join("; ")} (${version === 0 ? "old" : "new"})`;
  }
  if (resolved.data) return `${spaced(bytes)} …`;
  const { text } = inMemory(machine, view, resolved.address, resolved.mode);
  return `${spaced(bytes)}  ${text} …`;
};

/** Addresses in sites at which a CPU may fetch next: the entry of each site, and where its contexts stand inside one. */
export const fetchPlaces = (machine: Machine, view: StateView, cpu: number): readonly bigint[] => {
  const standing = (view.cpus[cpu]?.stack ?? []).flatMap(({ code }) =>
    code.run === "machine" && !code.home && (machine.siteAt(code.pc)?.offset ?? 0) > 0 ? [code.pc] : [],
  );
  return [...new Set([...machine.layout.sites.map((site) => site.address), ...standing])];
};
