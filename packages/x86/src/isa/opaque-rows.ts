/*
 * Encodings beyond those whose effect is modelled, written as the rows of opcodes.ts. `opaque:name` is known by its operands alone,
 * `opaque` by its length alone. `outside` is what goes on elsewhere than behind itself or moves the stack pointer: nothing passes it.
 */

/** The first that fits counts, behind all rows of what is modelled. Source: Intel SDM vol. 2, appendix A.3 to A.5. */
export const opaqueRows = `
  62 opaque vex
  C4-C5 opaque vex
  6C-6F opaque
  8C opaque Ev
  8E opaque Ev
  98-99 opaque
  9B opaque
  9C-9D outside
  9E opaque:sahf
  9F opaque:lahf
  A0-A3 opaque Ob a64
  A0-A3 outside
  A4-A7 opaque
  AA-AF opaque
  C6/7/0 outside register
  C7/7/0 outside register
  C8 outside
  CA-CB outside
  CD outside
  CF outside
  D7 opaque
  D8-DF opaque Ev
  E0-E3 outside
  E4-E7 opaque Ub
  EC-EF opaque
  F1 outside
  FA opaque:cli
  FB opaque:sti
  FC opaque:cld
  FD opaque:std
  FF/3 outside memory
  FF/5 outside memory

  0F00/0 opaque Ev
  0F00/1 opaque Ev
  0F00/3 opaque Ev
  0F00/4 opaque Ev
  0F00/5 opaque:verw Ew
  0F01/0/1 outside register
  0F01/0/2 outside register
  0F01/0/3 outside register
  0F01/0/4 outside register
  0F01/1/2 opaque:clac register np
  0F01/1/3 opaque:stac register np
  0F01/2/0 opaque:xgetbv register np
  0F01/2/1 opaque:xsetbv register np
  0F01/3/0 outside register
  0F01/7/0 opaque:swapgs register np
  0F01/7/1 opaque:rdtscp register np
  0F01/0 opaque:sgdt M memory
  0F01/1 opaque:sidt M memory
  0F01/2 opaque:lgdt M memory
  0F01/3 opaque:lidt M memory
  0F01/7 opaque:invlpg M memory
  0F01 opaque Ev
  0F02-0F03 opaque Ev
  0F05 outside
  0F06 opaque:clts
  0F07 outside
  0F08 opaque:invd
  0F09 opaque:wbinvd np
  0F09 opaque
  0F0D/0 opaque:prefetch M memory
  0F0D/1 opaque:prefetchw M memory
  0F0D opaque Ev
  0F18/0 opaque:prefetchnta M memory
  0F18/1 opaque:prefetcht0 M memory
  0F18/2 opaque:prefetcht1 M memory
  0F18/3 opaque:prefetcht2 M memory
  0F18 opaque Ev
  0F10-0F17 opaque Ev
  0F20-0F23 opaque register
  0F20-0F23 outside memory
  0F28-0F2F opaque Ev
  0F30 opaque:wrmsr
  0F31 opaque:rdtsc
  0F32 opaque:rdmsr
  0F33 opaque:rdpmc
  0F34-0F35 outside
  0F37 outside
  0F38 opaque Ev escape
  0F3A opaque Ev Ub escape
  0F50-0F6F opaque Ev
  0F70-0F73 opaque Ev Ub
  0F74-0F76 opaque Ev
  0F77 opaque
  0F78-0F79 opaque Ev
  0F7C-0F7F opaque Ev
  0FA0-0FA1 outside
  0FA4 opaque:shld Ev Gv Ub
  0FA5 opaque:shld Ev Gv CL
  0FA8-0FAA outside
  0FAC opaque:shrd Ev Gv Ub
  0FAD opaque:shrd Ev Gv CL
  0FAE/7 opaque:clflush M memory np
  0FAE opaque Ev memory
  0FAE opaque Ev prefixed
  0FAE/5 opaque Ev
  0FAE/6 opaque Ev
  0FAE/7 opaque Ev
  0FB2 opaque Ev memory
  0FB4-0FB5 opaque Ev memory
  0FB8 opaque:popcnt Gv Ev F3
  0FBC opaque:tzcnt Gv Ev F3
  0FBD opaque:lzcnt Gv Ev F3
  0FBC-0FBD opaque Ev
  0FC2 opaque Ev Ub
  0FC3 opaque:movnti Ev Gv memory np
  0FC4-0FC6 opaque Ev Ub
  0FC7/1 opaque Ev memory lock
  0FC7/3 opaque Ev memory
  0FC7/4 opaque Ev memory
  0FC7/5 opaque Ev memory
  0FC7/6 opaque Ev register
  0FC7/6 outside memory
  0FC7/7 opaque Ev
  0FC8-0FCF opaque
  0FD0-0FFE opaque Ev
`;
