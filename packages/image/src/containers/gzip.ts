import { gunzipSync, type InputType } from "node:zlib";
import { brokenStream, type Format, limitInflated } from "./format.js";

/** With `info` the engine is given too, whose `bytesWritten` are those that it took. */
const gunzip = gunzipSync as unknown as (
  input: InputType,
  options: { readonly maxOutputLength: number; readonly info: true },
) => { readonly buffer: Uint8Array; readonly engine: { readonly bytesWritten: number } };

/** RFC 1952; `node:zlib` checks lengths and CRCs. */
export const gzip: Format = {
  name: "gzip",
  magic: [0x1f, 0x8b, 0x08],
  /** Builds are reproducible: no name, no time. */
  begins: (file, at) => file.bytes.subarray(at + 3, at + 8).every((byte) => byte === 0),
  async inflate(file, at, most) {
    try {
      const { buffer, engine } = gunzip(file.bytes.subarray(at), { maxOutputLength: most, info: true });
      const content = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
      return { content, end: at + engine.bytesWritten };
    } catch (error) {
      const { code, message } = error as { readonly code?: string; readonly message: string };
      if (code === "ERR_BUFFER_TOO_LARGE") limitInflated(file, at, most + 1, most);
      throw brokenStream(file, at, "gzip", message);
    }
  },
};
