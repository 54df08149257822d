import type { Bytes } from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { type Armv7Instruction, armv7InstructionSet, type Mode } from "../../src/index.js";
import { forms } from "../../src/isa/forms.js";

const { assemble, decode, format } = armv7InstructionSet;
const at = 0x80100000n;

/** The bytes in memory of an A32 word, or of T32 halfwords. */
const bytesOf = (hexadecimal: string): Bytes =>
  hexadecimal.split(" ").flatMap((unit) => [...Buffer.from(unit, "hex")].reverse());

const decoded = (bytes: Bytes, mode: Mode): Armv7Instruction => {
  const insn = decode(bytes, mode);
  if (typeof insn === "string") throw new Error(`${Buffer.from(bytes).toString("hex")} is ${insn} in ${mode}`);
  return insn;
};

const a32: readonly (readonly [string, string])[] = [
  ["E320F000", "nop"],
  ["E1A00000", "mov r0, r0"],
  ["E28DD004", "add sp, sp, #4"],
  ["EA000000", "b 0x80100008"],
  ["EAFFFFFE", "b 0x80100000"],
  ["0AFFFFFE", "beq 0x80100000"],
  ["EB7FFFFF", "bl 0x82100004"],
  ["EB800000", "bl 0x7e100008"],
  ["FB000000", "blx 0x8010000a"],
  ["FA000000", "blx 0x80100008"],
  ["E12FFF1E", "bx lr"],
  ["E12FFF33", "blx r3"],
  ["E1200070", "bkpt #0"],
  ["E12FFF7F", "bkpt #0xffff"],
  ["EF000000", "svc #0"],
  ["E1400071", "hvc #1"],
  ["E1600070", "smc #0"],
  ["F57FF06F", "isb"],
  ["F57FF04F", "dsb sy"],
  ["F57FF04B", "dsb ish"],
  ["F57FF04A", "dsb ishst"],
  ["F57FF05B", "dmb ish"],
  ["E7F001F8", "udf #24"],
  ["07F001F8", "udfeq #24"],
  ["17F001F8", "udfne #24"],
  ["D7F001F8", "udfle #24"],
  ["E7F000F0", "udf #0"],
  ["E52DE004", "push {lr}"],
  ["E92D4010", "push {r4, lr}"],
  ["E92D4000", "stmdb sp!, {lr}"],
  ["E49DF004", "pop {pc}"],
  ["E8BD8010", "pop {r4, pc}"],
  ["E51FF004", "ldr pc, [pc, #-4]"],
  ["E59FF000", "ldr pc, [pc]"],
  ["E51F0000", "ldr r0, [pc, #-0]"],
  ["EE070F35", "icimvau r0"],
  ["EE070F15", "iciallu r0"],
  ["EE070F11", "icialluis r0"],
  ["EE071F3B", "dccmvau r1"],
  ["EE070FF5", "bpimva r0"],
  ["EE070FD5", "bpiall r0"],
  ["EE070FD1", "bpiallis r0"],
  ["EE073F95", "cp15isb r3"],
  ["E3A004FF", "mov r0, #0xff000000"],
  ["E3A00F3F", "mov r0, #63, #30"],
  ["E3A000FC", "mov r0, #252"],
  ["E3E00000", "mvn r0, #0"],
  ["E30B8A1F", "movw r8, #0xba1f"],
  ["E34B8A1F", "movt r8, #0xba1f"],
  ["E1B00211", "lsls r0, r1, r2"],
  ["E1A00081", "lsl r0, r1, #1"],
  ["E1A00021", "lsr r0, r1, #32"],
  ["E1A00061", "rrx r0, r1"],
  ["E0810142", "add r0, r1, r2, asr #2"],
  ["E0910352", "adds r0, r1, r2, asr r3"],
  ["E1510002", "cmp r1, r2"],
  ["C2800001", "addgt r0, r0, #1"],
  ["E7910102", "ldr r0, [r1, r2, lsl #2]"],
  ["E6810002", "str r0, [r1], r2"],
  ["E5210008", "str r0, [r1, #-8]!"],
  ["E5B10000", "ldr r0, [r1, #0]!"],
  ["E1D100B2", "ldrh r0, [r1, #2]"],
  ["E19100F2", "ldrsh r0, [r1, r2]"],
  ["E1510DD4", "ldrsb r0, [r1, #-212]"],
  ["E8B00006", "ldm r0!, {r1, r2}"],
  ["E9800006", "stmib r0, {r1, r2}"],
  ["E0000291", "mul r0, r1, r2"],
  ["E6AF0471", "sxtb r0, r1, ror #8"],
  ["E6BF0F31", "rev r0, r1"],
];

