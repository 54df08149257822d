import type { Bytes } from "../base/data.js";
import { fromHex, toHex } from "../base/hex.js";
import type { Architecture } from "../contract/architecture.js";
import type { FlipSite } from "../contract/strategy.js";
import { guardKey } from "../program/reserved.js";

/** A site, what it holds, and what holds up whoever comes there. */
export type TimedSite = {
  flip: FlipSite;
  mode: string;
  bytes: number[];
  /** The vector of the breakpoint that stands there; `guard` for an instruction that holds up; null where code may be passed. */
  stands: string | null;
  /** Its place among the sites where something stands. */
  place: number;
};

/** What a store did to a site. */
type Stored = { readonly site: TimedSite; readonly finished: boolean; readonly changed: boolean };

const LONGEST = 16;

const isDone = ({ bytes, flip }: TimedSite): boolean => flip.next.every((byte, i) => bytes[i] === byte);

/** The text of the sites: what they hold, and at which of them something stands that holds up whoever comes. */
export class TimedText {
  readonly #sites = new Map<bigint, TimedSite>();
  readonly #guards = new Set<string>();
  readonly #standing: TimedSite[] = [];
  readonly #architecture: Architecture;
  readonly #vectors = new Map<string, string | null>();
  #longest = 1;

  constructor(architecture: Architecture) {
    this.#architecture = architecture;
  }

  /** All sites that some call has named. */
  get size(): number {
    return this.#sites.size;
  }

  /** The sites where something stands. */
  get standing(): readonly TimedSite[] {
    return this.#standing;
  }

  /** Names the sites of a call. What they hold is what earlier calls left there. */
  add(flips: readonly FlipSite[], mode: string, guards: readonly { address: bigint; bytes: Bytes }[]): void {
    for (const flip of flips) {
      this.#longest = Math.max(this.#longest, flip.old.length);
      const known = this.#sites.get(flip.address);
      if (known === undefined)
        this.#sites.set(flip.address, { flip, mode, bytes: [...flip.old], stands: null, place: -1 });
      else known.flip = flip;
    }
    for (const { address, bytes } of guards) this.#guards.add(guardKey(address, toHex(bytes)));
  }

  /** The site that an address lies in. */
  at(address: bigint): TimedSite | undefined {
    for (let back = 0; back < this.#longest; back++) {
      const site = this.#sites.get(address - BigInt(back));
      if (site !== undefined) return back < site.bytes.length ? site : undefined;
    }
    return undefined;
  }

  /** The byte of a site's code. */
  byte(address: bigint): number | undefined {
    const site = this.at(address);
    return site?.bytes[Number(address - site.flip.address)];
  }

  /** Stores bytes (hex); undefined outside of sites. */
  store(address: bigint, bytes: string): Stored | undefined {
    const site = this.at(address);
    if (site === undefined) return undefined;
    const offset = Number(address - site.flip.address);
    const wasDone = isDone(site);
    fromHex(bytes).forEach((byte, i) => {
      if (offset + i < site.bytes.length) site.bytes[offset + i] = byte;
    });
    const stands = this.#standsAt(site);
    const changed = stands !== site.stands;
    if (changed) this.#stand(site, stands);
    return { site, finished: !wasDone && isDone(site), changed };
  }

  #stand(site: TimedSite, stands: string | null): void {
    const standing = this.#standing;
    if (site.stands === null) site.place = standing.push(site) - 1;
    else if (stands === null) {
      const last = standing.pop() as TimedSite;
      if (last !== site) {
        standing[site.place] = last;
        last.place = site.place;
      }
    }
    site.stands = stands;
  }

  #standsAt(site: TimedSite): string | null {
    const { flip, mode, bytes } = site;
    const { instructionSet, cpu } = this.#architecture;
    const insn = instructionSet.decode(bytes.slice(0, LONGEST), mode);
    if (typeof insn === "string") return null;
    if (this.#guards.size > 0 && this.#guards.has(guardKey(flip.address, toHex(bytes.slice(0, insn.length)))))
      return "guard";
    const key = `${insn.op} ${insn.length}`;
    let vector = this.#vectors.get(key);
    if (vector === undefined) {
      const outcome = instructionSet.execute(insn, flip.address, {});
      vector = outcome.do === "trap" && cpu.breakpoints.includes(outcome.vector) ? outcome.vector : null;
      this.#vectors.set(key, vector);
    }
    return vector;
  }
}
