import { hints } from "./operations.js";

const hintRows = Object.entries(hints)
  .map(([text, number]) => {
    const [name, ...words] = text.split(" ");
    const bits = number.toString(2).padStart(7, "0");
    return `11010101000000110010 ${bits} 11111 |> ${[name, ...words.map((word) => `'${word}`)].join(" ")}`;
  })
  .join("\n");

/** Branches, exception-generating and system instructions (Arm ARM, C4.1.93), written as the data-processing rows are. */
export const controlRows = `
  0101010 0 imm19 0 cond                        |> b.cond cond label
  0 00101 imm26                                 |> b far
  1 00101 imm26                                 |> bl far
  sf 011010 0 imm19 rt                          |> cbz Rt label
  sf 011010 1 imm19 rt                          |> cbnz Rt label
  b5 011011 0 b40 imm14 rt                      |> tbz Rt:tested bit label14
  b5 011011 1 b40 imm14 rt                      |> tbnz Rt:tested bit label14
  1101011 0000 11111 000000 rn 00000            |> br Xn
  1101011 0001 11111 000000 rn 00000            |> blr Xn
  1101011 0010 11111 000000 11110 00000         |> ret
  1101011 0010 11111 000000 rn 00000            |> ret Xn
  1101011 0100 11111 000000 11111 00000         |> eret

  0000000000000000 imm16                        |> udf imm16
  11010100 000 imm16 000 01                     |> svc imm16
  11010100 000 imm16 000 10                     |> hvc imm16
  11010100 000 imm16 000 11                     |> smc imm16
  11010100 001 imm16 000 00                     |> brk imm16
  11010100 010 imm16 000 00                     |> hlt imm16
  11010100 101 0000000000000000 000 01          |> dcps1
  11010100 101 0000000000000000 000 10          |> dcps2
  11010100 101 0000000000000000 000 11          |> dcps3
  11010100 101 imm16 000 01                     |> dcps1 imm16
  11010100 101 imm16 000 10                     |> dcps2 imm16
  11010100 101 imm16 000 11                     |> dcps3 imm16

  ${hintRows}
  11010101000000110010 hint 11111               |> hint hint
  11010101000000110011 0000 100 11111           |> ssbb
  11010101000000110011 0100 100 11111           |> pssbb
  11010101000000110011 CRm 100 11111            |> dsb barrier
  11010101000000110011 CRm 100 11111            |> dsb CRm
  11010101000000110011 CRm 101 11111            |> dmb barrier
  11010101000000110011 CRm 101 11111            |> dmb CRm
  11010101000000110011 1111 110 11111           |> isb
  11010101000000110011 1111 110 11111           |> isb 'sy
  11010101000000110011 CRm 110 11111            |> isb CRm

  1101010100 0 01 000 0111 0001 000 11111       |> ic 'ialluis
  1101010100 0 01 000 0111 0101 000 11111       |> ic 'iallu
  1101010100 0 01 011 0111 0101 001 rt          |> ic 'ivau Xt
  1101010100 0 01 op1 0111 CRm op2 rt           |> dc dcop Xt
  1101010100 0 1 o0 op1 CRn CRm op2 rt          |> msr msr Xt
  1101010100 1 1 o0 op1 CRn CRm op2 rt          |> mrs Xt mrs
`;
