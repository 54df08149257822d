import type { Code, CodeBlock, DataBlock, ReadFlavour, TextAccess } from "../contract/scenario.js";
import { address, bytes, either, object, oneOf, only, optional, type Schema, text, words } from "./schema.js";

/** The schema of {@link Code}. */
export const codeSchema: Schema<Code> = either("assembler text or a list of bytes", text, bytes);

/** The schema of {@link CodeBlock}. */
export const codeBlockSchema: Schema<CodeBlock> = object("a block of code", {
  address,
  code: codeSchema,
  mode: optional(text),
  readSide: optional(either("true, or a flavour of RCU", only(true), text as Schema<ReadFlavour>)),
  forbidden: optional(words),
});

/** The schema of {@link DataBlock}. */
export const dataBlockSchema: Schema<DataBlock> = object("a block of data", { address, bytes });

/** The schema of {@link TextAccess}. */
export const textAccess: Schema<TextAccess> = oneOf<TextAccess>({ "r-x": true, rwx: true, "rw-": true, "r--": true });
