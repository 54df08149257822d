import type { Form } from "./form.js";
import { parseForm } from "./notation.js";

/*
 * Every encoding, in the notation of the manual's own listings (RISC-V unprivileged ISA, "RV32/64G Instruction Set Listings" and
 * "RVC Instruction Set Listings"): from the highest bit down, fixed bits, fields, and `-` for bits that the hart ignores. Behind
 * `:` the operands in assembler text; behind `=` what a compressed instruction expands to, and the fields that this fixes.
 *
 * The first row that fits counts. `reserved` raises an illegal-instruction exception. Of what is `opaque` the length alone is known;
 * `outside` goes on elsewhere. Whatever no row fits is undefined: encodings that other extensions take raise an illegal-instruction
 * exception on a hart without them. HINTs (`c.addi zero, 5`, `slti zero, …`, `prefetch.i`) need no row of
 * their own: they do nothing, since they write no register.
 */

const base = `
  lui     imm[31:12] rd 0110111                              : rd imm20
  auipc   imm[31:12] rd 0010111                              : rd imm20
  jal     imm[20|10:1|11|19:12] rd 1101111                   : rd target
  jalr    imm[11:0] rs1 000 rd 1100111                       : rd imm(rs1)
  beq     imm[12|10:5] rs2 rs1 000 imm[4:1|11] 1100011       : rs1 rs2 target
  bne     imm[12|10:5] rs2 rs1 001 imm[4:1|11] 1100011       : rs1 rs2 target
  blt     imm[12|10:5] rs2 rs1 100 imm[4:1|11] 1100011       : rs1 rs2 target
  bge     imm[12|10:5] rs2 rs1 101 imm[4:1|11] 1100011       : rs1 rs2 target
  bltu    imm[12|10:5] rs2 rs1 110 imm[4:1|11] 1100011       : rs1 rs2 target
  bgeu    imm[12|10:5] rs2 rs1 111 imm[4:1|11] 1100011       : rs1 rs2 target
  lb      imm[11:0] rs1 000 rd 0000011                       : rd imm(rs1)
  lh      imm[11:0] rs1 001 rd 0000011                       : rd imm(rs1)
  lw      imm[11:0] rs1 010 rd 0000011                       : rd imm(rs1)
  ld      imm[11:0] rs1 011 rd 0000011                       : rd imm(rs1)
  lbu     imm[11:0] rs1 100 rd 0000011                       : rd imm(rs1)
  lhu     imm[11:0] rs1 101 rd 0000011                       : rd imm(rs1)
  lwu     imm[11:0] rs1 110 rd 0000011                       : rd imm(rs1)
  sb      imm[11:5] rs2 rs1 000 imm[4:0] 0100011             : rs2 imm(rs1)
  sh      imm[11:5] rs2 rs1 001 imm[4:0] 0100011             : rs2 imm(rs1)
  sw      imm[11:5] rs2 rs1 010 imm[4:0] 0100011             : rs2 imm(rs1)
  sd      imm[11:5] rs2 rs1 011 imm[4:0] 0100011             : rs2 imm(rs1)
  addi    imm[11:0] rs1 000 rd 0010011                       : rd rs1 imm
  slti    imm[11:0] rs1 010 rd 0010011                       : rd rs1 imm
  sltiu   imm[11:0] rs1 011 rd 0010011                       : rd rs1 imm
  xori    imm[11:0] rs1 100 rd 0010011                       : rd rs1 imm
  ori     imm[11:0] rs1 110 rd 0010011                       : rd rs1 imm
  andi    imm[11:0] rs1 111 rd 0010011                       : rd rs1 imm
  slli    000000 uimm[5:0] rs1 001 rd 0010011                : rd rs1 imm
  srli    000000 uimm[5:0] rs1 101 rd 0010011                : rd rs1 imm
  srai    010000 uimm[5:0] rs1 101 rd 0010011                : rd rs1 imm
  addiw   imm[11:0] rs1 000 rd 0011011                       : rd rs1 imm
  slliw   0000000 uimm[4:0] rs1 001 rd 0011011               : rd rs1 imm
  srliw   0000000 uimm[4:0] rs1 101 rd 0011011               : rd rs1 imm
  sraiw   0100000 uimm[4:0] rs1 101 rd 0011011               : rd rs1 imm
  add     0000000 rs2 rs1 000 rd 0110011                     : rd rs1 rs2
  sub     0100000 rs2 rs1 000 rd 0110011                     : rd rs1 rs2
  sll     0000000 rs2 rs1 001 rd 0110011                     : rd rs1 rs2
  slt     0000000 rs2 rs1 010 rd 0110011                     : rd rs1 rs2
  sltu    0000000 rs2 rs1 011 rd 0110011                     : rd rs1 rs2
  xor     0000000 rs2 rs1 100 rd 0110011                     : rd rs1 rs2
  srl     0000000 rs2 rs1 101 rd 0110011                     : rd rs1 rs2
  sra     0100000 rs2 rs1 101 rd 0110011                     : rd rs1 rs2
  or      0000000 rs2 rs1 110 rd 0110011                     : rd rs1 rs2
  and     0000000 rs2 rs1 111 rd 0110011                     : rd rs1 rs2
  addw    0000000 rs2 rs1 000 rd 0111011                     : rd rs1 rs2
  subw    0100000 rs2 rs1 000 rd 0111011                     : rd rs1 rs2
  sllw    0000000 rs2 rs1 001 rd 0111011                     : rd rs1 rs2
  srlw    0000000 rs2 rs1 101 rd 0111011                     : rd rs1 rs2
  sraw    0100000 rs2 rs1 101 rd 0111011                     : rd rs1 rs2
  ecall   000000000000 00000 000 00000 1110011
  ebreak  000000000001 00000 000 00000 1110011
`;

