import { cacheRows } from "./cache-operations.js";

/** The data-processing operations in the order of their encoding (DDI 0406C, A5.2). */
const dataProcessing = "and eor sub rsb add adc sbc rsc tst teq cmp cmn orr mov bic mvn".split(" ");

const dataProcessingRows = dataProcessing
  .map((op, number) => {
    const code = number.toString(2).padStart(4, "0");
    if (number >= 8 && number < 12) {
      return `
        cccc 001 ${code} 1 nnnn 0000 iiiiiiiiiiii  : ${op} n #const
        cccc 000 ${code} 1 nnnn 0000 kkkkk yy 0 mmmm : ${op} n m/k
        cccc 000 ${code} 1 nnnn 0000 ssss 0 yy 1 mmmm : ${op} n m/s : n!pc m!pc s!pc
        cccc 001 ${code} 1 xxxx xxxx xxxxxxxxxxxx : outside
        cccc 000 ${code} 1 xxxx xxxx xxxxx xx 0 xxxx : outside
        cccc 000 ${code} 1 xxxx xxxx xxxx 0 xx 1 xxxx : outside`;
    }
    if (op === "mov") {
      return `
        cccc 001 ${code} S 0000 dddd iiiiiiiiiiii  : mov{s} d #const : S:d!pc
        cccc 000 ${code} S 0000 dddd 00000 00 0 mmmm : mov{s} d m : S:d!pc
        cccc 000 ${code} S 0000 dddd kkkkk 00 0 mmmm : lsl{s} d m #k : S:d!pc
        cccc 000 ${code} S 0000 dddd kkkkk 01 0 mmmm : lsr{s} d m #>> : S:d!pc
        cccc 000 ${code} S 0000 dddd kkkkk 10 0 mmmm : asr{s} d m #>> : S:d!pc
        cccc 000 ${code} S 0000 dddd 00000 11 0 mmmm : rrx{s} d m : S:d!pc
        cccc 000 ${code} S 0000 dddd kkkkk 11 0 mmmm : ror{s} d m #k : S:d!pc
        cccc 000 ${code} S 0000 dddd ssss 0 00 1 mmmm : lsl{s} d m s : d!pc m!pc s!pc
        cccc 000 ${code} S 0000 dddd ssss 0 01 1 mmmm : lsr{s} d m s : d!pc m!pc s!pc
        cccc 000 ${code} S 0000 dddd ssss 0 10 1 mmmm : asr{s} d m s : d!pc m!pc s!pc
        cccc 000 ${code} S 0000 dddd ssss 0 11 1 mmmm : ror{s} d m s : d!pc m!pc s!pc
        cccc 001 ${code} x xxxx xxxx xxxxxxxxxxxx : outside
        cccc 000 ${code} x xxxx xxxx xxxxx xx 0 xxxx : outside
        cccc 000 ${code} x xxxx xxxx xxxx 0 xx 1 xxxx : outside`;
    }
    const [n, source] = op === "mvn" ? ["0000", ""] : ["nnnn", " n"];
    return `
      cccc 001 ${code} S ${n} dddd iiiiiiiiiiii  : ${op}{s} d${source} #const : S:d!pc
      cccc 000 ${code} S ${n} dddd kkkkk yy 0 mmmm : ${op}{s} d${source} m/k : S:d!pc
      cccc 000 ${code} S ${n} dddd ssss 0 yy 1 mmmm : ${op}{s} d${source} m/s : d!pc n!pc m!pc s!pc
      cccc 001 ${code} x xxxx xxxx xxxxxxxxxxxx : outside
      cccc 000 ${code} x xxxx xxxx xxxxx xx 0 xxxx : outside
      cccc 000 ${code} x xxxx xxxx xxxx 0 xx 1 xxxx : outside`;
  })
  .join("");

