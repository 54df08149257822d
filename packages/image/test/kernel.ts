import { join, u32 } from "./packed.js";

/** How a made-up kernel holds its own symbols and pointers; each is a layout of real ones. */
export type KernelLayout = {
  readonly machine: "arm64" | "riscv64" | "arm";
  /** Where the addresses are: before the names (to 6.3), behind them (6.4), or behind them and relative to themselves (7.1). */
  readonly offsets: "before" | "behind" | "relative";
  /** Whether symbols of data are among them (CONFIG_KALLSYMS_ALL). */
  readonly all: boolean;
  /** Whether pointers are zero in the file, and relocations hold what they are. */
  readonly relocated: boolean;
  /** Whether there is room for a literal before each function (CALL_OPS). */
  readonly callOps: boolean;
};

/** A made-up kernel, and what should be found in it. */
export type MadeKernel = {
  readonly bytes: Uint8Array;
  readonly base: bigint;
  /** Offsets of functions, without what lies before their entries. */
  readonly functions: readonly number[];
  /** Offsets of their jump labels. */
  readonly labels: readonly number[];
  readonly symbols: readonly (readonly [offset: number, letter: string, name: string])[];
};

const bases = { arm64: 0xffff800008000000n, riscv64: 0xffffffff80000000n, arm: 0xc0208000n };
const nops = { arm64: [0x1f, 0x20, 0x03, 0xd5], riscv64: [0x13, 0, 0, 0], arm: [0, 0xf0, 0x20, 0xe3] };
const headers = { arm64: "ARM\x64", riscv64: "RSC\x05", arm: "" };
const align = (offset: number, to: number): number => Math.ceil(offset / to) * to;

/** Functions of a kernel, so many that its tables are believed and names have several markers. */
const COUNT = 300;

/** Builds a kernel of that layout from nothing. */
export function makeKernel({ machine, offsets, all, relocated, callOps }: KernelLayout): MadeKernel {
  const base = bases[machine];
  const word = machine === "arm" ? 4 : 8;
  const head = machine === "arm64" ? 0x10000 : machine === "arm" ? 0xf8000 : 0x2000;
  const parts: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  const symbols: (readonly [number, string, string])[] = [];
  let at = head;
  const put = (bytes: Uint8Array | readonly number[], alignment = 8): number => {
    at = align(at, alignment);
    parts.push({ at, bytes: Uint8Array.from(bytes) });
    at += bytes.length;
    return at - bytes.length;
  };
  const absolute = (offset: number): number[] => {
    const value = base + BigInt(offset);
    const bytes = new Uint8Array(8);
    if (!relocated) new DataView(bytes.buffer).setBigUint64(0, value, true);
    return [...bytes.subarray(0, word)];
  };

  const functions: number[] = [];
  const labels: number[] = [];
  const entries: number[] = [];
  const nop = nops[machine];
  const body = (i: number): void => {
    const padding = callOps ? 8 : 0;
    // `push {lr}` stands before the call that ARM kernels have.
    const push = machine === "arm" ? [0x04, 0xe0, 0x2d, 0xe5] : [];
    const ftrace = machine === "arm" ? [...push, 0xfe, 0xff, 0xff, 0xeb] : [...nop, ...nop];
    const before = Array(padding / nop.length)
      .fill(nop)
      .flat();
    // Then something that is no nop, a label, and what it leads to.
    const start = put(
      [...before, ...ftrace, 0xc0, 0x03, 0x5f, 0xd6, ...nop, 0xc0, 0x03, 0x5f, 0xd6, i & 255, i >> 8, 0, 1],
      8,
    );
    functions.push(start + padding);
    entries.push(start + push.length);
    labels.push(start + padding + ftrace.length + 4);
    symbols.push([start + padding, "t", `function_${i}`]);
  };
  symbols.push([0, "T", machine === "riscv64" ? "_start" : "_text"], [head, "T", "_stext"]);
  for (let i = 0; i < COUNT; i++) body(i);
  symbols.push([put(nop, 4096), "D", "_etext"]);

  const key = put(new Uint8Array(16 * COUNT), 16);
  symbols.push([key, "D", "the_key"]);
  const table = put(
    join(
      ...labels.map((label, i) => {
        const here = align(at, 16) + 16 * i;
        if (machine === "arm") return [...absolute(label), ...absolute(label + 4), ...absolute(key + 16 * i)];
        return join(u32(label - here, label + 4 - here - 4), u32(key + 16 * i - here - 8, 0xffffffff));
      }),
    ),
    16,
  );
  symbols.push([table, "D", "__start___jump_table"], [at, "D", "__stop___jump_table"]);
  if (machine === "arm") {
    // Behind it stands an entry of another table of three addresses, in what is freed, which is no label.
    const freed = align(at + 12, 4096) + 64;
    put([...absolute(freed), ...absolute(freed + 4), ...absolute(freed)], 4);
  }

  symbols.push([put(nop, 4096), "T", "_sinittext"]);
  const user = put(nop, 4);
  symbols.push([user, "t", "jump_label_init"], [user, "t", "ftrace_init"], [put(nop, 4), "T", "_einittext"]);
  const mcount = put(
    entries.flatMap((entry) => absolute(entry)),
    word,
  );
  symbols.push([mcount, "D", "__start_mcount_loc"], [at, "D", "__stop_mcount_loc"]);
  if (relocated) {
    const field = (value: bigint): number[] => [...new Uint8Array(BigUint64Array.of(value).buffer)];
    const relative = machine === "arm64" ? 1027n : 3n;
    put(
      entries.flatMap((entry, i) => [
        ...field(base + BigInt(mcount + 8 * i)),
        ...field(relative),
        ...field(base + BigInt(entry)),
      ]),
    );
  }

  const shown = symbols.filter(([offset, letter]) => all || (/[TtD]/.test(letter) && offset >= head));
  const known = all ? shown : shown.filter(([, , name]) => !/^__st/.test(name) && name !== "the_key");
  known.sort((a, b) => a[0] - b[0]);
  const lowest = known[0]?.[0] ?? 0;
  writeKallsyms(put, () => at, known, {
    offsets,
    word,
    lowest,
    base: relocated ? new Array(word).fill(0) : absolute(lowest),
  });

  const bytes = new Uint8Array(align(at, 4096));
  bytes.set(new TextEncoder().encode(headers[machine]), 0x38);
  new DataView(bytes.buffer).setBigUint64(0x10, BigInt(bytes.length + 0x1000), true);
  for (const part of parts) bytes.set(part.bytes, part.at);
  return { bytes, base, functions, labels, symbols: known };
}

