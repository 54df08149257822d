const additions = ["0 add", "1 sub"]
  .map((row) => {
    const [bit, op] = row.split(" ") as [string, string];
    const compare = op === "add" ? "cmn" : "cmp";
    return `
      sf ${bit} 1 100010 sh imm12 rn 11111          |> ${compare} Rn|SP addend
      sf ${bit} 0 100010 sh imm12 rn rd             |> ${op} Rd|SP Rn|SP addend
      sf ${bit} 1 100010 sh imm12 rn rd             |> ${op}s Rd Rn|SP addend
      sf ${bit} 1 01011 shift 0 rm imm6 rn 11111    |> ${compare} Rn Rm:shifted
      ${op === "sub" ? "sf 1 0 01011 shift 0 rm imm6 11111 rd |> neg Rd Rm:shifted" : ""}
      ${op === "sub" ? "sf 1 1 01011 shift 0 rm imm6 11111 rd |> negs Rd Rm:shifted" : ""}
      sf ${bit} 0 01011 shift 0 rm imm6 rn rd       |> ${op} Rd Rn Rm:shifted
      sf ${bit} 1 01011 shift 0 rm imm6 rn rd       |> ${op}s Rd Rn Rm:shifted
      sf ${bit} 1 01011 00 1 rm option imm3 rn 11111 |> ${compare} Rn|SP Rm:extended
      sf ${bit} 0 01011 00 1 rm option imm3 rn rd   |> ${op} Rd|SP Rn|SP Rm:extended
      sf ${bit} 1 01011 00 1 rm option imm3 rn rd   |> ${op}s Rd Rn|SP Rm:extended
      sf ${bit} 0 11010000 rm 000000 rn rd          |> ${op === "add" ? "adc" : "sbc"} Rd Rn Rm
      sf ${bit} 1 11010000 rm 000000 rn rd          |> ${op === "add" ? "adcs" : "sbcs"} Rd Rn Rm
      sf ${bit} 1 11010010 rm cond 00 rn 0 nzcv     |> ${compare === "cmn" ? "ccmn" : "ccmp"} Rn Rm nzcv cond
      sf ${bit} 1 11010010 imm5 cond 10 rn 0 nzcv   |> ${compare === "cmn" ? "ccmn" : "ccmp"} Rn imm5 nzcv cond`;
  })
  .join("");

const logical = ["00 and bic", "01 orr orn", "10 eor eon", "11 ands bics"]
  .map((row) => {
    const [opc, op, negated] = row.split(" ") as [string, string, string];
    return `
      sf ${opc} 100100 N immr imms rn rd       |> ${op} Rd${op === "ands" ? "" : "|SP"} Rn bitmask
      sf ${opc} 01010 shift 0 rm imm6 rn rd    |> ${op} Rd Rn Rm:rotated
      sf ${opc} 01010 shift 1 rm imm6 rn rd    |> ${negated} Rd Rn Rm:rotated`;
  })
  .join("");

/**
 * Data processing with an immediate and with registers (Arm ARM, C4.1.92 and C4.1.95): bits as in the manual's diagrams, then
 * mnemonic and operands. Aliases stand before what they stand for.
 */
