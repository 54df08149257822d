import { expect, test } from "vitest";
import { ask } from "./write.js";

/*
 * The order of loads and stores, as Arm's model has it (Arm ARM DDI 0487, B2.3). The names of the tests are those of the field.
 */

const two = (init: string, p0: string, p1: string, condition: string) =>
  ask({ init, code: [p0, p1], condition: `exists (${condition})` }).observation;

const MP = "0:X1=x; 0:X3=y; 0:X0=1; 1:X1=x; 1:X3=y;";
const published = "STR W0,[X1]\nDMB SY\nSTR W0,[X3]";
const readers = (between: string, last = "LDR W2,[X1]") => `LDR W4,[X3]\n${between}\n${last}`;
const dependent = "EOR W5,W4,W4";

test.each([
  ["MP", "STR W0,[X1]\nSTR W0,[X3]", readers("DMB SY"), "Sometimes"],
  ["MP+dmb.sy+po", published, readers("NOP"), "Sometimes"],
  ["MP+dmbs", published, readers("DMB SY"), "Never"],
  ["MP+dmb.st+dmb.ld", "STR W0,[X1]\nDMB ST\nSTR W0,[X3]", readers("DMB LD"), "Never"],
  ["MP+dmb.ld+dmb.ld", "STR W0,[X1]\nDMB LD\nSTR W0,[X3]", readers("DMB LD"), "Sometimes"],
  ["MP+dmb.sy+dmb.st", published, readers("DMB ST"), "Sometimes"],
  ["MP+dmb.sy+dsb.ld", published, readers("DSB LD"), "Never"],
  ["MP+dmb.sy+addr", published, readers(dependent, "LDR W2,[X1,W5,SXTW]"), "Never"],
  ["MP+dmb.sy+ctrl", published, readers("CBNZ W4,l\nl:"), "Sometimes"],
  ["MP+dmb.sy+ctrlisb", published, readers("CBNZ W4,l\nl:\nISB"), "Never"],
  ["MP+dmb.sy+isb", published, readers("ISB"), "Sometimes"],
  ["MP+stlr+ldar", "STR W0,[X1]\nSTLR W0,[X3]", "LDAR W4,[X3]\nLDR W2,[X1]", "Never"],
  ["MP+stlr+ldapr", "STR W0,[X1]\nSTLR W0,[X3]", "LDAPR W4,[X3]\nLDR W2,[X1]", "Never"],
  ["MP+stlr+po", "STR W0,[X1]\nSTLR W0,[X3]", "LDR W4,[X3]\nLDR W2,[X1]", "Sometimes"],
])("%s", (_name, p0, p1, expected) => {
  expect(two(MP, p0, p1, "1:X4=1 /\\ 1:X2=0")).toBe(expected);
});

test.each([
  ["pick to the address of a load", "CSEL X6,X1,X1,EQ\nLDR W2,[X6]", "Sometimes"],
  ["pick to a branch before an ISB", "CSEL W6,W7,W8,EQ\nCBNZ W6,l\nl:\nISB\nLDR W2,[X1]", "Never"],
  ["pick to an address before an ISB", "CSEL X6,X9,X9,EQ\nLDR W7,[X6]\nISB\nLDR W2,[X1]", "Never"],
  ["pick to nothing before an ISB", "CSEL X6,X9,X9,EQ\nISB\nLDR W2,[X1]", "Sometimes"],
])("MP+dmb.sy+%s", (_name, tail, expected) => {
  const p1 = `LDR W4,[X3]\nCMP W4,#1\n${tail}`;
  expect(two(`${MP} 1:X9=z;`, published, p1, "1:X4=1 /\\ 1:X2=0")).toBe(expected);
});

const S = "0:X1=x; 0:X3=y; 0:X0=1; 0:X5=2; 1:X1=x; 1:X3=y; 1:X6=1; 1:X9=z;";
test.each([
  ["S+dmb+po", "STR W6,[X1]", "Sometimes"],
  ["S+dmb+data", "EOR W5,W4,W4\nADD W5,W5,#1\nSTR W5,[X1]", "Never"],
  ["S+dmb+ctrl", "CBNZ W4,l\nl:\nSTR W6,[X1]", "Never"],
  ["S+dmb+addr;po", "EOR W5,W4,W4\nLDR W7,[X9,W5,SXTW]\nSTR W6,[X1]", "Never"],
  ["S+dmb+data;po", "EOR W5,W4,W4\nSTR W5,[X9]\nSTR W6,[X1]", "Sometimes"],
  ["S+dmb+pick", "CMP W4,#1\nCSEL W5,W6,W6,EQ\nSTR W5,[X1]", "Never"],
  ["S+dmb+pick-addr;po", "CMP W4,#1\nCSEL X5,X9,X9,EQ\nLDR W7,[X5]\nSTR W6,[X1]", "Never"],
  ["S+dmb+pick-rfi-data", "CMP W4,#1\nCSEL W5,W6,W6,EQ\nNOP\nSTR W5,[X9]\nLDR W7,[X9]\nSTR W7,[X1]", "Never"],
  ["S+dmb+pick, not stored", "CMP W4,#1\nCSEL W5,W6,W6,EQ\nSTR W6,[X1]", "Sometimes"],
])("%s", (_name, tail, expected) => {
  const p0 = "STR W5,[X1]\nDMB SY\nSTR W0,[X3]";
  expect(two(S, p0, `LDR W4,[X3]\n${tail}`, "1:X4=1 /\\ x=2")).toBe(expected);
});