const t32: readonly (readonly [string, string])[] = [
  ["BF00", "nop"],
  ["F3AF 8000", "nop.w"],
  ["F10D 0D04", "add.w sp, sp, #4"],
  ["E000", "b 0x80100004"],
  ["E7FE", "b 0x80100000"],
  ["D0FE", "beq 0x80100000"],
  ["F000 B800", "b.w 0x80100004"],
  ["F43F AFFE", "beq.w 0x80100000"],
  ["F000 F800", "bl 0x80100004"],
  ["F3FF D7FF", "bl 0x81100002"],
  ["F400 D000", "bl 0x7f100004"],
  ["F000 E800", "blx 0x80100004"],
  ["4770", "bx lr"],
  ["4798", "blx r3"],
  ["B110", "cbz r0, 0x80100008"],
  ["BBF8", "cbnz r0, 0x80100082"],
  ["BE00", "bkpt #0"],
  ["DF00", "svc #0"],
  ["F7E0 8001", "hvc #1"],
  ["F7F0 8000", "smc #0"],
  ["DE18", "udf #24"],
  ["DE00", "udf #0"],
  ["F7F0 A018", "udf.w #24"],
  ["F3BF 8F6F", "isb"],
  ["F3BF 8F4B", "dsb ish"],
  ["F3BF 8F5B", "dmb ish"],
  ["B500", "push {lr}"],
  ["B5F0", "push {r4, r5, r6, r7, lr}"],
  ["BD10", "pop {r4, pc}"],
  ["E92D 4FF0", "push.w {r4, r5, r6, r7, r8, r9, r10, r11, lr}"],
  ["F84D ED04", "push.w {lr}"],
  ["F85D FB04", "pop.w {pc}"],
  ["F85F F004", "ldr.w pc, [pc, #-4]"],
  ["F8DF F000", "ldr.w pc, [pc]"],
  ["4800", "ldr r0, [pc]"],
  ["EE07 0F35", "icimvau r0"],
  ["EE07 0F15", "iciallu r0"],
  ["EE07 1F3B", "dccmvau r1"],
  ["EE07 0FF5", "bpimva r0"],
  ["EE07 0FD5", "bpiall r0"],
  ["46C0", "mov r8, r8"],
  ["0000", "movs r0, r0"],
  ["0048", "lsls r0, r1, #1"],
  ["0808", "lsrs r0, r1, #32"],
  ["1C48", "adds r0, r1, #1"],
  ["3001", "adds r0, #1"],
  ["4448", "add r0, r9"],
  ["B082", "sub sp, #8"],
  ["A901", "add r1, sp, #4"],
  ["A101", "add r1, pc, #4"],
  ["4248", "rsbs r0, r1, #0"],
  ["4348", "muls r0, r1, r0"],
  ["5888", "ldr r0, [r1, r2]"],
  ["8848", "ldrh r0, [r1, #2]"],
  ["C806", "ldm r0!, {r1, r2}"],
  ["C807", "ldm r0, {r0, r1, r2}"],
  ["B240", "sxtb r0, r0"],
  ["BA08", "rev r0, r1"],
  ["F8D8 6028", "ldr.w r6, [r8, #40]"],
  ["F851 0C04", "ldr.w r0, [r1, #-4]"],
  ["F841 0F04", "str.w r0, [r1, #4]!"],
  ["F851 0032", "ldr.w r0, [r1, r2, lsl #3]"],
  ["F240 1623", "movw r6, #291"],
  ["F2C0 2001", "movt r0, #513"],
  ["F04F 20FF", "mov.w r0, #0xff00ff00"],
  ["F04F 3001", "mov.w r0, #0x1010101"],
  ["F44F 7080", "mov.w r0, #256"],
  ["EB01 0042", "add.w r0, r1, r2, lsl #1"],
  ["EBB1 0F02", "cmp.w r1, r2"],
  ["FA01 F002", "lsl.w r0, r1, r2"],
  ["EA4F 0031", "rrx r0, r1"],
  ["FB01 F002", "mul r0, r1, r2"],
  ["FA91 F081", "rev.w r0, r1"],
];