/** Two registers (DDI 0406C, A5.2.8): where P is 0 and W is 1 UNPREDICTABLE. */
const doubleRows = ["10 ldrd", "11 strd"]
  .map((row) => {
    const [kind, op] = row.split(" ");
    const index = op === "ldrd" ? "twoindex" : "";
    return `
      cccc 000 0 U x 1 0 xxxx xxxx xxxx 1 ${kind} 1 xxxx : outside
      cccc 000 P U 1 W 0 nnnn tttt iiii 1 ${kind} 1 iiii : ${op} t t+1 [n,#i]PUW : odd twobase
      cccc 000 P U 0 W 0 nnnn tttt 0000 1 ${kind} 1 mmmm : ${op} t t+1 [n,m]PUW : odd twobase m!pc ${index}`;
  })
  .join("");

/** Rules of what is opaque: no register that is written is one that callers rely on. */
export const free = (...letters: readonly string[]): string =>
  letters.map((letter) => `${letter}!sp ${letter}!lr ${letter}!pc`).join(" ");

/**
 * Multiplications with further results, saturating arithmetic, exclusive accesses of other sizes or under a condition, and the status
 * registers but for the mode (DDI 0406C, A5.2).
 */
const opaqueRows = `
  cccc 0000 001x dddd xxxx xxxx 1001 xxxx : opaque : ${free("d")}
  cccc 0000 0110 dddd xxxx xxxx 1001 xxxx : opaque : ${free("d")}
  cccc 0000 0100 dddd tttt xxxx 1001 xxxx : opaque : ${free("d", "t")}
  cccc 0000 1xxx dddd tttt xxxx 1001 xxxx : opaque : ${free("d", "t")}
  cccc 0001 0xx0 dddd tttt xxxx 1xx0 xxxx : opaque : ${free("d", "t")}
  cccc 0001 0xx0 xxxx dddd 0000 0101 xxxx : opaque : ${free("d")}
  cccc 0001 1xx0 xxxx dddd 1111 1001 xxxx : opaque : ${free("d")}
  cccc 0001 1011 xxxx tttt 1111 1001 1111 : opaque : stackpair
  cccc 0001 1xx1 xxxx tttt 1111 1001 1111 : opaque : ${free("t")}
  cccc 0001 0x00 1111 dddd 0000 0000 0000 : opaque : ${free("d")}
  cccc 0001 0110 xxxx 1111 0000 0000 xxxx : opaque
  cccc 0001 0010 xxx0 1111 0000 0000 xxxx : opaque
`;

/** Extensions with an addition, saturation, parallel multiplication, and fields of bits that are inserted (DDI 0406C, A5.4). */
const mediaRows = `
  cccc 0110 1xxx xxxx dddd xx00 0111 xxxx : opaque : ${free("d")}
  cccc 0110 1x1x xxxx dddd xxxx xx01 xxxx : opaque : ${free("d")}
  cccc 0111 0xxx dddd tttt xxxx 00x1 xxxx : opaque : ${free("d", "t")}
  cccc 0111 1000 dddd xxxx xxxx 0001 xxxx : opaque : ${free("d")}
  cccc 0111 110x xxxx dddd xxxx x001 xxxx : opaque : ${free("d")}
`;

/** Coprocessors, the vector ones among them (DDI 0406C, A5.6 and A7). A base may be written back. */
export const coprocessorRows = (condition: string): string => `
  ${condition} 1100 0100 xxxx xxxx xxxx xxxx xxxx : opaque
  ${condition} 1100 0101 dddd tttt xxxx xxxx xxxx : opaque : ${free("d", "t")}
  ${condition} 1100 000x xxxx xxxx xxxx xxxx xxxx : undefined
  ${condition} 110x xxxx nnnn xxxx xxxx xxxx xxxx : opaque : n!sp n!lr
  ${condition} 1110 xxx0 xxxx xxxx xxxx xxx1 xxxx : opaque
  ${condition} 1110 xxx1 xxxx dddd xxxx xxx1 xxxx : opaque : d!sp d!lr
  ${condition} 1110 xxxx xxxx xxxx xxxx xxx0 xxxx : opaque
`;

