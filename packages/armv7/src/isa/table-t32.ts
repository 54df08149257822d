import { cacheRows } from "./cache-operations.js";
import { coprocessorRows, free } from "./table-a32.js";

/** Operations on a constant and on a shifted register share their numbers (DDI 0406C, A6.3.1 and A6.3.11). */
const dataProcessingRows =
  `0000 and tst nosp|0001 bic - nosp|0010 orr - nosp|0011 orn - nosp|0100 eor teq nosp|1000 add cmn sp|1010 adc - nosp|1011 sbc - nosp|1101 sub cmp sp|1110 rsb - nosp`
    .split("|")
    .map((row) => {
      const [code, name, comparison, kind] = row.split(" ");
      const op = name === "orn" ? name : `${name}.w`;
      // ADD and SUB have forms with the stack pointer.
      const rules = kind === "sp" ? "d!pc n!pc stack" : "d!sp d!pc n!sp n!pc";
      const compared = kind === "sp" ? "n!pc" : "n!sp n!pc";
      const compare =
        comparison === "-"
          ? ""
          : `
            11110 i 0 ${code} 1 nnnn 0 iii 1111 iiiiiiii : ${comparison}.w n #tconst : ${compared}
            11101 01 ${code} 1 nnnn 0 kkk 1111 kk yy mmmm : ${comparison}.w n m/k : ${compared} m!sp m!pc`;
      return `
        ${compare}
        11110 i 0 ${code} S nnnn 0 iii dddd iiiiiiii : ${op}{s} d n #tconst : ${rules}
        11101 01 ${code} S nnnn 0 kkk dddd kk yy mmmm : ${op}{s} d n m/k : ${rules} m!sp m!pc ${kind === "sp" ? "stackshift" : ""}
        11101 01 ${code} x xxxx 1 xxx xxxx xx xx xxxx : outside`;
    })
    .join("")
    // TEQ has no 16-bit form.
    .replaceAll("teq.w", "teq");

const moveRows = `
  11110 i 0 0010 S 1111 0 iii dddd iiiiiiii : mov.w{s} d #tconst : d!sp d!pc
  11110 i 0 0011 S 1111 0 iii dddd iiiiiiii : mvn.w{s} d #tconst : d!sp d!pc
  11101 01 0010 S 1111 0 000 dddd 00 00 mmmm : mov.w{s} d m : d!pc m!pc S:d!sp S:m!sp bothsp
  11101 01 0010 S 1111 0 kkk dddd kk 00 mmmm : lsl.w{s} d m #k : d!sp d!pc m!sp m!pc
  11101 01 0010 S 1111 0 kkk dddd kk 01 mmmm : lsr.w{s} d m #>> : d!sp d!pc m!sp m!pc
  11101 01 0010 S 1111 0 kkk dddd kk 10 mmmm : asr.w{s} d m #>> : d!sp d!pc m!sp m!pc
  11101 01 0010 S 1111 0 000 dddd 00 11 mmmm : rrx{s} d m : d!sp d!pc m!sp m!pc
  11101 01 0010 S 1111 0 kkk dddd kk 11 mmmm : ror.w{s} d m #k : d!sp d!pc m!sp m!pc
  11101 01 0011 S 1111 0 kkk dddd kk yy mmmm : mvn.w{s} d m/k : d!sp d!pc m!sp m!pc
`;

const shiftRows = ["00 lsl", "01 lsr", "10 asr", "11 ror"]
  .map((row) => {
    const [code, op] = row.split(" ");
    return `11111 010 0 ${code} S mmmm 1111 dddd 0000 ssss : ${op}.w{s} d m s : d!sp d!pc m!sp m!pc s!sp s!pc`;
  })
  .join("\n");

const extendRows = ["000 sxth", "001 uxth", "100 sxtb", "101 uxtb"]
  .map((row) => {
    const [code, op] = row.split(" ");
    return `11111 010 0 ${code} 1111 1111 dddd 10 kk mmmm : ${op}.w d m/8 : d!sp d!pc m!sp m!pc`;
  })
  .join("\n");

