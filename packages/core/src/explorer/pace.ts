import type { Bounds, Progress } from "../contract/verdict.js";
import { pause, YIELD_MS } from "./search.js";
import { LimitReached, Watch } from "./watch.js";

const PROGRESS_MS = 200;

/** What bounds a run, and who is told of it. */
export type Paced = {
  readonly bounds?: Bounds;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
};

/**
 * A function that a long computation calls again and again: it lets others have their turn and tells how far the run is. It throws
 * {@link LimitReached} where a bound of time or memory is reached or the run was interrupted. The time begins to run at once. `memory`: how
 * many bytes are in use.
 */
export const pacedBy = (
  { bounds = {}, signal, onProgress }: Paced,
  memory: () => number,
  progress: (milliseconds: number) => Progress,
): (() => Promise<void>) => {
  const watch = new Watch(bounds, memory);
  const began = performance.now();
  let yielded = began;
  let shown = began;
  return async () => {
    watch.assert();
    const now = performance.now();
    if (now - yielded > YIELD_MS) {
      await pause();
      yielded = performance.now();
      if (signal?.aborted) throw new LimitReached("interrupted");
    }
    if (onProgress === undefined || now - shown < PROGRESS_MS) return;
    shown = now;
    onProgress(progress(now - began));
  };
};