/** Halfwords and signed bytes (DDI 0406C, A5.2.8): where P is 0 and W is 1 they are unprivileged. */
const extraRows = ["0 01 strh", "1 01 ldrh", "1 10 ldrsb", "1 11 ldrsh"]
  .map((row) => {
    const [load, kind, op] = row.split(" ");
    return `
      cccc 000 0 U 1 1 ${load} xxxx xxxx xxxx 1 ${kind} 1 xxxx : outside
      cccc 000 0 U 0 1 ${load} xxxx xxxx xxxx 1 ${kind} 1 xxxx : outside
      cccc 000 P U 1 W ${load} nnnn tttt iiii 1 ${kind} 1 iiii : ${op} t [n,#i]PUW : t!pc base
      cccc 000 P U 0 W ${load} nnnn tttt 0000 1 ${kind} 1 mmmm : ${op} t [n,m]PUW : t!pc m!pc base
      cccc 000 x x 0 x ${load} xxxx xxxx xxxx 1 ${kind} 1 xxxx : outside`;
  })
  .join("");

/** Words and bytes (DDI 0406C, A5.3): where P is 0 and W is 1 they are unprivileged. */
const singleRows = ["0 0 str", "0 1 ldr", "1 0 strb", "1 1 ldrb"]
  .map((row) => {
    const [byte, load, op] = row.split(" ");
    const t = byte === "1" ? "t!pc" : "";
    return `
      cccc 010 0 x ${byte} 1 ${load} xxxx xxxx xxxxxxxxxxxx : outside
      cccc 011 0 x ${byte} 1 ${load} xxxx xxxx xxxxx xx 0 xxxx : outside
      cccc 010 P U ${byte} W ${load} nnnn tttt iiiiiiiiiiii : ${op} t [n,#i]PUW : ${t} base
      cccc 011 P U ${byte} W ${load} nnnn tttt kkkkk yy 0 mmmm : ${op} t [n,m/k]PUW : ${t} m!pc base`;
  })
  .join("");

const multipleRows = ["00 da", "01", "10 db", "11 ib"]
  .map((row) => {
    const [place, suffix = ""] = row.split(" ");
    return `
      cccc 100 ${place} 0 W 0 nnnn rrrrrrrrrrrrrrrr : stm${suffix} n! {r} : n!pc list stored
      cccc 100 ${place} 0 W 1 nnnn rrrrrrrrrrrrrrrr : ldm${suffix} n! {r} : n!pc list loaded`;
  })
  .join("");

/**
 * Every encoding of A32 (DDI 0406C, A5): pattern, operation with its operands, and what is UNPREDICTABLE; see {@link parseForms}.
 * Of several rows that fit the first counts. `outside` is valid or UNPREDICTABLE but not modelled; what no row fits is UNDEFINED.
 * Unconditional encodings come first: in all others `cccc` is not 1111.
 */
