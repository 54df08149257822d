import type { PatchProgram } from "../contract/program.js";
import type { CodeBlock } from "../contract/scenario.js";
import type { FlipSite } from "../contract/strategy.js";
import { storeData } from "../services/patching.js";
import { lockedBy, siteStep } from "./strategies.js";

/** How a literal is patched that code loads and branches to. */
export type LiteralPatch = {
  /** The lock around it. */
  readonly mutex: string;
  /** Bytes of one access; default 8. */
  readonly width?: 1 | 2 | 4 | 8;
  /** Bytes of the site that are the literal, from its start; default all. */
  readonly size?: number;
  readonly note: string;
  /** The code that a literal of this value goes to. */
  callee(value: readonly number[]): CodeBlock;
  /** The code that goes through the literal at an address; executors start there. */
  through(address: bigint): CodeBlock;
};

/** Patches data alone: the literals of the sites are stored, and the code that goes through them stays. */
export const patchLiterals = (sites: readonly FlipSite[], how: LiteralPatch): PatchProgram => {
  const { mutex, width = 8, size, note } = how;
  const values = new Map(
    sites.flatMap(({ old, next }) => [old, next].map((bytes) => [bytes.slice(0, size).join(), bytes.slice(0, size)])),
  );
  const through = sites.map(({ address }) => how.through(address));
  return {
    main: lockedBy(
      mutex,
      sites.map(({ address, next }, i) =>
        storeData(siteStep("write-literal", i, sites.length), address, next.slice(0, size), { width, note }),
      ),
    ),
    around: {
      blocks: [...[...values.values()].map(how.callee), ...through],
      entries: through.map(({ address }) => address),
    },
  };
};
