import type { Meaning } from "./form.js";
import { parseMeaning } from "./notation.js";

/**
 * Other names of full-size instructions (RISC-V unprivileged ISA, "RISC-V Assembly Programmer's Handbook"), in the notation of the
 * table of encodings. `format` shows the first that fits.
 */
const rows = `
  nop   = addi rd=zero rs1=zero imm=0
  li    : rd imm = addi rs1=zero
  mv    : rd rs1 = addi imm=0
  sext.w : rd rs1 = addiw imm=0
  j     : target = jal rd=zero
  jal   : target = jal rd=ra
  ret   = jalr rd=zero rs1=ra imm=0
  jr    : rs1 = jalr rd=zero imm=0
  jalr  : rs1 = jalr rd=ra imm=0
  beqz  : rs1 target = beq rs2=zero
  bnez  : rs1 target = bne rs2=zero
  pause = fence pred=w succ=0
  fence = fence pred=iorw succ=iorw
`;

/** The pseudo-instructions; `op` is the mnemonic of the instruction they stand for. */
export const pseudoInstructions: readonly Meaning[] = rows
  .split("\n")
  .filter((row) => row.trim() !== "")
  .map(parseMeaning);
