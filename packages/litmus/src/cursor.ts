import type { InputError } from "@cmodx/core";
import type { Source } from "./source.js";
import type { Place } from "./test.js";

/** A place in a source from which tokens are read; white space between them does not count. */
export class Cursor {
  at: number;
  readonly source: Source;
  readonly #end: number;

  constructor(source: Source, from = 0, end = source.text.length) {
    this.source = source;
    this.at = from;
    this.#end = end;
    this.skip();
  }

  /** Goes on to the next character that is no white space. */
  skip(): void {
    while (this.at < this.#end && /\s/.test(this.source.text[this.at] as string)) this.at++;
  }

  /** Nothing is left. */
  get done(): boolean {
    return this.at >= this.#end;
  }

  /** Where it stands. */
  get place(): Place {
    return this.source.place(this.at);
  }

  /** Reads what matches here, with its groups; undefined where nothing does. The pattern has to be sticky. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.source.text);
    if (found === null || this.at + found[0].length > this.#end) return undefined;
    this.at += found[0].length;
    this.skip();
    return found;
  }

  /** Reads what has to stand here. */
  expect(pattern: RegExp, what: string): RegExpExecArray {
    const found = this.take(pattern);
    if (found === undefined) throw this.error(`${what} was expected here, not ${this.here()}.`);
    return found;
  }

  /** What stands here, for messages. */
  here(): string {
    if (this.done) return "the end";
    const rest = this.source.text.slice(this.at, this.#end).split("\n")[0]?.trim() ?? "";
    return `"${rest.length > 20 ? `${rest.slice(0, 20)}…` : rest}"`;
  }

  /** An error at this place. */
  error(message: string): InputError {
    return this.source.error(message, this.at);
  }
}
