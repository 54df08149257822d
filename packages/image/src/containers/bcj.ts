/** Undoes a filter in place: branches whose destinations were made absolute become relative again, as if the code lay at 0. */
export type Filter = { readonly name: string; readonly undo: (code: Uint8Array) => void };

const view = (code: Uint8Array): DataView => new DataView(code.buffer, code.byteOffset, code.byteLength);

/** ARM: the 24 bits of BL count words from the instruction after the next. */
function undoArm(code: Uint8Array): void {
  const words = view(code);
  for (let at = 0; at + 4 <= code.length; at += 4) {
    if (code[at + 3] !== 0xeb) continue;
    const word = words.getUint32(at, true);
    words.setUint32(at, ((word & 0xff000000) | (((word & 0xffffff) - ((at + 8) >> 2)) & 0xffffff)) >>> 0, true);
  }
}

/** Thumb: the two halfwords of BL hold 11 bits each, counted in halfwords from the next instruction. */
function undoThumb(code: Uint8Array): void {
  const halves = view(code);
  for (let at = 0; at + 4 <= code.length; at += 2) {
    const [first, second] = [halves.getUint16(at, true), halves.getUint16(at + 2, true)];
    if ((first & 0xf800) !== 0xf000 || (second & 0xf800) !== 0xf800) continue;
    const distance = (((first & 0x7ff) << 11) | (second & 0x7ff)) - ((at + 4) >> 1);
    halves.setUint16(at, 0xf000 | ((distance >> 11) & 0x7ff), true);
    halves.setUint16(at + 2, 0xf800 | (distance & 0x7ff), true);
    at += 2;
  }
}

const isSign = (byte: number): boolean => byte === 0 || byte === 0xff;

/** By the places of the opcodes among the last three bytes: whether a displacement may start here, and the byte to look at. */
const allowed = [true, true, true, false, true, false, false, false];
const nearest = [0, 1, 2, 2, 3, 3, 3, 3];

/**
 * X86: CALL and JMP with displacements of 32 bits whose top byte is a sign. `seen` has a bit for each of the last bytes that could
 * have been an opcode, since the encoder did not know either where instructions start.
 */
function undoX86(code: Uint8Array): void {
  const words = view(code);
  let last = -1;
  let seen = 0;
  for (let at = 0; at + 5 <= code.length; at++) {
    if (((code[at] as number) & 0xfe) !== 0xe8) continue;
    const distance = at - last;
    last = at;
    seen = distance > 3 ? 0 : (seen << (distance - 1)) & 7;
    const top = code[at + 4] as number;
    const blocked = seen !== 0 && (!allowed[seen] || isSign(code[at + 4 - (nearest[seen] as number)] as number));
    if (blocked || !isSign(top)) {
      seen = (seen << 1) | 1;
      continue;
    }
    let source = words.getInt32(at + 1, true);
    let relative: number;
    for (;;) {
      relative = (source - (at + 5)) | 0;
      const bits = (nearest[seen] as number) * 8;
      if (seen === 0 || !isSign((relative >>> (24 - bits)) & 0xff)) break;
      source = relative ^ (2 ** (32 - bits) - 1);
    }
    words.setInt32(at + 1, (relative << 7) >> 7, true);
    at += 4;
  }
}

/** The filters that kernels are packed with, by their numbers (The .xz File Format 1.2, 5.3.2). */
export const filters: ReadonlyMap<number, Filter> = new Map([
  [4, { name: "x86", undo: undoX86 }],
  [7, { name: "arm", undo: undoArm }],
  [8, { name: "armthumb", undo: undoThumb }],
]);