export const a32Rows = `
  1111 101 H iiiiiiiiiiiiiiiiiiiiiiii : blx >a32x
  1111 0101 0111 1111 1111 0000 0100 oooo : dsb o
  1111 0101 0111 1111 1111 0000 0101 oooo : dmb o
  1111 0101 0111 1111 1111 0000 0110 oooo : isb o
  1111 0001 0000 1x00 0000 000x xx00 0000 : opaque
  1111 0001 0000 xxx0 xxxx xxxx xx0x xxxx : outside
  1111 0001 0000 xxx1 xxxx xxxx 0000 xxxx : outside
  1111 001 xxxxx xxxxxxxxxxxxxxxxxxxx : opaque
  1111 0100 xxx0 nnnn xxxxxxxxxxxxxxxx : opaque : n!sp n!lr
  1111 010 0x001 xxxxxxxxxxxxxxxxxxxx : opaque
  1111 010 xx101 xxxxxxxxxxxxxxxxxxxx : opaque
  1111 010 1x001 xxxxxxxxxxxxxxxxxxxx : opaque
  1111 010 xxx11 xxxxxxxxxxxxxxxxxxxx : outside
  1111 011 0x001 xxxxxxxxxxxxxxx 0 xxxx : opaque
  1111 011 xx101 xxxxxxxxxxxxxxx 0 xxxx : opaque
  1111 011 1x001 xxxxxxxxxxxxxxx 0 xxxx : opaque
  1111 011 xxx11 xxxxxxxxxxxxxxx 0 xxxx : outside
  1111 100 xx1x0 xxxxxxxxxxxxxxxxxxxx : outside
  1111 100 xx0x1 xxxxxxxxxxxxxxxxxxxx : outside
  1111 1100 000x xxxxxxxxxxxxxxxxxxxx : undefined
  1111 110 xxxxx xxxxxxxxxxxxxxxxxxxx : outside
  1111 1110 xxxx xxxxxxxxxxxxxxxxxxxx : outside
  1111 xxxx xxxx xxxxxxxxxxxxxxxxxxxx : undefined

  cccc 0011 0010 0000 1111 0000 0000 0000 : nop
  cccc 0011 0010 0000 1111 0000 0000 0001 : yield
  cccc 0011 0010 0000 1111 0000 0000 0010 : wfe
  cccc 0011 0010 0000 1111 0000 0000 0011 : wfi
  cccc 0011 0010 0000 1111 0000 0000 0100 : sev
  cccc 0011 0010 0000 1111 0000 1111 iiii : dbg #i
  cccc 0011 0010 0000 1111 0000 iiiiiiii : hint #i
  cccc 0011 0000 iiii dddd iiiiiiiiiiii : movw d #i : d!pc
  cccc 0011 0100 iiii dddd iiiiiiiiiiii : movt d #i : d!pc
  cccc 0011 0x10 xxxxxxxxxxxxxxxxxxxx : outside
  cccc 0001 0010 1111 1111 1111 0001 mmmm : bx m
  cccc 0001 0010 1111 1111 1111 0011 mmmm : blx m : m!pc
  1110 0001 0010 iiiiiiiiiiii 0111 iiii : bkpt #i
  1110 0001 0100 iiiiiiiiiiii 0111 iiii : hvc #i
  cccc 0001 0110 0000 0000 0000 0111 iiii : smc #i
  cccc 0001 0110 1111 dddd 1111 0001 mmmm : clz d m : d!pc m!pc
  1110 0001 1001 nnnn tttt 1111 1001 1111 : ldrex t [n] : t!pc n!pc
  1110 0001 1000 nnnn dddd 1111 1001 mmmm : strex d m [n] : d!pc n!pc m!pc status
  cccc 0000 0101 xxxx xxxx xxxx 1001 xxxx : undefined
  cccc 0000 0111 xxxx xxxx xxxx 1001 xxxx : undefined
  ${opaqueRows}
  cccc 0001 0xx0 xxxx xxxx xxxx 0000 xxxx : outside
  cccc 0001 0010 xxxx xxxx xxxx 00x1 xxxx : outside
  cccc 0001 0010 xxxx xxxx xxxx 0010 xxxx : outside
  cccc 0001 0110 xxxx xxxx xxxx 0001 xxxx : outside
  cccc 0001 0xx0 xxxx xxxx xxxx 0101 xxxx : outside
  cccc 0001 0110 xxxx xxxx xxxx 0110 xxxx : outside
  cccc 0001 0010 xxxx xxxx xxxx 0111 xxxx : outside
  cccc 0001 0100 xxxx xxxx xxxx 0111 xxxx : outside
  cccc 0001 0110 xxxx xxxx xxxx 0111 xxxx : outside
  cccc 0001 0xx0 xxxx xxxx xxxx 1xx0 xxxx : outside
  cccc 0000 000S dddd 0000 mmmm 1001 nnnn : mul{s} d n m : d!pc n!pc m!pc
  cccc 0000 xxxx xxxx xxxx xxxx 1001 xxxx : outside
  cccc 0001 0x00 xxxx xxxx xxxx 1001 xxxx : outside
  cccc 0001 1xxx xxxx xxxx xxxx 1001 xxxx : outside
  ${extraRows}
  ${doubleRows}
  cccc 000 xxxx 0 xxxx xxxx xxxx 11x1 xxxx : outside
  ${dataProcessingRows}

  cccc 0101 0010 1101 tttt 0000 0000 0100 : push {t}
  cccc 0100 1001 1101 tttt 0000 0000 0100 : pop {t} : t!sp
  ${singleRows}
  cccc 0110 1010 1111 dddd kk00 0111 mmmm : sxtb d m/8 : d!pc m!pc
  cccc 0110 1011 1111 dddd kk00 0111 mmmm : sxth d m/8 : d!pc m!pc
  cccc 0110 1110 1111 dddd kk00 0111 mmmm : uxtb d m/8 : d!pc m!pc
  cccc 0110 1111 1111 dddd kk00 0111 mmmm : uxth d m/8 : d!pc m!pc
  cccc 0110 1111 1111 dddd 1111 0011 mmmm : rbit d m : d!pc m!pc
  cccc 0111 101 wwwww dddd kkkkk 101 mmmm : sbfx d m #k #width : d!pc m!pc
  cccc 0111 111 wwwww dddd kkkkk 101 mmmm : ubfx d m #k #width : d!pc m!pc
  cccc 0110 1011 1111 dddd 1111 0011 mmmm : rev d m : d!pc m!pc
  cccc 0110 1011 1111 dddd 1111 1011 mmmm : rev16 d m : d!pc m!pc
  cccc 0110 1111 1111 dddd 1111 1011 mmmm : revsh d m : d!pc m!pc
  ${mediaRows}
  cccc 0111 1111 iiiiiiiiiiii 1111 iiii : udf #i
  cccc 0110 0x00 xxxx xxxx xxxx xxx1 xxxx : undefined
  cccc 0110 0xxx xxxx xxxx xxxx 0xx1 xxxx : outside
  cccc 0110 0xxx xxxx xxxx xxxx 1001 xxxx : outside
  cccc 0110 0xxx xxxx xxxx xxxx 1111 xxxx : outside
  cccc 0110 1000 xxxx xxxx xxxx xx01 xxxx : outside
  cccc 0110 1000 xxxx xxxx xxxx 0111 xxxx : outside
  cccc 0110 1000 xxxx xxxx xxxx 1011 xxxx : outside
  cccc 0110 1x1x xxxx xxxx xxxx xx01 xxxx : outside
  cccc 0110 1x1x xxxx xxxx xxxx 0x11 xxxx : outside
  cccc 0110 1x11 xxxx xxxx xxxx 1011 xxxx : outside
  cccc 0110 1100 xxxx xxxx xxxx 0111 xxxx : outside
  cccc 0111 0000 xxxx xxxx xxxx 0xx1 xxxx : outside
  cccc 0111 00x1 xxxx xxxx xxxx 0001 xxxx : outside
  cccc 0111 0100 xxxx xxxx xxxx 0xx1 xxxx : outside
  cccc 0111 0101 xxxx xxxx xxxx 00x1 xxxx : outside
  cccc 0111 0101 xxxx xxxx xxxx 11x1 xxxx : outside
  cccc 0111 1000 xxxx xxxx xxxx 0001 xxxx : outside
  cccc 0111 101x xxxx xxxx xxxx x101 xxxx : outside
  cccc 0111 110x xxxx xxxx xxxx x001 xxxx : outside
  cccc 0111 111x xxxx xxxx xxxx x101 xxxx : outside

  cccc 1001 0010 1101 rrrrrrrrrrrrrrrr : push {r} : if:list2 nosp
  cccc 1000 1011 1101 rrrrrrrrrrrrrrrr : pop {r} : if:list2 nosp
  ${multipleRows}
  cccc 100 xxxxx xxxxxxxxxxxxxxxxxxxx : outside
  cccc 1010 iiiiiiiiiiiiiiiiiiiiiiii : b >a32
  cccc 1011 iiiiiiiiiiiiiiiiiiiiiiii : bl >a32
  ${cacheRows("cccc")}
  ${coprocessorRows("cccc")}
  cccc 1111 iiiiiiiiiiiiiiiiiiiiiiii : svc #i
`;
