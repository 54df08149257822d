/** The operations on two low registers in the order of their encoding (DDI 0406C, A6.2.2). */
const lowRegisterRows =
  `and(s) d m|eor(s) d m|lsl(s) d m|lsr(s) d m|asr(s) d m|adc(s) d m|sbc(s) d m|ror(s) d m|tst d m|rsb(s) d m #0|cmp d m|cmn d m|orr(s) d m|mul(s) d m d|bic(s) d m|mvn(s) d m`
    .split("|")
    .map((row, number) => `010000 ${number.toString(2).padStart(4, "0")} mmm ddd : ${row}`)
    .join("\n");

const registerOffsetRows = "str strh strb ldrsb ldr ldrh ldrb ldrsh"
  .split(" ")
  .map((op, number) => `0101 ${number.toString(2).padStart(3, "0")} mmm nnn ttt : ${op} t [n,m]`)
  .join("\n");

/** Every 16-bit encoding of T32 outside an IT block (DDI 0406C, A6.2), in the form of the A32 table. */
export const t16Rows = `
  000 00 00000 mmm ddd : mov(s) d m
  000 00 kkkkk mmm ddd : lsl(s) d m #k
  000 01 kkkkk mmm ddd : lsr(s) d m #>>
  000 10 kkkkk mmm ddd : asr(s) d m #>>
  000 11 00 mmm nnn ddd : add(s) d n m
  000 11 01 mmm nnn ddd : sub(s) d n m
  000 11 10 iii nnn ddd : add(s) d n #i
  000 11 11 iii nnn ddd : sub(s) d n #i
  001 00 ddd iiiiiiii : mov(s) d #i
  001 01 nnn iiiiiiii : cmp n #i
  001 10 ddd iiiiiiii : add(s) d #i
  001 11 ddd iiiiiiii : sub(s) d #i
  ${lowRegisterRows}
  010001 00 d mmmm ddd : add d m : bothpc
  010001 01 n mmmm nnn : cmp n m : n!pc m!pc high
  010001 10 d mmmm ddd : mov d m
  010001 11 0 mmmm 000 : bx m
  010001 11 1 mmmm 000 : blx m : m!pc
  010001 11 x xxxx xxx : outside
  01001 ttt iiiiiiii : ldr t [pc,#i*4]
  ${registerOffsetRows}
  011 00 iiiii nnn ttt : str t [n,#i*4]
  011 01 iiiii nnn ttt : ldr t [n,#i*4]
  011 10 iiiii nnn ttt : strb t [n,#i]
  011 11 iiiii nnn ttt : ldrb t [n,#i]
  1000 0 iiiii nnn ttt : strh t [n,#i*2]
  1000 1 iiiii nnn ttt : ldrh t [n,#i*2]
  1001 0 ttt iiiiiiii : str t [sp,#i*4]
  1001 1 ttt iiiiiiii : ldr t [sp,#i*4]
  1010 0 ddd iiiiiiii : add d pc #i*4
  1010 1 ddd iiiiiiii : add d sp #i*4
  1011 0000 0 iiiiiii : add sp #i*4
  1011 0000 1 iiiiiii : sub sp #i*4
  1011 00 i 1 iiiii nnn : cbz n >cbz
  1011 10 i 1 iiiii nnn : cbnz n >cbz
  1011 0010 00 mmm ddd : sxth d m
  1011 0010 01 mmm ddd : sxtb d m
  1011 0010 10 mmm ddd : uxth d m
  1011 0010 11 mmm ddd : uxtb d m
  1011 010 M rrrrrrrr : push {r,lr} : list
  1011 110 M rrrrrrrr : pop {r,pc} : list
  1011 0110 010 xxxxx : outside
  1011 0110 011 x0xxx : opaque
  1011 0110 011 xxxxx : outside
  1011 1010 00 mmm ddd : rev d m
  1011 1010 01 mmm ddd : rev16 d m
  1011 1010 11 mmm ddd : revsh d m
  1011 1110 iiiiiiii : bkpt #i
  1011 1111 0000 0000 : nop
  1011 1111 0001 0000 : yield
  1011 1111 0010 0000 : wfe
  1011 1111 0011 0000 : wfi
  1011 1111 0100 0000 : sev
  1011 1111 iiii 0000 : hint #i
  1011 1111 xxxxxxxx : outside
  1100 0 nnn rrrrrrrr : stm n!! {r} : list stored
  1100 1 nnn rrrrrrrr : ldm n!r {r} : list
  1101 1110 iiiiiiii : udf #i
  1101 1111 iiiiiiii : svc #i
  1101 cccc iiiiiiii : b >t16c
  1110 0 iiiiiiiiiii : b >t16
`;