type Put = (bytes: Uint8Array | readonly number[], alignment?: number) => number;

/** Names with a token for each letter that stands for itself, and one for `function_`. */
function writeKallsyms(
  put: Put,
  here: () => number,
  symbols: readonly (readonly [offset: number, letter: string, name: string])[],
  {
    offsets,
    word,
    lowest,
    base,
  }: { offsets: KernelLayout["offsets"]; word: 4 | 8; lowest: number; base: readonly number[] },
): void {
  const alignment = offsets === "relative" ? 4 : word;
  const encoded = symbols.map(([, letter, name]) => {
    const bytes = [...`${letter}${name}`.replace("function_", "\x01")].map((each) => each.charCodeAt(0));
    return [bytes.length, ...bytes];
  });
  const distances = (at: number): Uint8Array =>
    u32(
      ...symbols.map(([offset], i) => {
        if (offsets !== "relative") return offset - lowest;
        return word === 4 ? Number(0xc0208000n) + offset : offset - (at + 4 * i);
      }),
    );
  const putOffsets = (): void => {
    put(distances(align(here(), alignment)), alignment);
    if (offsets !== "relative") put(base, word);
  };
  if (offsets === "before") putOffsets();
  put(u32(symbols.length), alignment);
  put(encoded.flat(), alignment);
  const markers: number[] = [];
  let start = 0;
  encoded.forEach((name, i) => {
    if (i % 256 === 0) markers.push(start);
    start += name.length;
  });
  put(u32(...markers), alignment);
  // The order of names, three bytes each, stands before the tokens or behind everything.
  const order = new Uint8Array(3 * symbols.length).fill(0x21);
  if (offsets === "before") put(order, alignment);
  const tokens = Array.from({ length: 256 }, (_, i) =>
    i === 1 ? "function_" : i >= 32 && i < 127 ? String.fromCharCode(i) : "",
  );
  put(new TextEncoder().encode(tokens.map((token) => `${token}\0`).join("")), alignment);
  let index = 0;
  put(
    tokens.flatMap((token) => {
      const two = [index & 255, index >> 8];
      index += token.length + 1;
      return two;
    }),
    alignment,
  );
  if (offsets !== "before") {
    putOffsets();
    put(order, alignment);
  }
}
