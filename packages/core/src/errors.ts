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
  /** Where in the file or option: an offset, a section, a line and column, an option's name. */
  readonly place?: string;

  constructor(
    message: string,
    where: { readonly file?: string; readonly place?: string; readonly cause?: unknown } = {},
  ) {
    super(message, where.cause === undefined ? undefined : { cause: where.cause });
    if (where.file !== undefined) this.file = where.file;
    if (where.place !== undefined) this.place = where.place;
  }
}
