/** What the thread of a command is started with. */
export type Given = {
  readonly argv: readonly string[];
  /** Standard output shows colours. */
  readonly color: boolean;
  /** Standard error is a terminal. */
  readonly terminal: boolean;
};

/** What the thread of a command is told. */
export type ToWorker =
  | { readonly is: "interrupt" }
  /** The answer to `written?`: why standard output could not be written. */
  | { readonly is: "written"; readonly failed: Error | undefined };

/** What the thread of a command tells. */
export type FromWorker =
  | { readonly is: "out" | "err"; readonly text: string }
  | { readonly is: "written?" }
  /** The command has so much time from now on. */
  | { readonly is: "limited"; readonly seconds: number }
  /** What is being written and does not have its name yet. */
  | { readonly is: "writing"; readonly path: string }
  | { readonly is: "left"; readonly code: number };
