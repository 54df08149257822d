import type { InputErrorCode } from "@cmodx/core";

export type * from "./json-check.js";
export type * from "./json-conform.js";
export type * from "./json-files.js";
export type * from "./json-lists.js";
export type * from "./json-patch.js";
export type * from "./json-record.js";
export type * from "./json-tables.js";
export type * from "./json-thread.js";

/*
 * The documents that `--json` prints. Addresses and other 64-bit numbers are strings such as "0xffffffff81000000".
 */

/** A document as text: one line for each value, bigints as hexadecimal strings. */
export const toJson = (document: unknown): string =>
  `${JSON.stringify(document, (_, value) => (typeof value === "bigint" ? `0x${value.toString(16)}` : value), 2)}\n`;

/** An error of any command; exit code 2. */
export type ErrorJson = {
  readonly schema: "cmodx/error/1";
  /** The kind of fault, which stays though the message change; null where none of the kinds says it. */
  readonly code: InputErrorCode | null;
  readonly message: string;
  readonly file: string | null;
  readonly place: string | null;
};
