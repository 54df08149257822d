import pc from "picocolors";

/** The outside world of one run of the command line, so that tests can stand in for it. */
export type Io = {
  /** Writes to standard output. */
  out(text: string): void;
  /** Writes to standard error. */
  err(text: string): void;
  /** Writes to standard error over the line that stands there; without it no progress is shown. */
  rewrite?(text: string): void;
  /**
   * When all of standard output is written: why some of it could not be, or undefined. That whoever reads it has gone is no failure
   * (`cmodx list | head -1`).
   */
  written(): Promise<Error | undefined>;
  /** Told of the time that the command has from now on, in seconds, so that it holds where nobody looks at a clock. */
  limited?(seconds: number): void;
  /** Told of a file or folder that is being written under a name of its own, so that an end of the run leaves none of it. */
  writing?(path: string): void;
  /** Standard output shows colours. */
  readonly color: boolean;
  /** Standard error is a terminal, on which a line can be overwritten. */
  readonly terminal: boolean;
  /** The working directory. */
  readonly cwd: string;
  readonly env: { readonly [name: string]: string | undefined };
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
};

/** The colours of a run; all are the identity where they are off. */
export type Colors = ReturnType<typeof pc.createColors>;

/** Colours, or none. */
export const colors = (on: boolean): Colors => pc.createColors(on);

/** Whether a stream is shown with colours: only on a terminal, and never against `NO_COLOR` (no-color.org). */
export const wantsColor = (env: Io["env"], stream: { readonly isTTY?: boolean }): boolean =>
  !env.NO_COLOR && env.TERM !== "dumb" && (stream.isTTY === true || Boolean(env.FORCE_COLOR));

/** What a command leaves: the exit code of its run. */
export type Exit = 0 | 1 | 2 | 3;

/** Ends of a run: 0 safe or complete, 1 unsafe, 2 wrong usage or input, 3 inconclusive, interrupted or vacuous. */
export const exit = { complete: 0, unsafe: 1, input: 2, inconclusive: 3 } as const;

/** Notes what a command leaves: its exit code, and its answer in a word where that is not what the code stands for. */
export type Leave = (code: Exit, word?: string | undefined) => void;

/** Characters that move the cursor, end a line, or turn the direction of writing; a line feed and a tab are none. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The colours that are switched on and off here. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they begin with one
const COLOUR = /^\x1b\[\d{1,2}m/;

/**
 * A text whose control characters are written as `\uXXXX`, as JSON writes them: what comes from files is only shown, whatever it says to
 * a terminal. `color`: colours stay.
 */
export const printable = (text: string, color = false): string =>
  text.replace(CONTROLS, (control, at: number) =>
    color && control === "\x1b" && COLOUR.test(text.slice(at, at + 5))
      ? control
      : `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/** The same outside world, to which control characters are not passed on. */
export const guarded = (io: Io): Io => ({
  ...io,
  out: (text) => io.out(printable(text, io.color)),
  err: (text) => io.err(printable(text)),
  rewrite: (text) => io.err(`\r\x1b[K${printable(text)}`),
});

/** A progress line on standard error, where that is a terminal. */
export type ProgressLine = {
  show(text: string): void;
  /** Wipes the line, before anything else is written. */
  clear(): void;
};

/** Makes the progress line of a run; it shows nothing where standard error is no terminal. */
export const progressLine = (io: Io): ProgressLine => {
  let shown = false;
  return {
    show(text) {
      if (!io.terminal) return;
      io.rewrite?.(text.slice(0, 79));
      shown = true;
    },
    clear() {
      if (shown) io.rewrite?.("");
      shown = false;
    },
  };
};

/** Gives pending signals and input their turn between two pieces of synchronous work. */
export const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
