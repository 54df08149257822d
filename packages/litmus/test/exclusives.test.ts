import { describe, expect, test } from "vitest";
import { runLitmus } from "../src/index.js";
import { ask } from "./write.js";

/* Exclusive accesses: LDXR and STXR (Arm ARM DDI 0487, B2.17), LR and SC (RISC-V unprivileged ISA, "A", rule 8 of RVWMO). */

const two = (init: string, p0: string, p1: string, condition: string) =>
  ask({ init, code: [p0, p1], condition: `exists (${condition})` }).observation;

const INIT = "0:X1=x; 0:X3=y; 0:X0=1; 0:X5=2; 1:X1=x; 1:X3=y; 1:X0=1; 1:X5=2;";
const ALONE = "0:X1=x; 0:X3=y; 0:X0=1;";
/** Status 0: it has been stored. */
const add = (load: string, store: string) => `${load} W2,[X1]\nADD W4,W2,#1\n${store} W6,W4,[X1]`;

const riscv = (p0: string, p1: string, condition: string) => {
  const rows = [p0, p1].map((text) => text.split("\n"));
  const length = Math.max(...rows.map((each) => each.length));
  const table = Array.from({ length }, (_, i) => `${rows.map((each) => each[i] ?? "").join(" | ")} ;`).join("\n");
  const init = [0, 1].map((t) => `${t}:x6=x; ${t}:x7=y; ${t}:x8=1; ${t}:x9=2;`).join(" ");
  return runLitmus(`RISCV short\n{ ${init} }\nP0 | P1 ;\n${table}\nexists (${condition})\n`, "short.litmus");
};

describe("AArch64", () => {
  test("a store to a reserved place takes place or not, and only in the first case stores", () => {
    const { states } = ask({ init: ALONE, code: [add("LDXR", "STXR")], condition: "exists (0:X6=0 /\\ x=1)" });
    expect(states).toEqual(["0:X6=0; [x]=1;", "0:X6=1; [x]=0;"]);
  });

  test("without a reservation it does not", () => {
    for (const code of ["STXR W6,W0,[X1]", "LDXR W2,[X3]\nSTXR W7,W0,[X3]\nSTXR W6,W0,[X1]"])
      expect(ask({ init: ALONE, code: [code], condition: "exists (0:X6=0)" }).observation, code).toBe("Never");
  });

  test("nor at another place, or of another size", () => {
    for (const code of ["LDXR W2,[X3]\nSTXR W6,W0,[X1]", "LDXR W2,[X1]\nSTXRB W6,W0,[X1]"])
      expect(ask({ init: ALONE, code: [code], condition: "exists (0:X6=0)" }).observation, code).toBe("Never");
  });

  test("two additions are not lost where both are stored", () => {
    const both = add("LDXR", "STXR");
    expect(two(INIT, both, both, "0:X6=0 /\\ 1:X6=0 /\\ x=1")).toBe("Never");
    expect(two(INIT, both, both, "0:X6=0 /\\ 1:X6=0 /\\ x=2")).toBe("Sometimes");
  });

  test("no store of another CPU comes between, the same value as was there included", () => {
    for (const first of ["", "LDR W7,[X3]\n"])
      expect(two(INIT, first + add("LDXR", "STXR"), "STR W5,[X1]", "0:X2=0 /\\ 0:X6=0 /\\ x=1"), first).toBe("Never");
    // Behind y the load is over; what is stored then comes behind the exclusive store.
    const p0 = "LDAXR W2,[X1]\nSTR W0,[X3]\nSTXR W6,W0,[X1]";
    expect(two(INIT, p0, "LDR W4,[X3]\nDMB SY\nSTR W5,[X1]", "0:X6=0 /\\ 1:X4=1 /\\ x=1")).toBe("Never");
    expect(two(INIT, p0, "LDR W4,[X3]\nDMB SY\nSTR W5,[X1]", "0:X6=0 /\\ 1:X4=1 /\\ x=2")).toBe("Sometimes");
    // So does one that a branch on its status let pass.
    const passed = "LDAXR W2,[X1]\nSTXR W6,W0,[X1]\nCBNZ W6,l\nSTR W0,[X3]\nl:";
    const behind = "LDR W4,[X3]\nDMB SY\nSTR W5,[X1]";
    expect(two(INIT, passed, behind, "1:X4=1 /\\ (x=1 \\/ 0:X6=1)")).toBe("Never");
    expect(two(INIT, passed, behind, "1:X4=1 /\\ x=2")).toBe("Sometimes");
    // The value is what it was, and the store of it counts.
    const p1 = "LDR W4,[X3]\nDMB SY\nSTR WZR,[X1]";
    expect(two(INIT, p0, p1, "0:X6=0 /\\ 1:X4=1 /\\ x=1")).toBe("Never");
  });

  test.each([
    ["STXR", "Sometimes"],
    ["STLXR", "Never"],
  ])("a release of it comes behind older accesses: %s", (store, expected) => {
    const p0 = `STR W0,[X3]\nLDXR W2,[X1]\n${store} W6,W0,[X1]`;
    const p1 = "LDR W4,[X1]\nEOR W7,W4,W4\nLDR W2,[X3,W7,SXTW]";
    expect(two(INIT, p0, p1, "1:X4=1 /\\ 1:X2=0")).toBe(expected);
  });

  test("its status holds nothing back, and a later load finds what it has still to store", () => {
    const p0 = "LDXR W2,[X1]\nSTXR W6,W0,[X1]\nCBNZ W6,l\nSTR W0,[X3]\nl:";
    expect(two(INIT, p0, "LDR W4,[X3]\nDMB SY\nLDR W2,[X1]", "1:X4=1 /\\ 1:X2=0")).toBe("Sometimes");
    const found = "LDXR W2,[X1]\nSTXR W6,W0,[X1]\nLDR W7,[X1]\nEOR W8,W7,W7\nLDR W9,[X3,W8,SXTW]";
    expect(two(INIT, found, "STR W5,[X3]\nDMB SY\nLDR W7,[X1]", "0:X6=0 /\\ 0:X7=1 /\\ 0:X9=0 /\\ 1:X7=0")).toBe(
      "Sometimes",
    );
  });
});

