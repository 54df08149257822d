import { InputError } from "@cmodx/core";
import type { Place } from "./test.js";

/** A litmus file as text, its comments blanked out so that places stay what they are. */
export class Source {
  readonly text: string;
  readonly file: string;
  readonly #starts: readonly number[];

  /** Throws {@link InputError} where a comment is not closed. */
  constructor(text: string, file: string) {
    this.file = file;
    const starts = [0];
    for (let i = 0; i < text.length; i++) if (text[i] === "\n") starts.push(i + 1);
    this.#starts = starts;
    this.text = this.#withoutComments(text);
  }

  #withoutComments(text: string): string {
    let depth = 0;
    let opened = 0;
    let quoted = false;
    let plain = "";
    for (let i = 0; i < text.length; i++) {
      const two = text.slice(i, i + 2);
      if (depth === 0 && text[i] === '"') quoted = !quoted;
      if (text[i] === "\n") quoted = false;
      if (!quoted && (two === "(*" || (depth > 0 && two === "*)"))) {
        if (two === "(*" && depth++ === 0) opened = i;
        else if (two === "*)") depth--;
        plain += "  ";
        i++;
      } else plain += depth === 0 || text[i] === "\n" ? text[i] : " ";
    }
    if (depth > 0) throw this.error("A comment is opened here and never closed.", opened);
    return plain;
  }

  /** The place of an offset. */
  place(offset: number): Place {
    let [line, after] = [1, this.#starts.length];
    while (line < after) {
      const middle = (line + after + 1) >> 1;
      if ((this.#starts[middle - 1] as number) > offset) after = middle - 1;
      else line = middle;
    }
    return { line, column: offset - (this.#starts[line - 1] as number) + 1 };
  }

  /** An error at an offset. */
  error(message: string, offset: number): InputError {
    return this.errorAt(message, this.place(offset));
  }

  /** An error at a place. */
  errorAt(message: string, { line, column }: Place): InputError {
    return new InputError(message, { file: this.file, place: `line ${line}, column ${column}`, code: "unreadable" });
  }
}
