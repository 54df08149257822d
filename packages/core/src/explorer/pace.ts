import type { Watch } from "./watch.js";

/** Nobody waits longer than this for others to have their turn, in milliseconds. */
export const YIELD_MS = 25;
const PROGRESS_MS = 200;

/** Lets others have their turn: signals, messages, timers. */
export const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/**
 * What a long computation calls again and again: it lets others have their turn now and then, and throws {@link LimitReached} where a bound
 * is reached or the run was interrupted.
 */
export type Pause = () => Promise<void>;

/** The pauses of a computation that `watch` may end; `tell` is called a few times a second with the milliseconds that it has taken. */
export const pacedBy = (watch: Watch, tell?: (milliseconds: number) => void): Pause => {
  const began = performance.now();
  let yielded = began;
  let told = began;
  return async () => {
    watch.assert();
    const now = performance.now();
    if (now - yielded > YIELD_MS) {
      await pause();
      yielded = performance.now();
      watch.assert();
    }
    if (tell === undefined || now - told < PROGRESS_MS) return;
    told = now;
    tell(now - began);
  };
};
