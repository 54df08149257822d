import { type Bytes, claim, emulate, eq, type Line, local, lookup, ne, step, toHex, when } from "@cmodx/core";
import type { Mode } from "../isa/index.js";
import { readInstruction } from "./operations.js";

/* The undefined instructions that stand for probes (arch/arm/probes/kprobes/core.h, 7.3), and who handles them. */

/** In A32 the highest four bits are the condition. */
const A32: Bytes = [0xf8, 0x01, 0xf0, 0x07];
const T16: Bytes = [0x18, 0xde];
const T32: Bytes = [0xf0, 0xf7, 0x18, 0xa0];

const UNCONDITIONAL = 0xe0;

/** The probe that is put over an instruction: of its length and, in A32, of its condition. */
export const probeOver = (probed: Bytes, mode: Mode): Bytes => {
  if (mode === "t32") return probed.length === 2 ? T16 : T32;
  const condition = Math.min((probed[3] ?? 0) & 0xf0, UNCONDITIONAL);
  return [...A32.slice(0, 3), (A32[3] ?? 0) | condition];
};

/** The kprobe's handler: the copy of the probed instruction, or the instruction once more where the probe is gone. */
const kprobe: readonly Line[] = [
  lookup("handler-find", "kprobe_table", "probed", "get_kprobe"),
  when(
    "handler-found",
    ne(local("probed"), null),
    [emulate("handler-run", local("probed"), "the copy of the probed instruction"), claim("handler-claim")],
    [
      step("handler-restart", "restart", {}, "the probe was removed: by now the instruction is there again"),
      claim("handler-restarted"),
    ],
  ),
];

/** The handler of an undefined instruction: it reads the instruction, and calls the kprobes' hook only where it still is a probe. */
export const probeHandler = (mode: Mode): readonly Line[] => {
  if (mode === "a32") {
    return [
      readInstruction("handler-read", { offset: 0, size: 4, into: "instruction" }),
      when("handler-hook", eq(local("instruction"), toHex(A32)), kprobe),
    ];
  }
  return [
    readInstruction("handler-read", { offset: 0, size: 2, into: "first" }),
    when("handler-hook", eq(local("first"), toHex(T16)), kprobe),
    when("handler-wide", eq(local("first"), toHex(T32.slice(0, 2))), [
      readInstruction("handler-read-second", { offset: 2, size: 2, into: "second" }),
      when("handler-hook-wide", eq(local("second"), toHex(T32.slice(2))), kprobe),
    ]),
  ];
};