// Reserved values of fm and of the unused registers are to be ignored (2.7 and "Zifencei").
const fences = `
  fence.tso 1000 0011 0011 ----- 000 ----- 0001111
  fence     ---- pred succ ----- 000 ----- 0001111           : pred succ
  fence.i   ------------ ----- 001 ----- 0001111
`;

const atomics = ["00001 amoswap", "00000 amoadd", "00100 amoxor", "01100 amoand", "01000 amoor"]
  .concat(["10000 amomin", "10100 amomax", "11000 amominu", "11100 amomaxu"])
  .map((row) => {
    const [funct5, name] = row.split(" ");
    return `
      ${name}.w ${funct5} aq rl rs2 rs1 010 rd 0101111 : rd rs2 (rs1)
      ${name}.d ${funct5} aq rl rs2 rs1 011 rd 0101111 : rd rs2 (rs1)`;
  })
  .join("");

const widths = ["000 b", "001 h", "010 w", "011 d"].map((row) => row.split(" ") as [string, string]);

/** Reserving and conditional accesses ("A", 13.2), and load-acquire and store-release ("Zalasr"): those forms have an ordering. */
const ordered = `
  lr.w    00010 aq rl 00000 rs1 010 rd 0101111               : rd (rs1)
  lr.d    00010 aq rl 00000 rs1 011 rd 0101111               : rd (rs1)
  sc.w    00011 aq rl rs2 rs1 010 rd 0101111                 : rd rs2 (rs1)
  sc.d    00011 aq rl rs2 rs1 011 rd 0101111                 : rd rs2 (rs1)
  reserved 001100- ---------- 0-- ----- 0101111
  reserved 00111-0 ---------- 0-- ----- 0101111
  ${widths.map(([funct3, width]) => `l${width}.ordered 00110 aq rl 00000 rs1 ${funct3} rd 0101111 : rd (rs1) = l${width} imm=0`).join("\n")}
  ${widths.map(([funct3, width]) => `s${width}.ordered 00111 aq rl rs2 rs1 ${funct3} 00000 0101111 : rs2 (rs1) = s${width} imm=0`).join("\n")}
`;