const SB = "0:X1=x; 0:X3=y; 0:X0=1; 1:X1=x; 1:X3=y; 1:X0=1;";
const crossed = (store: string, between: string, load: string) => [
  `${store} W0,[X1]\n${between}\n${load} W2,[X3]`,
  `${store} W0,[X3]\n${between}\n${load} W2,[X1]`,
];
test.each([
  ["SB", "STR", "NOP", "LDR", "Sometimes"],
  ["SB+dmbs", "STR", "DMB SY", "LDR", "Never"],
  ["SB+dmb.sts", "STR", "DMB ST", "LDR", "Sometimes"],
  ["SB+dsb.sts", "STR", "DSB ST", "LDR", "Never"],
  ["SB+stlr+ldar", "STLR", "NOP", "LDAR", "Never"],
  ["SB+stlr+ldapr", "STLR", "NOP", "LDAPR", "Sometimes"],
])("%s", (_name, store, between, load, expected) => {
  const [p0 = "", p1 = ""] = crossed(store, between, load);
  expect(two(SB, p0, p1, "0:X2=0 /\\ 1:X2=0")).toBe(expected);
});

test("LB is possible, and not with a data dependency on one side and a barrier on the other", () => {
  const init = "0:X1=x; 0:X3=y; 0:X0=1; 1:X1=x; 1:X3=y;";
  const lb = (between: string, data: string) =>
    two(init, `LDR W4,[X1]\n${between}\nSTR W0,[X3]`, `LDR W4,[X3]\n${data}\nSTR W5,[X1]`, "0:X4=1 /\\ 1:X4=1");
  expect(lb("NOP", "MOV W5,#1")).toBe("Sometimes");
  expect(lb("DMB SY", "EOR W5,W4,W4\nADD W5,W5,#1")).toBe("Never");
  expect(lb("DMB SY", "MOV W5,#1")).toBe("Sometimes");
});

// ---- one place ----

test("CoRR: loads of a place do not go back", () => {
  const init = "0:X1=x; 0:X0=1; 1:X1=x;";
  expect(two(init, "STR W0,[X1]", "LDR W2,[X1]\nLDR W3,[X1]", "1:X2=1 /\\ 1:X3=0")).toBe("Never");
});

test("CoRR holds when the address of the first load is known last", () => {
  const init = "0:X1=x; 0:X0=1; 1:X1=x; 1:X4=y;";
  const p1 = "LDR W5,[X4]\nEOR W6,W5,W5\nLDR W2,[X1,W6,SXTW]\nLDR W3,[X1]";
  expect(two(init, "STR W0,[X1]", p1, "1:X2=1 /\\ 1:X3=0")).toBe("Never");
});

test("two loads that find the same store may take place in either order (RSW)", () => {
  const init = "0:X1=x; 0:X3=y; 0:X0=1; 1:X1=x; 1:X3=y; 1:X8=z;";
  const p1 = `LDR W4,[X3]
    EOR W5,W4,W4
    LDR W6,[X8,W5,SXTW]
    LDR W7,[X8]
    EOR W9,W7,W7
    LDR W2,[X1,W9,SXTW]`;
  expect(two(init, published, p1, "1:X4=1 /\\ 1:X2=0")).toBe("Sometimes");
});

test("RDW: the same with a store between that one of them finds is not", () => {
  const { observation } = ask({
    init: "0:X1=x; 0:X3=y; 0:X0=1; 1:X1=x; 1:X3=y; 1:X8=z; 2:X8=z; 2:X0=1;",
    code: [
      published,
      `LDR W4,[X3]
      EOR W5,W4,W4
      LDR W6,[X8,W5,SXTW]
      LDR W7,[X8]
      EOR W9,W7,W7
      LDR W2,[X1,W9,SXTW]`,
      "STR W0,[X8]",
    ],
    condition: "exists (1:X4=1 /\\ 1:X6=0 /\\ 1:X7=1 /\\ 1:X2=0)",
  });
  // The first load came before the store, the second after it.
  expect(observation).toBe("Never");
});

