import { InputError } from "@cmodx/core";
import { ByteWriter } from "../bytes.js";
import type { Region } from "../recording.js";

/** Bytes of a page, to which the segment of a core file is aligned. */
const PAGE = 0x1000n;
const [ET_CORE, EM_X86_64, PT_LOAD, RWX] = [4, 62, 1, 7] as const;
const [EHDR, PHDR] = [64, 56] as const;

/** The kernel's text lies within 2 GiB: what branches reach. */
const MOST = 1n << 31n;

/** A file that is zero but for some parts: what a file system keeps with holes. */
export type SparseFile = {
  readonly size: number;
  readonly parts: readonly { readonly at: number; readonly bytes: Uint8Array }[];
};

/**
 * A core file of the kernel as `/proc/kcore` is one: its code as it was first, in one segment, which is all that perf looks at.
 *
 * `regions`: lowest first. Throws {@link InputError} where they lie further apart than a kernel's text is long.
 */
export const kcore = (regions: readonly Region[]): SparseFile => {
  const [first, last] = [regions[0] as Region, regions.at(-1) as Region];
  const from = (first.address / PAGE) * PAGE;
  const end = last.address + BigInt(last.bytes.length);
  const size = ((end - from + PAGE - 1n) / PAGE) * PAGE;
  if (size > MOST)
    throw new InputError(
      `The code lies from 0x${from.toString(16)} to 0x${end.toString(16)}; perf is told of at most ${MOST} bytes of the kernel's text.`,
      { place: "--perf", code: "out-of-range" },
    );
  const head = new ByteWriter();
  head.u8(0x7f).text("ELF").u8(2, 1, 1).pad(16);
  head.u16(ET_CORE).u16(EM_X86_64).u32(1).u64(0, EHDR, 0).u32(0);
  head.u16(EHDR).u16(PHDR).u16(1).u16(0).u16(0).u16(0);
  head.u32(PT_LOAD).u32(RWX).u64(PAGE, from, from, size, size, PAGE);
  const parts = regions.map(({ address, bytes }) => ({ at: Number(PAGE + address - from), bytes }));
  return { size: Number(PAGE + size), parts: [{ at: 0, bytes: head.done() }, ...parts] };
};
