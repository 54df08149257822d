import { arm64 } from "@cmodx/arm64";
import { integerRegisters, riscv } from "@cmodx/riscv";
import { type Door, slots } from "./doors.js";

const named = (number: number) => ({ shown: `X${number}`, is: `x${number}` });

export const aarch64Door: Door = {
  head: "AArch64 doors",
  architecture: arm64({ fetch: "none", cmodx: "herd", line: 4 }),
  result: named,
  holds: Array.from({ length: 7 }, (_, i) => named(10 + i)),
  rows(step, i, holds) {
    switch (step.do) {
      case "call":
        return [`LDR X8,[${holds[slots.pointer + step.pointer]}]`, "BLR X8", `MOV X${i},X9`];
      case "point":
        return [`STR ${holds[slots.fun + "fgh".indexOf(step.to)]},[${holds[slots.pointer + step.pointer]}]`];
      case "load":
        return [`LDR W${i},[${holds[slots.flag]}]`];
      case "store":
        return ["MOV W7,#1", `STR W7,[${holds[slots.flag]}]`];
      case "patch":
        return [`STR ${(holds[slots.instruction] as string).replace(/^x/i, "W")},[${holds[slots.fun + 2]}]`];
      case "barrier":
        return ["DMB SY"];
      case "synchronise":
        return ["ISB"];
    }
  },
  body: (value) => [`MOV W9,#${value}`, "RET"],
  jump: (to) => `B ${to}`,
  filler: "NOP",
  size: 4,
};

const numbered = (number: number) => ({ shown: `x${number}`, is: integerRegisters[number] as string });

export const riscvDoor: Door = {
  head: "RISCV doors",
  architecture: riscv({ fetch: "zifencei" }),
  result: (step) => numbered(18 + step),
  holds: Array.from({ length: 7 }, (_, i) => numbered(10 + i)),
  rows(step, i, holds) {
    const into = `x${18 + i}`;
    switch (step.do) {
      case "call":
        return [`ld x8,0(${holds[slots.pointer + step.pointer]})`, "jalr x1,0(x8)", `addi ${into},x9,0`];
      case "point":
        return [`sd ${holds[slots.fun + "fgh".indexOf(step.to)]},0(${holds[slots.pointer + step.pointer]})`];
      case "load":
        return [`lw ${into},0(${holds[slots.flag]})`];
      case "store":
        return ["addi x7,x0,1", `sw x7,0(${holds[slots.flag]})`];
      case "patch":
        return [`sw ${holds[slots.instruction]},0(${holds[slots.fun + 2]})`];
      case "barrier":
        return ["fence rw,rw"];
      case "synchronise":
        return ["fence.i"];
    }
  },
  body: (value) => [`addi x9,x0,${value}`, "jalr x0,0(x1)"],
  jump: (to) => `jal x0,${to}`,
  filler: "nop",
  size: 4,
};