const compressed = `
  reserved    000 00000000 --- 00
  c.addi4spn  000 uimm[5:4|9:6|2|3] rd' 00                   : rd sp imm  = addi rs1=sp
  opaque      001 ----------- 00
  c.lw        010 uimm[5:3] rs1' uimm[2|6] rd' 00            : rd imm(rs1) = lw
  c.ld        011 uimm[5:3] rs1' uimm[7:6] rd' 00            : rd imm(rs1) = ld
  opaque      101 ----------- 00
  c.sw        110 uimm[5:3] rs1' uimm[2|6] rs2' 00           : rs2 imm(rs1) = sw
  c.sd        111 uimm[5:3] rs1' uimm[7:6] rs2' 00           : rs2 imm(rs1) = sd

  c.nop       000 0 00000 00000 01                           = addi rd=zero rs1=zero imm=0
  c.addi      000 imm[5] rd imm[4:0] 01                      : rd imm = addi rs1=rd
  reserved    001 - 00000 ----- 01
  c.addiw     001 imm[5] rd imm[4:0] 01                      : rd imm = addiw rs1=rd
  c.li        010 imm[5] rd imm[4:0] 01                      : rd imm = addi rs1=zero
  reserved    011 0 ----- 00000 01
  c.addi16sp  011 imm[9] 00010 imm[4|6|8:7|5] 01             : sp imm = addi rd=sp rs1=sp
  c.lui       011 imm[17] rd imm[16:12] 01                   : rd imm20 = lui
  c.srli      100 uimm[5] 00 rd' uimm[4:0] 01                : rd imm = srli rs1=rd
  c.srai      100 uimm[5] 01 rd' uimm[4:0] 01                : rd imm = srai rs1=rd
  c.andi      100 imm[5] 10 rd' imm[4:0] 01                  : rd imm = andi rs1=rd
  c.sub       100 0 11 rd' 00 rs2' 01                        : rd rs2 = sub rs1=rd
  c.xor       100 0 11 rd' 01 rs2' 01                        : rd rs2 = xor rs1=rd
  c.or        100 0 11 rd' 10 rs2' 01                        : rd rs2 = or rs1=rd
  c.and       100 0 11 rd' 11 rs2' 01                        : rd rs2 = and rs1=rd
  c.subw      100 1 11 rd' 00 rs2' 01                        : rd rs2 = subw rs1=rd
  c.addw      100 1 11 rd' 01 rs2' 01                        : rd rs2 = addw rs1=rd
  c.j         101 imm[11|4|9:8|10|6|7|3:1|5] 01              : target = jal rd=zero
  c.beqz      110 imm[8|4:3] rs1' imm[7:6|2:1|5] 01          : rs1 target = beq rs2=zero
  c.bnez      111 imm[8|4:3] rs1' imm[7:6|2:1|5] 01          : rs1 target = bne rs2=zero

  c.slli      000 uimm[5] rd uimm[4:0] 10                    : rd imm = slli rs1=rd
  opaque      001 ----------- 10
  reserved    010 - 00000 ----- 10
  c.lwsp      010 uimm[5] rd uimm[4:2|7:6] 10                : rd imm(sp) = lw rs1=sp
  reserved    011 - 00000 ----- 10
  c.ldsp      011 uimm[5] rd uimm[4:3|8:6] 10                : rd imm(sp) = ld rs1=sp
  reserved    100 0 00000 00000 10
  c.jr        100 0 rs1 00000 10                             : rs1 = jalr rd=zero imm=0
  c.mv        100 0 rd rs2 10                                : rd rs2 = add rs1=zero
  c.ebreak    100 1 00000 00000 10                           = ebreak
  c.jalr      100 1 rs1 00000 10                             : rs1 = jalr rd=ra imm=0
  c.add       100 1 rd rs2 10                                : rd rs2 = add rs1=rd
  opaque      101 ----------- 10
  c.swsp      110 uimm[5:2|7:6] rs2 10                       : rs2 imm(sp) = sw rs1=sp
  c.sdsp      111 uimm[5:3|8:6] rs2 10                       : rs2 imm(sp) = sd rs1=sp
`;

const products = ["000 mul", "001 mulh", "010 mulhsu", "011 mulhu", "100 div", "101 divu", "110 rem", "111 remu"]
  .concat(["000 mulw word", "100 divw word", "101 divuw word", "110 remw word", "111 remuw word"])
  .map((row) => {
    const [funct3, name, word] = row.split(" ");
    return `
      ${name} 0000001 rs2 rs1 ${funct3} rd ${word ? "0111011" : "0110011"} : rd rs1 rs2`;
  })
  .join("");

/**
 * F and D; Zicsr, whose registers are a hart's own state; what supervisor and machine mode have; and extensions beyond RV64GC that a kernel
 * uses where it finds them: Zba, Zbb, Zbs, Zbc, Zicond, Zicbom and Zicboz, V.
 */
