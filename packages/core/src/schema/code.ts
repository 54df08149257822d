import type { Code, CodeBlock, DataBlock } from "../scenario.js";
import { address, bytes, either, object, optional, type Schema, text } from "./schema.js";

/** The schema of {@link Code}. */
export const codeSchema: Schema<Code> = either("assembler text or a list of bytes", text, bytes);

/** The schema of {@link CodeBlock}. */
export const codeBlockSchema: Schema<CodeBlock> = object("a block of code", {
  address,
  code: codeSchema,
  mode: optional(text),
});

/** The schema of {@link DataBlock}. */
export const dataBlockSchema: Schema<DataBlock> = object("a block of data", { address, bytes });