describe("RISC-V", () => {
  const add = "lr.w x10,(x6)\naddi x11,x10,1\nsc.w x12,x11,(x6)";

  test("two additions are not lost where both are stored, and each may fail", () => {
    expect(riscv(add, add, "0:x12=0 /\\ 1:x12=0 /\\ x=1").observation).toBe("Never");
    expect(riscv(add, add, "0:x12=1 /\\ 1:x12=1 /\\ x=0").observation).toBe("Sometimes");
    expect(riscv(add, "sd x9,0(x6)", "0:x10=0 /\\ 0:x12=0 /\\ x=2").observation).toBe("Sometimes");
  });

  test.each([
    ["sc.w", "Sometimes"],
    ["sc.w.rl", "Never"],
  ])("%s after an older store", (store, expected) => {
    const p0 = `sw x8,0(x7)\nlr.w x10,(x6)\n${store} x12,x8,(x6)`;
    expect(riscv(p0, "lw x13,0(x6)\nfence r,r\nlw x14,0(x7)", "1:x13=1 /\\ 1:x14=0").observation).toBe(expected);
  });

  test("a load finds a conditional store not before all see it (rule 3)", () => {
    const p0 = "lr.w x10,(x6)\nsc.w x12,x8,(x6)\nlw x13,0(x6)\nfence r,r\nlw x14,0(x7)";
    const p1 = "sw x8,0(x7)\nfence rw,rw\nlw x14,0(x6)";
    expect(riscv(p0, p1, "0:x12=0 /\\ 0:x13=1 /\\ 0:x14=0 /\\ 1:x14=0").observation).toBe("Never");
  });

  test.each([
    ["lw.aq x13,(x6)", "sw x8,0(x6)", "Sometimes"],
    ["lw x13,0(x6)", "sw.rl x8,(x6)", "Sometimes"],
    ["lw.aq x13,0(x6)", "sw.rl x8,0(x6)", "Never"],
    ["ld.aqrl x13,(x6)", "sd.aqrl x8,(x6)", "Never"],
  ])("load-acquire and store-release: %s beside %s", (load, store, expected) => {
    expect(riscv(`sw x8,0(x7)\n${store}`, `${load}\nlw x14,0(x7)`, "1:x13=1 /\\ 1:x14=0").observation).toBe(expected);
  });

  test("sext.w", () => {
    expect(
      riscv("addi x10,x0,-1\nslli x10,x10,32\nsrli x10,x10,32\nsext.w x11,x10", "nop", "0:x11=-1").observation,
    ).toBe("Always");
  });
});
