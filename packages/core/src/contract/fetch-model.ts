import type { Bytes, Data } from "../base/data.js";
import type { CellValue } from "./state.js";

/** What one fetched byte could have been: every value that the fetching CPU's window allows, the latest first. */
export type ByteWindow = readonly number[];

/** The answer of {@link FetchModel.admits}: the instruction runs, or to run it breaks `rule`. */
export type Admission = "run" | { readonly breaks: "rule"; readonly why: string };

/** Where an instruction was fetched, and every instruction (its bytes) that the CPU could have fetched there. */
export type FetchPlace = { readonly at: bigint; readonly mode: string; readonly versions: readonly Bytes[] };

/**
 * How one kind of CPU fetches instructions: data, which core interprets, and one pure function that admits or refuses a mix of
 * versions. What the hardware does and what software is told about it ({@link FetchModel.reports}) are separate, so that an
 * erratum is data.
 */
export interface FetchModel {
  readonly id: string;
  /** The manual's section or the measurement that the model comes from. */
  readonly source: string;
  /** One sentence for people who choose between models. */
  readonly summary: string;
  /** Bytes, naturally aligned, that are fetched whole: the size of a cell. A power of two, 1 to 64. */
  readonly unit: number;
  /**
   * Bytes, naturally aligned, within which a store becomes visible at one moment, wherever it begins: what was measured, where that is
   * more than the architecture says ({@link Architecture.stores}). A power of two.
   */
  readonly stored?: number;
  /**
   * How long a CPU may go on fetching what was overwritten: not at all; until that CPU synchronises its context; until the caches
   * were maintained and that CPU then synchronised its context; or `in-order`: its fetches, in program order, see the stores in the
   * order in which they became visible, but may lag behind them until it synchronises.
   */
  readonly stale: "never" | "in-order" | "until-sync" | "until-maintenance";
  /** `in-order`: how many stores that change code a CPU's fetches lag behind at the most; default 16. */
  readonly behind?: number;
  /**
   * Bytes that are fetched at one moment; an instruction over two granules is fetched in two. 0: no limit. Granules go with
   * `stale: "never"` alone; a simulation refuses others.
   */
  readonly granule: number;
  /**
   * Once every value that a CPU can fetch from a cell is this one, whatever is stored over it is never fetched together with what
   * other cells held before that store. (Intel's engineers in 2010, of INT3.)
   */
  readonly orderedAfter?: CellValue;
  /** Between the fetch of a breakpoint and the entry of its handler this CPU may take interrupts. */
  readonly lateTrap?: boolean;
  /** What software is told, e.g. the cache-type register. */
  readonly reports: Data;
  /**
   * Judges an instruction about to run: `chosen` are its bytes, `window` what each of them could have been, as far as
   * {@link orderedAfter} leaves it beside the others.
   */
  admits(window: readonly ByteWindow[], chosen: Bytes, fetch: FetchPlace): Admission;
}

/** A change that any fetch model of an architecture can be chosen with. */
export type FetchVariant = {
  /** What stands behind the model's id and a `+`. */
  readonly id: string;
  /** One sentence for people who choose. */
  readonly summary: string;
  /** The model with the change, under its own id. */
  apply(model: FetchModel): FetchModel;
};