const storeRows = ["00 strb", "01 strh", "10 str"]
  .map((row) => {
    const [size, op] = row.split(" ");
    const t = op === "str" ? "t!pc" : "t!pc t!sp";
    return `
      11111 000 0 ${size} 0 1111 xxxx xxxx xxxxxxxx : undefined
      11111 000 1 ${size} 0 1111 xxxx xxxxxxxxxxxx : undefined
      11111 000 1 ${size} 0 nnnn tttt iiiiiiiiiiii : ${op}.w t [n,#i] : ${t}
      11111 000 0 ${size} 0 xxxx xxxx 1110 xxxxxxxx : outside
      11111 000 0 ${size} 0 xxxx xxxx 10x0 xxxxxxxx : undefined
      11111 000 0 ${size} 0 nnnn tttt 1 P U W iiiiiiii : ${op}.w t [n,#i]PUW1 : ${t} base
      11111 000 0 ${size} 0 nnnn tttt 000000 kk mmmm : ${op}.w t [n,m/k] : ${t} m!sp m!pc
      11111 000 0 ${size} 0 xxxx xxxx 0xxxxx xx xxxx : undefined`;
  })
  .join("");

const loadRows = ["0 00 ldrb", "0 01 ldrh", "0 10 ldr", "1 00 ldrsb", "1 01 ldrsh"]
  .map((row) => {
    const [signed, size, op] = row.split(" ");
    const t = op === "ldr" ? "" : "t!sp";
    // A narrow load of pc is a hint to preload.
    const hints =
      op === "ldr"
        ? ""
        : `
          11111 00 ${signed} x ${size} 1 1111 1111 xxxxxxxxxxxx : opaque
          11111 00 ${signed} 1 ${size} 1 xxxx 1111 xxxxxxxxxxxx : opaque
          11111 00 ${signed} 0 ${size} 1 xxxx 1111 000000 xx xxxx : opaque
          11111 00 ${signed} 0 ${size} 1 xxxx 1111 1100 xxxxxxxx : opaque`;
    return `
      ${hints}
      11111 00 ${signed} U ${size} 1 1111 tttt iiiiiiiiiiii : ${op}.w t [pc,#i]U : ${t}
      11111 00 ${signed} 1 ${size} 1 nnnn tttt iiiiiiiiiiii : ${op}.w t [n,#i] : ${t}
      11111 00 ${signed} 0 ${size} 1 xxxx xxxx 1110 xxxxxxxx : outside
      11111 00 ${signed} 0 ${size} 1 xxxx xxxx 10x0 xxxxxxxx : undefined
      11111 00 ${signed} 0 ${size} 1 nnnn tttt 1 P U W iiiiiiii : ${op}.w t [n,#i]PUW1 : ${t} ${t && "t!pc"} base
      11111 00 ${signed} 0 ${size} 1 nnnn tttt 000000 kk mmmm : ${op}.w t [n,m/k] : ${t} m!sp m!pc
      11111 00 ${signed} 0 ${size} 1 xxxx xxxx 0xxxxx xx xxxx : undefined`;
  })
  .join("");

