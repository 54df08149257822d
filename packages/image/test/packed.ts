import { readFileSync } from "node:fs";

/** A fixture as a compressor wrote it (fixtures/build.sh). */
export function packed(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));
}

export function join(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function u32(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

/** The compressed kernel as an x86 bzImage has it: behind its set-up code of two sectors, where its header says. */
export function bzImage(stream: Uint8Array, size?: number): Uint8Array {
  const payload = size === undefined ? stream : join(stream, u32(size));
  const header = new Uint8Array(3 * 512);
  const view = new DataView(header.buffer);
  header.set(new TextEncoder().encode("MZ"));
  header.set(new TextEncoder().encode("HdrS"), 0x202);
  view.setUint8(0x1f1, 1);
  view.setUint16(0x206, 0x20f, true);
  view.setUint32(0x248, 512, true);
  view.setUint32(0x24c, payload.length, true);
  return join(header, payload, new Uint8Array(32));
}

/** As an ARM zImage has it: somewhere, behind a decompressor that holds the magic too. */
export function zImage(stream: Uint8Array, size?: number): Uint8Array {
  const head = new Uint8Array(0x80);
  new DataView(head.buffer).setUint32(0x24, 0x016f2818, true);
  head.set([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 1, 2, 3, 4, 5, 6], 0x40);
  head.set([0x1f, 0x8b, 0x08, 0xff, 1], 0x60);
  return join(head, stream, size === undefined ? [] : u32(size), new Uint8Array(32));
}

/** As an EFI zboot image has it. */
export function zboot(stream: Uint8Array, size?: number): Uint8Array {
  const payload = size === undefined ? stream : join(stream, u32(size));
  const head = new Uint8Array(0x40);
  head.set(new TextEncoder().encode("MZ\0\0zimg"));
  const view = new DataView(head.buffer);
  view.setUint32(8, head.length, true);
  view.setUint32(12, payload.length, true);
  return join(head, payload);
}