export const dataRows = `
  0 immlo 10000 immhi rd                        |> adr Xd near
  1 immlo 10000 immhi rd                        |> adrp Xd page

  sf 10 100101 hw imm16 rd                      |> mov Rd mov:wide
  sf 00 100101 hw imm16 rd                      |> mov Rd mov:inverse
  sf 01 100100 N immr imms 11111 rd             |> mov Rd|SP mov:bitmask
  sf 01 01010 00 0 rm 000000 11111 rd           |> mov Rd Rm
  sf 00 100010 0 000000000000 rn rd             |> mov Rd|SP mov:register
  sf 10 100101 hw imm16 rd                      |> movz Rd wide
  sf 00 100101 hw imm16 rd                      |> movn Rd wide
  sf 11 100101 hw imm16 rd                      |> movk Rd wide

  sf 11 100100 N immr imms rn 11111             |> tst Rn bitmask
  sf 11 01010 shift 0 rm imm6 rn 11111          |> tst Rn Rm:rotated
  sf 01 01010 shift 1 rm imm6 11111 rd          |> mvn Rd Rm:rotated
  ${additions}
  ${logical}

  0 10 100110 0 000000 000111 rn rd             |> uxtb Wd Wn
  0 10 100110 0 000000 001111 rn rd             |> uxth Wd Wn
  0 00 100110 0 000000 000111 rn rd             |> sxtb Wd Wn
  1 00 100110 1 000000 000111 rn rd             |> sxtb Xd Wn
  0 00 100110 0 000000 001111 rn rd             |> sxth Wd Wn
  1 00 100110 1 000000 001111 rn rd             |> sxth Xd Wn
  1 00 100110 1 000000 011111 rn rd             |> sxtw Xd Wn
  sf 10 100110 N immr imms rn rd                |> lsl Rd Rn lsl
  sf 10 100110 N immr imms rn rd                |> lsr Rd Rn shift
  sf 00 100110 N immr imms rn rd                |> asr Rd Rn shift
  sf 10 100110 N immr imms rn rd                |> ubfx Rd Rn lsb:extract width:extract
  sf 10 100110 N immr imms rn rd                |> ubfiz Rd Rn lsb:insert width:insert
  sf 00 100110 N immr imms rn rd                |> sbfx Rd Rn lsb:extract width:extract
  sf 00 100110 N immr imms rn rd                |> sbfiz Rd Rn lsb:insert width:insert
  sf 01 100110 N immr imms rn rd                |> bfxil Rd Rn lsb:extract width:extract
  sf 01 100110 N immr imms 11111 rd             |> bfc Rd lsb:insert width:insert
  sf 01 100110 N immr imms rn rd                |> bfi Rd Rn lsb:insert width:insert
  sf 00 100111 N 0 rm imms rn rd                |> ror Rd Rn=Rm imms
  sf 00 100111 N 0 rm imms rn rd                |> extr Rd Rn Rm imms

  sf 10 11010110 00000 000000 rn rd             |> rbit Rd Rn
  sf 10 11010110 00000 000001 rn rd             |> rev16 Rd Rn
  0 10 11010110 00000 000010 rn rd              |> rev Wd Wn
  1 10 11010110 00000 000010 rn rd              |> rev32 Xd Xn
  1 10 11010110 00000 000011 rn rd              |> rev Xd Xn
  sf 10 11010110 00000 000100 rn rd             |> clz Rd Rn

  sf 00 11010110 rm 000010 rn rd                |> udiv Rd Rn Rm
  sf 00 11010110 rm 000011 rn rd                |> sdiv Rd Rn Rm
  sf 00 11010110 rm 001000 rn rd                |> lsl Rd Rn Rm
  sf 00 11010110 rm 001001 rn rd                |> lsr Rd Rn Rm
  sf 00 11010110 rm 001010 rn rd                |> asr Rd Rn Rm
  sf 00 11010110 rm 001011 rn rd                |> ror Rd Rn Rm

  sf 00 11011000 rm 0 11111 rn rd               |> mul Rd Rn Rm
  sf 00 11011000 rm 1 11111 rn rd               |> mneg Rd Rn Rm
  sf 00 11011000 rm 0 ra rn rd                  |> madd Rd Rn Rm Ra
  sf 00 11011000 rm 1 ra rn rd                  |> msub Rd Rn Rm Ra
  1 00 11011001 rm 0 11111 rn rd                |> smull Xd Wn Wm
  1 00 11011001 rm 0 ra rn rd                   |> smaddl Xd Wn Wm Xa
  1 00 11011001 rm 1 ra rn rd                   |> smsubl Xd Wn Wm Xa
  1 00 11011010 rm 0 11111 rn rd                |> smulh Xd Xn Xm
  1 00 11011010 rm 0 xxxxx rn rd                |> smulh Xd Xn Xm
  1 00 11011101 rm 0 11111 rn rd                |> umull Xd Wn Wm
  1 00 11011101 rm 0 ra rn rd                   |> umaddl Xd Wn Wm Xa
  1 00 11011101 rm 1 ra rn rd                   |> umsubl Xd Wn Wm Xa
  1 00 11011110 rm 0 11111 rn rd                |> umulh Xd Xn Xm
  1 00 11011110 rm 0 xxxxx rn rd                |> umulh Xd Xn Xm

  sf 00 11010100 11111 cond 01 11111 rd         |> cset Rd !cond
  sf 10 11010100 11111 cond 00 11111 rd         |> csetm Rd !cond
  sf 00 11010100 rm cond 01 rn rd               |> cinc Rd Rn=Rm !cond
  sf 10 11010100 rm cond 00 rn rd               |> cinv Rd Rn=Rm !cond
  sf 10 11010100 rm cond 01 rn rd               |> cneg Rd Rn=Rm !cond
  sf 00 11010100 rm cond 00 rn rd               |> csel Rd Rn Rm cond
  sf 00 11010100 rm cond 01 rn rd               |> csinc Rd Rn Rm cond
  sf 10 11010100 rm cond 00 rn rd               |> csinv Rd Rn Rm cond
  sf 10 11010100 rm cond 01 rn rd               |> csneg Rd Rn Rm cond
`;