/** Every 32-bit encoding of T32 (DDI 0406C, A6.3), the first halfword in the high bits, in the form of the A32 table. */
export const t32Rows = `
  11101 00 100 1 0 1101 rrrrrrrrrrrrrrrr : push.w {r} : list2 nosp nopc
  11101 00 010 1 1 1101 rrrrrrrrrrrrrrrr : pop.w {r} : list2 nosp onepc
  11101 00 010 W 0 nnnn rrrrrrrrrrrrrrrr : stm.w n! {r} : n!pc list2 nosp nopc loaded
  11101 00 010 W 1 nnnn rrrrrrrrrrrrrrrr : ldm.w n! {r} : n!pc list2 nosp onepc loaded
  11101 00 100 W 0 nnnn rrrrrrrrrrrrrrrr : stmdb n! {r} : n!pc list2 nosp nopc loaded
  11101 00 100 W 1 nnnn rrrrrrrrrrrrrrrr : ldmdb n! {r} : n!pc list2 nosp onepc loaded
  11101 00 000 xx xxxx xxxxxxxxxxxxxxxx : outside
  11101 00 110 xx xxxx xxxxxxxxxxxxxxxx : outside
  11101 00 00100 nnnn tttt dddd iiiiiiii : strex d t [n,#i*4] : d!sp d!pc t!sp t!pc n!pc status
  11101 00 00101 nnnn tttt 1111 iiiiiiii : ldrex t [n,#i*4] : t!sp t!pc n!pc
  11101 00 0010x xxxx xxxx xxxx xxxx xxxx : outside
  11101 00 011 0x xxxx xxxx xxxx 010x xxxx : outside
  11101 00 011 0x xxxx xxxx xxxx 0111 xxxx : outside
  11101 00 011 01 xxxx xxxx xxxx 000x xxxx : outside
  11101 00 0110x xxxx xxxx xxxx xxxx xxxx : undefined
  11101 00 P U 1 W 1 nnnn tttt ssss iiiiiiii : ldrd t s [n,#i*4]PUW1 : t!sp t!pc s!sp s!pc twobase twice
  11101 00 P U 1 W 0 nnnn tttt ssss iiiiiiii : strd t s [n,#i*4]PUW1 : t!sp t!pc s!sp s!pc n!pc twobase
  ${moveRows}
  ${dataProcessingRows}
  11101 01 0110 x xxxx xxxx xxxx xxxxxxxx : outside

  11110 i 1 00000 nnnn 0 iii dddd iiiiiiii : addw d n #i : d!pc stack
  11110 i 1 01010 nnnn 0 iii dddd iiiiiiii : subw d n #i : d!pc stack
  11110 i 1 00100 jjjj 0 iii dddd iiiiiiii : movw d #i:j : d!sp d!pc
  11110 i 1 01100 jjjj 0 iii dddd iiiiiiii : movt d #i:j : d!sp d!pc
  11110 0 1 10100 mmmm 0 kkk dddd kk 0 wwwww : sbfx d m #k #width : d!sp d!pc m!sp m!pc
  11110 0 1 11100 mmmm 0 kkk dddd kk 0 wwwww : ubfx d m #k #width : d!sp d!pc m!sp m!pc
  11110 0 1 10110 xxxx 0 xxx dddd xx 0 xxxxx : opaque : ${free("d")}
  11110 x 1 100x0 xxxx 0 xxx xxxx xxxxxxxx : outside
  11110 x 1 101x0 xxxx 0 xxx xxxx xxxxxxxx : outside
  11110 x 1 110x0 xxxx 0 xxx xxxx xxxxxxxx : outside
  11110 x 1 11100 xxxx 0 xxx xxxx xxxxxxxx : outside

  11110 0111010 1111 10 0 0 0 000 00000000 : nop.w
  11110 0111010 1111 10 0 0 0 000 00000001 : yield.w
  11110 0111010 1111 10 0 0 0 000 00000010 : wfe.w
  11110 0111010 1111 10 0 0 0 000 00000011 : wfi.w
  11110 0111010 1111 10 0 0 0 000 00000100 : sev.w
  11110 0111010 1111 10 0 0 0 000 1111 iiii : dbg #i
  11110 0111010 1111 10 0 0 0 000 iiiiiiii : hint.w #i
  11110 0111011 1111 1000 1111 0100 oooo : dsb o
  11110 0111011 1111 1000 1111 0101 oooo : dmb o
  11110 0111011 1111 1000 1111 0110 oooo : isb o
  11110 0111011 xxxx 10x0 xxxx 0100 xxxx : outside
  11110 0111011 xxxx 10x0 xxxx 0101 xxxx : outside
  11110 0111011 xxxx 10x0 xxxx 0110 xxxx : outside
  11110 0111011 xxxx 10x0 xxxx 000x xxxx : outside
  11110 0111011 xxxx 10x0 xxxx 0010 xxxx : outside
  11110 0111011 xxxx 10x0 xxxx xxxx xxxx : undefined
  11110 011100x xxxx 10x0 xxxx xxxxxxxx : outside
  11110 0111010 xxxx 10x0 xxxx xxxxxxxx : outside
  11110 011111x 1111 1000 dddd 00000000 : opaque : ${free("d")}
  11110 01111xx xxxx 10x0 xxxx xxxxxxxx : outside
  11110 1111110 iiii 1000 iiiiiiiiiiii : hvc #i
  11110 1111111 iiii 1000 0000 0000 0000 : smc #i
  11110 1111111 xxxx 1000 xxxx xxxx xxxx : outside
  11110 1111111 iiii 1010 iiiiiiiiiiii : udf.w #i
  11110 x111xxx xxxx 10x0 xxxxxxxxxxxx : undefined
  11110 N cccc iiiiii 10 J 0 K iiiiiiiiiii : b.w >t32c
  11110 N iiiiiiiiii 10 J 1 J iiiiiiiiiii : b.w >t32
  11110 N iiiiiiiiii 11 J 1 J iiiiiiiiiii : bl >t32
  11110 N iiiiiiiiii 11 J 0 J iiiiiiiiii 0 : blx >t32x

  11111 000 0 10 0 1101 tttt 1 101 00000100 : push.w {t} : t!sp t!pc
  11111 000 0 10 1 1101 tttt 1 011 00000100 : pop.w {t} : t!sp
  ${storeRows}
  ${loadRows}
  11111 001 xxx 0 nnnn xxxx xxxx xxxxxxxx : opaque : n!sp n!lr
  ${shiftRows}
  11111 010 0 xx x xxxx 1111 xxxx 0000 xxxx : outside
  ${extendRows}
  11111 010 0 00x xxxx 1111 xxxx 1xxx xxxx : outside
  11111 010 0 01x xxxx 1111 xxxx 1xxx xxxx : outside
  11111 010 0 10x xxxx 1111 xxxx 1xxx xxxx : outside
  11111 010 1001 nnnn 1111 dddd 1000 mmmm : rev.w d mn : d!sp d!pc m!sp m!pc same
  11111 010 1001 nnnn 1111 dddd 1001 mmmm : rev16.w d mn : d!sp d!pc m!sp m!pc same
  11111 010 1001 nnnn 1111 dddd 1010 mmmm : rbit d mn : d!sp d!pc m!sp m!pc same
  11111 010 1011 nnnn 1111 dddd 1000 mmmm : clz d mn : d!sp d!pc m!sp m!pc same
  11111 010 1001 nnnn 1111 dddd 1011 mmmm : revsh.w d mn : d!sp d!pc m!sp m!pc same
  11111 010 1x00 xxxx 1111 xxxx 0xxx xxxx : outside
  11111 010 1xxx xxxx 1111 xxxx 00xx xxxx : outside
  11111 010 1xxx xxxx 1111 xxxx 01xx xxxx : outside
  11111 010 10xx xxxx 1111 xxxx 10xx xxxx : outside
  11111 0110 000 nnnn 1111 dddd 0000 mmmm : mul d n m : d!sp d!pc n!sp n!pc m!sp m!pc
  11111 0110 001 xxxx xxxx xxxx 00xx xxxx : outside
  11111 0110 111 xxxx xxxx xxxx 0000 xxxx : outside
  11111 0110 111 xxxx xxxx xxxx 0001 xxxx : undefined
  11111 0110 xxx xxxx xxxx dddd 000x xxxx : opaque : ${free("d")}
  11111 0111 0x0 xxxx tttt dddd 0000 xxxx : opaque : ${free("d", "t")}
  11111 0111 0x1 xxxx xxxx xxxx 1111 xxxx : outside
  11111 0111 1x0 xxxx tttt dddd 0000 xxxx : opaque : ${free("d", "t")}
  11111 0111 100 xxxx xxxx xxxx 10xx xxxx : outside
  11111 0111 10x xxxx xxxx xxxx 110x xxxx : outside
  11111 0111 110 xxxx xxxx xxxx 0110 xxxx : outside
  ${cacheRows("1110")}
  ${coprocessorRows("1110")}
  111 x 1111 xxxx xxxx xxxx xxxx xxxx xxxx : opaque
  111 x 11 00 000x xxxx xxxxxxxxxxxxxxxx : undefined
  111 x 11 xx xxxx xxxx xxxxxxxxxxxxxxxx : outside
`;