describe.each([
  ["a32", a32],
  ["t32", t32],
] as const)("encodings of %s", (mode, encodings) => {
  it.each(encodings)("%s is %s", (hexadecimal, text) => {
    const bytes = bytesOf(hexadecimal);
    const insn = decoded(bytes, mode);
    expect(insn).toMatchObject({ length: bytes.length, mode });
    expect(format(insn, at)).toBe(text);
    expect(assemble(text, at, mode)).toEqual(bytes);
  });
});

describe("spellings", () => {
  it.each([
    ["a32", "  MOV   r0 , r1, LSL #2", "lsl r0, r1, #2"],
    ["a32", "movs r0, r1, rrx", "rrxs r0, r1"],
    ["a32", "b .", "b 0x80100000"],
    ["a32", "bcs .+8", "bhs 0x80100008"],
    ["a32", "bcc .-0x10", "blo 0x800ffff0"],
    ["a32", "add sp, #4", "add sp, sp, #4"],
    ["a32", "str lr, [sp, #-4]!", "push {lr}"],
    ["a32", "ldr pc, [sp], #4", "pop {pc}"],
    ["a32", "stmfd sp!, {r4-r6, lr}", "push {r4, r5, r6, lr}"],
    ["a32", "ldmia r0!, {r1,r2}", "ldm r0!, {r1, r2}"],
    ["a32", "mcr p15, 0, r0, c7, c5, 1", "icimvau r0"],
    ["a32", "mcrne p15, #0, r2, c7, c11, #1", "dccmvaune r2"],
    ["a32", "dsb", "dsb sy"],
    ["a32", "isb sy", "isb"],
    ["a32", "mov r13, r14", "mov sp, lr"],
    ["a32", "ldr ip, [fp, #-16]", "ldr r12, [r11, #-16]"],
    ["t32", "b.n .", "b 0x80100000"],
    ["t32", "adds r0, r0, #200", "adds r0, #200"],
    ["t32", "ldr r6, [r8, #40]", "ldr.w r6, [r8, #40]"],
    ["t32", "add r0, r0, r9", "add r0, r9"],
    ["t32", "dsb #11", "dsb ish"],
    ["t32", "push {r8, lr}", "push.w {r8, lr}"],
  ] as const)("%s: %s", (mode, text, shown) => {
    expect(format(decoded(assemble(text, at, mode), mode), at)).toBe(shown);
  });

  it("gives bits as they are", () => {
    expect(assemble(".byte 0x01, 2", at, "t32")).toEqual([1, 2]);
    expect(assemble(".inst 0xe7f001f8", at, "a32")).toEqual([0xf8, 0x01, 0xf0, 0xe7]);
    expect(assemble(".inst.n 0xde18", at, "t32")).toEqual([0x18, 0xde]);
    expect(assemble(".inst.w 0xf7f0a018", at, "t32")).toEqual([0xf0, 0xf7, 0x18, 0xa0]);
  });

  it("means a32 where no mode is named", () => {
    expect(assemble("nop", at)).toEqual([0x00, 0xf0, 0x20, 0xe3]);
    expect(decode([0x00, 0xf0, 0x20, 0xe3], "")).toMatchObject({ op: "nop", mode: "a32" });
    expect(() => assemble("nop", at, "thumb")).toThrow("armv7 has no mode thumb; it has a32 and t32.");
  });
});

