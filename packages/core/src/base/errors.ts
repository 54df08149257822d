/**
 * What kind of fault an input has, for programs; the words of messages may change, these do not.
 *
 * `unknown-field`: a field that nothing has. `unknown-name`: a value that is not on its list. `missing-field`: one that is needed.
 * `wrong-type`: a value of another type or form. `out-of-range`: a number too small or too large. `overlap`: two that lie in each
 * other. `no-code`: an address at which nothing is modelled, or at which no instruction begins. `undeclared`: a word, a local or a label that
 * no line declares or sets. `unreadable`: a file that is not there or of another format. `impossible`: a strategy, an instruction set or a
 * memory order cannot do what it is asked. `conflict`: values that do not go with each other. `usage`: a command line that cannot be
 * understood.
 */
export type InputErrorCode =
  | "unknown-field"
  | "unknown-name"
  | "missing-field"
  | "wrong-type"
  | "out-of-range"
  | "overlap"
  | "no-code"
  | "undeclared"
  | "unreadable"
  | "impossible"
  | "conflict"
  | "usage";

/**
 * Wrong input: a file, an option, a scenario or a site that cannot be worked on.
 *
 * The message is one sentence that says what was found and what was expected; `file` and `place` say where.
 * The command line prints it as it is and exits with 2; it never prints a stack trace for it.
 */
export class InputError extends Error {
  override readonly name = "InputError";
  /** The file the fault is in, as the user named it; absent when the input is not a file. */
  readonly file?: string;
  /** Where in the file or option: an offset, a section, a line and column, an option's name, the path of a field. */
  readonly place?: string;
  /** What kind of fault it is. */
  readonly code: InputErrorCode;

  constructor(
    message: string,
    where: {
      readonly code: InputErrorCode;
      readonly file?: string;
      readonly place?: string;
      readonly cause?: unknown;
    },
  ) {
    super(message, where.cause === undefined ? undefined : { cause: where.cause });
    if (where.file !== undefined) this.file = where.file;
    if (where.place !== undefined) this.place = where.place;
    this.code = where.code;
  }
}