const opaque = `
  opaque ----------------- 010 ----- 0000111
  opaque ----------------- 011 ----- 0000111
  opaque ----------------- 010 ----- 0100111
  opaque ----------------- 011 ----- 0100111
  opaque ----- 0- ------------- ----- 1000011
  opaque ----- 0- ------------- ----- 1000111
  opaque ----- 0- ------------- ----- 1001011
  opaque ----- 0- ------------- ----- 1001111
  opaque 000--0- ------------- ----- 1010011
  opaque 0101100 00000 -------- ----- 1010011
  opaque 0101101 00000 -------- ----- 1010011
  opaque 001000- ---------- 000 ----- 1010011
  opaque 001000- ---------- 001 ----- 1010011
  opaque 001000- ---------- 010 ----- 1010011
  opaque 001010- ---------- 000 ----- 1010011
  opaque 001010- ---------- 001 ----- 1010011
  opaque 0100000 00001 -------- ----- 1010011
  opaque 0100001 00000 -------- ----- 1010011
  opaque 101000- ---------- 000 ----- 1010011
  opaque 101000- ---------- 001 ----- 1010011
  opaque 101000- ---------- 010 ----- 1010011
  opaque 110000- 000-- -------- ----- 1010011
  opaque 110100- 000-- -------- ----- 1010011
  opaque 111000- 00000 ----- 000 ----- 1010011
  opaque 111000- 00000 ----- 001 ----- 1010011
  opaque 111100- 00000 ----- 000 ----- 1010011

  outside 000100000010 00000 000 00000 1110011
  outside 001100000010 00000 000 00000 1110011
  opaque 000100000101 00000 000 00000 1110011
  opaque 0001001 ---------- 000 00000 1110011
  opaque 11---------- 00000 01- ----- 1110011
  opaque 11---------- 00000 11- ----- 1110011
  reserved 11---------- ----- --- ----- 1110011
  opaque ------------ ----- -01 ----- 1110011
  opaque ------------ ----- -1- ----- 1110011

  opaque 0010000 ---------- 010 ----- 0110011
  opaque 0010000 ---------- 100 ----- 0110011
  opaque 0010000 ---------- 110 ----- 0110011
  opaque 0010000 ---------- 010 ----- 0111011
  opaque 0010000 ---------- 100 ----- 0111011
  opaque 0010000 ---------- 110 ----- 0111011
  opaque 0000100 ---------- 000 ----- 0111011
  opaque 000010- ---------- 001 ----- 0011011
  opaque 0100000 ---------- 100 ----- 0110011
  opaque 0100000 ---------- 110 ----- 0110011
  opaque 0100000 ---------- 111 ----- 0110011
  opaque 0000101 ---------- --- ----- 0110011
  opaque 0110000 ---------- 001 ----- 0110011
  opaque 0110000 ---------- 101 ----- 0110011
  opaque 0110000 ---------- 001 ----- 0111011
  opaque 0110000 ---------- 101 ----- 0111011
  opaque 0110000 000-- ----- 001 ----- 0010011
  opaque 0110000 0010- ----- 001 ----- 0010011
  opaque 0110000 000-- ----- 001 ----- 0011011
  opaque 011000 ----------- 101 ----- 0010011
  opaque 0110000 ---------- 101 ----- 0011011
  opaque 001010000111 ----- 101 ----- 0010011
  opaque 011010111000 ----- 101 ----- 0010011
  opaque 0000100 00000 ----- 100 ----- 0111011
  opaque 010010 ----------- -01 ----- 0010011
  opaque 011010 ----------- 001 ----- 0010011
  opaque 001010 ----------- 001 ----- 0010011
  opaque 0100100 ---------- -01 ----- 0110011
  opaque 0110100 ---------- 001 ----- 0110011
  opaque 0010100 ---------- 001 ----- 0110011
  opaque 0000111 ---------- 1-1 ----- 0110011
  opaque 000000000--- ----- 010 00000 0001111
  opaque ----------------- --- ----- 1010111
  opaque ----------------- 000 ----- 0000111
  opaque ----------------- 1-- ----- 0000111
  opaque ----------------- 000 ----- 0100111
  opaque ----------------- 1-- ----- 0100111
`;

/** Every encoding in the order in which they are tried. */
export const forms: readonly Form[] = [base, products, fences, atomics, ordered, compressed, opaque]
  .flatMap((rows) => rows.split("\n"))
  .filter((row) => row.trim() !== "")
  .map(parseForm);

const bucketOf = (word: number): number => ((word & 3) === 3 ? word & 0x7f : 0x80 | (word & 3) | ((word >> 11) & 0x1c));

const buckets = new Map<number, Form[]>();
for (const form of forms) {
  const bucket = bucketOf(form.bits);
  buckets.set(bucket, [...(buckets.get(bucket) ?? []), form]);
}

/** The first encoding that fits a halfword, or a word whose lowest two bits are set; undefined when there is none. */
export const formOf = (word: number): Form | undefined =>
  buckets.get(bucketOf(word))?.find((form) => ((word ^ form.bits) & form.mask) === 0);

/** The encoding of a mnemonic, or undefined. */
export const formNamed: ReadonlyMap<string, Form> = new Map(
  forms.filter(({ status }) => status === "modelled").map((form) => [form.name, form]),
);