describe("refusals", () => {
  it.each([
    [
      "a32",
      "b .+0x2000008",
      /"b" at 0x80100000 cannot reach 0x82100008: .* 33554432 bytes .* -33554432 to 33554428\.$/,
    ],
    ["a32", "b .-0x1fffffc", /cannot reach 0x7e100004: .* -33554436 bytes/],
    ["a32", "b .+2", /lies -6 bytes from the pc that it reads, which is no multiple of 4\.$/],
    ["t32", "b .+0x804", /"b" at .* 2048 bytes .* allowed are -2048 to 2046\.$/],
    ["t32", "beq .+0x104", /allowed are -256 to 254\.$/],
    ["t32", "b.w .+0x1000004", /allowed are -16777216 to 16777214\.$/],
    ["t32", "bl .-0xfffffe", /allowed are -16777216 to 16777214\.$/],
    ["t32", "blx .+2", /which is no multiple of 4\.$/],
    ["t32", "cbz r0, .", /lies -4 bytes .* allowed are 0 to 126\.$/],
    ["a32", "frob r0", /"frob r0" is no a32 instruction known here: no "frob"\.$/],
    ["t32", "rsc r0, r0, r1", /no t32 instruction known here: no "rsc"/],
    ["a32", "mov r0, r99", /has an operand that is no register/],
    ["a32", "mov r0, #-1", /has no a32 encoding/],
    ["a32", "mov r0, #0x101", /has no a32 encoding with these operands\.$/],
    ["a32", "mov r0, #252, #3", /has no a32 encoding/],
    ["a32", "ldr r0, [r1, #4096]", /has no a32 encoding/],
    ["a32", "ldr r0, [r0], #4", /has no a32 encoding/],
    ["a32", "blx pc", /has no a32 encoding/],
    ["t32", "movs r8, #1, #2", /has no t32 encoding/],
    ["t32", "push {sp}", /has no t32 encoding/],
    ["t32", "nop.w r0", /has no t32 encoding/],
    ["a32", ".inst 0x100000000", /needs numbers from 0 to 0xffffffff/],
    ["a32", "", /is no a32 instruction known here/],
  ] as const)("%s: %s", (mode, text, message) => {
    expect(() => assemble(text, at, mode)).toThrow(message);
    expect(() => assemble(text, at, mode)).toThrow(expect.objectContaining({ name: "InputError" }));
  });

  it.each([
    ["a32", "b .+0x2000004", "EA7FFFFF"],
    ["a32", "b .-0x1fffff8", "EA800000"],
    ["t32", "b .+0x802", "E3FF"],
    ["t32", "b .-0x7fc", "E400"],
    ["t32", "beq .+0x102", "D07F"],
    ["t32", "beq .-0xfc", "D080"],
    ["t32", "b.w .+0x1000002", "F3FF 97FF"],
    ["t32", "b.w .-0xfffffc", "F400 9000"],
    ["t32", "beq.w .+0x100002", "F03F AFFF"],
    ["t32", "beq.w .-0xffffc", "F400 8000"],
    ["t32", "cbz r0, .+0x82", "B3F8"],
  ] as const)("but %s: %s is in reach", (mode, text, hexadecimal) => {
    expect(assemble(text, at, mode)).toEqual(bytesOf(hexadecimal));
  });
});

/** Pseudo-random words, the same in every run. */
const words = (seed: number) => {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
};

const memoryBytes = (word: number, mode: Mode, bits: 16 | 32): Bytes => {
  const bytes = [0, 8, 16, 24].map((place) => (word >>> place) & 0xff);
  if (bits === 16) return bytes.slice(0, 2);
  return mode === "a32" ? bytes : [...bytes.slice(2), ...bytes.slice(0, 2)];
};

const expectRoundTrip = (bytes: Bytes, mode: Mode): boolean => {
  const insn = decode(bytes, mode);
  if (typeof insn === "string" || insn === undefined) return false;
  const text = format(insn, at);
  const again = decoded(assemble(text, at, mode), mode);
  // An encoding that another one has the text of keeps its meaning: the sum of a high register and sp, say.
  if (Buffer.from(assemble(text, at, mode)).compare(Buffer.from(bytes)) !== 0) {
    expect([text, again], `${Buffer.from(bytes).toString("hex")} in ${mode}`).toEqual([text, insn]);
  }
  return true;
};

describe("what is shown", () => {
  it.each(["a32", "t32"] as const)("is assembled to the same instruction, whatever the word of %s", (mode) => {
    const next = words(1);
    let inside = 0;
    for (let round = 0; round < 20_000; round += 1) {
      const word = next();
      const isWide = mode === "a32" || word >>> 27 >= 0b11101;
      if (expectRoundTrip(memoryBytes(isWide ? word : word >>> 16, mode, isWide ? 32 : 16), mode)) inside += 1;
    }
    expect(inside).toBeGreaterThan(5000);
  });

  it("is assembled to the same instruction for every row of the tables", () => {
    const next = words(2);
    for (const { pattern, mode, op } of [...forms.a32, ...forms.t32]) {
      if (op === "outside" || op === "undefined") continue;
      let shown = 0;
      for (let round = 0; round < 400 && shown < 10; round += 1) {
        const free = pattern.bits === 16 ? next() & 0xffff : next();
        const word = ((free & ~pattern.mask) | pattern.value) >>> 0;
        if (expectRoundTrip(memoryBytes(word, mode, pattern.bits), mode)) shown += 1;
      }
      expect(shown, `${op} in ${mode}`).toBeGreaterThan(0);
    }
  });
});