test("a load finds an older store of its CPU whose address is known late", () => {
  const init = "0:X4=y; [y]=x; 0:X1=x; 0:X0=1;";
  const { states } = ask({ init, code: ["LDR X5,[X4]\nSTR W0,[X5]\nLDR W2,[X1]"], condition: "exists (0:X2=0)" });
  expect(states).toEqual(["0:X2=1;"]);
});

test("stores of a place stay in order, and a load before a store does not find it", () => {
  const stores = ask({
    init: "0:X1=x; 0:X0=1; 0:X2=2;",
    code: ["STR W0,[X1]\nSTR W2,[X1]"],
    condition: "exists (x=1)",
  });
  expect(stores.states).toEqual(["[x]=2;"]);
  const early = ask({ init: "0:X1=x; 0:X0=1;", code: ["LDR W2,[X1]\nSTR W0,[X1]"], condition: "exists (0:X2=1)" });
  expect(early.states).toEqual(["0:X2=0;"]);
});

test("PPOCA: a store that is not decided is forwarded; PPOAA: one whose address is not known is not", () => {
  const init = "0:X1=x; 0:X3=y; 0:X0=1; 1:X1=x; 1:X3=y; 1:X8=z; 1:X0=1;";
  const tail = "LDR W7,[X8]\nEOR W9,W7,W7\nLDR W2,[X1,W9,SXTW]";
  const ppo = (head: string) => two(init, published, `LDR W4,[X3]\n${head}\n${tail}`, "1:X4=1 /\\ 1:X7=1 /\\ 1:X2=0");
  expect(ppo("CBNZ W4,l\nl:\nSTR W0,[X8]")).toBe("Sometimes");
  expect(ppo("EOR W5,W4,W4\nSTR W0,[X8,W5,SXTW]")).toBe("Never");
});

test("IRIW+addrs is impossible: a store reaches all other CPUs at once", () => {
  const reader = "LDR W2,[X1]\nEOR W4,W2,W2\nLDR W5,[X3,W4,SXTW]";
  const { observation } = ask({
    init: "0:X1=x; 0:X0=1; 1:X1=y; 1:X0=1; 2:X1=x; 2:X3=y; 3:X1=y; 3:X3=x;",
    code: ["STR W0,[X1]", "STR W0,[X1]", reader, reader],
    condition: "exists (2:X2=1 /\\ 2:X5=0 /\\ 3:X2=1 /\\ 3:X5=0)",
  });
  expect(observation).toBe("Never");
});

test("atomic additions are not lost", () => {
  const add = "LDADD W0,W2,[X1]";
  const { states } = ask({ init: "0:X1=x; 0:X0=1; 1:X1=x; 1:X0=1;", code: [add, add], condition: "exists (x=1)" });
  expect(states).toEqual(["[x]=2;"]);
});

/** R4: whether the second word of a store is seen without the first, and the first without the second. */
const halves = (store: string) =>
  [
    two(WORDS, store, "LDR W4,[X1,#4]\nDMB LD\nLDR W5,[X1]", "1:X4=1 /\\ 1:X5=0"),
    two(WORDS, store, "LDR W5,[X1]\nDMB LD\nLDR W4,[X1,#4]", "1:X5=1 /\\ 1:X4=0"),
  ] as const;
const WORDS = "uint64_t x; 0:X1=x; 0:X0=0x100000001; 0:X2=1; 1:X1=x;";

test("a store of a pair is two, in no order, and a naturally aligned one is one", () => {
  expect(halves("STP W0,W2,[X1]")).toEqual(["Sometimes", "Sometimes"]);
  expect(halves("STR X0,[X1]")).toEqual(["Never", "Never"]);
});

test("a load behind it finds both words of a pair, whichever of them others see", () => {
  const own = "STP W0,W2,[X1]\nLDR X6,[X1]\nEOR X7,X6,X6\nLDR W8,[X3,W7,SXTW]";
  const other = "STR W0,[X3]\nDMB SY\nLDR W5,[X1]";
  const init = "uint64_t x; 0:X1=x; 0:X0=1; 0:X2=1; 0:X3=y; 1:X1=x; 1:X3=y; 1:X0=1;";
  expect(two(init, own, other, "~(0:X6=0x100000001)")).toBe("Never");
  // As with one store, a CPU may find its own before others do.
  expect(two(init, own, other, "0:X8=0 /\\ 1:X5=0")).toBe("Sometimes");
});
