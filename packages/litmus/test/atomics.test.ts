import { describe, expect, test } from "vitest";
import { ask } from "./write.js";

/*
 * Atomic accesses of AArch64 are a load and a store, each with its own order (Arm ARM DDI 0487, B2.3: "atomic-ordered-before",
 * "barrier-ordered-before"). The names of the tests are those of the field.
 */

const two = (init: string, p0: string, p1: string, condition: string) =>
  ask({ init, code: [p0, p1], condition: `exists (${condition})` }).observation;

const INIT = "0:X1=x; 0:X3=y; 0:X0=1; 0:X5=2; 1:X1=x; 1:X3=y; 1:X0=1; 1:X5=2; 1:X9=z; 0:X9=z;";

describe("a release of an atomic access comes behind older accesses", () => {
  test.each([
    ["SWP", "Sometimes"],
    ["SWPA", "Sometimes"],
    ["SWPL", "Never"],
    ["SWPAL", "Never"],
  ])("2+2W+dmb.sy+po-%s", (swap, expected) => {
    const p0 = `STR W5,[X3]\n${swap} W0,W2,[X1]`;
    expect(two(INIT, p0, "STR W5,[X1]\nDMB SY\nSTR W0,[X3]", "x=2 /\\ y=2")).toBe(expected);
  });

  test.each(["LDADDL W0,W2,[X1]", "STADDL W0,[X1]", "MOV W2,#0\nCASL W2,W0,[X1]"])("MP+po-%s+addr", (atomic) => {
    const p1 = "LDR W4,[X1]\nEOR W6,W4,W4\nLDR W2,[X3,W6,SXTW]";
    expect(two(INIT, `STR W0,[X3]\n${atomic}`, p1, "1:X4=1 /\\ 1:X2=0")).toBe("Never");
    expect(two(INIT, `STR W0,[X3]\n${atomic.replace("L ", " ")}`, p1, "1:X4=1 /\\ 1:X2=0")).toBe("Sometimes");
  });

  test.each([
    ["SWPL", "Never"],
    ["SWP", "Sometimes"],
  ])(
    "code that is stored before a flag by %s is fetched behind it, where both caches are coherent",
    (swap, expected) => {
      const { observation } = ask({
        info: "CacheType=IDC DIC",
        init: '0:X0=instr:"NOP"; 0:X1=P1:m; 0:X3=y; 0:X5=1; 1:X3=y;',
        code: [`STR W0,[X1]\n${swap} W5,W6,[X3]`, "LDR W4,[X3]\nCBZ W4,e\nISB\nm: B e\nMOV W7,#1\ne:"],
        condition: "exists (1:X4=1 /\\ 1:X7=0)",
      });
      expect(observation).toBe(expected);
    },
  );
});

describe("later accesses come between the load and the store of an atomic access", () => {
  test.each([
    ["SWPA", "Sometimes"],
    ["SWPAL", "Never"],
  ])("MP+po-%s-po: a store overtakes that of an atomic access that acquires", (swap, expected) => {
    // The store to y is seen, that to x is not.
    const p0 = `${swap} W0,W2,[X1]\nSTR W0,[X3]`;
    expect(two(INIT, p0, "LDR W4,[X3]\nDMB SY\nLDR W2,[X1]", "1:X4=1 /\\ 1:X2=0")).toBe(expected);
  });

  test("a later load finds what an atomic access has still to store", () => {
    const p0 = "SWP W0,W2,[X1]\nLDR W4,[X1]\nEOR W6,W4,W4\nLDR W7,[X3,W6,SXTW]";
    const p1 = "STR W5,[X3]\nDMB SY\nLDR W7,[X1]";
    expect(two(INIT, p0, p1, "0:X4=1 /\\ 0:X7=0 /\\ 1:X7=0")).toBe("Sometimes");
  });

  test("one that acquires finds it not before the atomic access has loaded", () => {
    const p0 = "SWP W0,W2,[X1]\nLDAR W4,[X1]\nLDR W7,[X3]";
    const p1 = "STR W5,[X3]\nDMB SY\nSTR W5,[X1]";
    expect(two(INIT, p0, p1, "0:X2=2 /\\ 0:X7=0")).toBe("Never");
    expect(two(INIT, p0.replace("LDAR", "LDR"), p1, "0:X2=2 /\\ 0:X7=0")).toBe("Sometimes");
  });

  test("no store of another CPU comes between them", () => {
    const p0 = "SWPA W0,W2,[X1]\nSTR W0,[X3]";
    const p1 = "LDR W4,[X3]\nDMB SY\nSTR W5,[X1]";
    // With y the load is over, and what comes behind that in x comes behind the atomic access.
    expect(two(INIT, p0, p1, "1:X4=1 /\\ x=1")).toBe("Never");
    expect(two(INIT, p0, p1, "1:X4=1 /\\ x=2")).toBe("Sometimes");
  });

  test("two that each hold what the other wants lose nothing", () => {
    const p = (mine: string, other: string) => `STR W5,[${mine}]\nSWPL W0,W2,[${other}]\nSTR W0,[X9]`;
    const { states } = ask({
      init: INIT,
      code: [p("X3", "X1"), p("X1", "X3")],
      condition: "exists (0:X2=0 /\\ 1:X2=0 /\\ x=0 /\\ y=0)",
    });
    expect(states).toEqual([
      "0:X2=0; 1:X2=2; [x]=2; [y]=1;",
      "0:X2=2; 1:X2=0; [x]=1; [y]=2;",
      "0:X2=2; 1:X2=2; [x]=1; [y]=1;",
    ]);
  });
});

describe("forms without a result", () => {
  test.each([
    ["LDADDA W0,W2,[X3]", "Never"],
    ["LDADDA W0,WZR,[X3]", "Sometimes"],
    ["LDADD W0,W2,[X3]\nDMB LD", "Never"],
    ["STADD W0,[X3]\nDMB LD", "Sometimes"],
    ["SWPA W0,WZR,[X3]", "Sometimes"],
    ["STADD W0,[X3]\nDMB SY", "Never"],
  ])("are no loads for what orders loads: %s", (atomic, expected) => {
    // y counts whether the atomic access came behind the store to it.
    const p1 = `${atomic}\nLDR W4,[X1]`;
    const p0 = "STR W5,[X1]\nDMB SY\nSTR W5,[X3]";
    const condition = atomic.startsWith("SWP") ? "y=1 /\\ 1:X4=0" : "y=3 /\\ 1:X4=0";
    expect(two(INIT, p0, p1, condition)).toBe(expected);
  });
});

describe("dependencies", () => {
  const published = "STR W0,[X1]\nDMB SY\nSTR W0,[X3]";
  const address = (from: string) => `EOR W6,${from},${from}\nLDR W7,[X1,W6,SXTW]`;

  test("what a swap leaves in its register does not depend on what it stores", () => {
    const p1 = `LDR W4,[X3]\nEOR W6,W4,W4\nSWP W6,W8,[X9]\n${address("W8")}`;
    expect(two(INIT, published, p1, "1:X4=1 /\\ 1:X7=0")).toBe("Sometimes");
  });

  test.each([
    ["that stores leaves one, to which no load has to wait", "MOV W8,#0", "Sometimes", 0],
    ["that does not store leaves what it loaded", "MOV W8,#7", "Never", 1],
  ])("a CAS %s", (_name, compared, expected, found) => {
    const p1 = `${compared}\nCAS W8,W0,[X3]\n${address("W8")}`;
    const p0 = found === 1 ? published : "STR W0,[X1]\nDMB SY\nSWP WZR,W2,[X3]\nSTR WZR,[X3]";
    const condition = found === 1 ? "1:X8=1 /\\ 1:X7=0" : "1:X8=0 /\\ 1:X7=0";
    expect(two(INIT, p0, p1, condition)).toBe(expected);
  });
});

describe("sizes", () => {
  test("a wider load takes a part of its bytes from its own CPU's store and the rest from memory", () => {
    const p0 = "STRB W0,[X1]\nLDR W4,[X1]\nEOR W6,W4,W4\nLDR W7,[X3,W6,SXTW]";
    const p1 = "STR W5,[X3]\nDMB SY\nLDRB W4,[X1]";
    // The byte was not seen, and the load behind it came before the store to y.
    expect(two(INIT, p0, p1, "0:X4=1 /\\ 0:X7=0 /\\ 1:X4=0")).toBe("Sometimes");
  });

  test("two such loads of a word do not go back in any byte", () => {
    const p0 = "STRB W0,[X1]\nLDR W4,[X1]\nLDR W7,[X1]";
    const p1 = "MOV W6,#0x100\nSTRH W6,[X1]";
    const { states } = ask({ init: INIT, code: [p0, p1], condition: "exists (0:X4=0x101 /\\ 0:X7=1)" });
    expect(states.filter((state) => state.includes("0:X4=257; 0:X7=1;"))).toEqual([]);
    expect(states.length).toBeGreaterThan(2);
  });
});
