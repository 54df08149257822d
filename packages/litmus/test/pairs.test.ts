import { describe, expect, test } from "vitest";
import { ask } from "./write.js";

/*
 * A load or store of a pair is one access for each register, which nothing orders among themselves (Arm ARM DDI 0487, B2.2.1, without
 * FEAT_LSE2; B2.3.1). X1 is the address of both places, X3 that of the second.
 */

const REGISTERS = "0:X1=x; 0:X3=&x[1]; 0:X5=1; 0:X6=2; 1:X1=x; 1:X3=&x[1]; 1:X5=1; 1:X6=2;";

const sees = (p0: string, p1: string, condition: string): string =>
  ask({ init: `int x[2]; ${REGISTERS}`, code: [p0, p1], condition: `exists (${condition})` }).observation;

describe("a pair is loaded", () => {
  const inOrder = "STR W5,[X1]\nDMB SY\nSTR W5,[X3]";

  test("at two moments, in either order", () => {
    expect(sees(inOrder, "LDP W0,W2,[X1]", "1:X0=0 /\\ 1:X2=1")).toBe("Sometimes");
    expect(sees(inOrder, "LDP W0,W2,[X1]", "1:X0=1 /\\ 1:X2=0")).toBe("Sometimes");
    expect(sees("STP W5,W5,[X1]", "LDPSW X0,X2,[X1]", "1:X0=0 /\\ 1:X2=1")).toBe("Sometimes");
  });

  test("each register whole", () => {
    const whole = (p1: string, condition: string): string =>
      ask({
        init: `uint64_t x[2]; uint64_t 0:X5=0x100000001; ${REGISTERS.replace("0:X5=1; ", "")} uint64_t 1:X0; uint64_t 1:X2;`,
        code: ["STP X5,X5,[X1]", p1],
        condition: `exists (${condition})`,
      }).observation;
    expect(whole("LDP X0,X2,[X1]", "1:X0=1")).toBe("Never");
    expect(whole("LDP X0,X2,[X1]", "1:X0=0x100000001 /\\ 1:X2=0")).toBe("Sometimes");
  });

  test("behind a barrier, and before one", () => {
    expect(sees(inOrder, "LDR W4,[X3]\nDMB SY\nLDP W0,W2,[X1]", "1:X4=1 /\\ 1:X0=0")).toBe("Never");
    expect(sees("STR W5,[X3]\nDMB SY\nSTR W5,[X1]", "LDP W0,W2,[X1]\nDMB SY\nLDR W4,[X3]", "1:X0=1 /\\ 1:X4=0")).toBe(
      "Never",
    );
  });

  test("in the order of each place", () => {
    expect(sees("STR W5,[X3]", "LDP W0,W2,[X1]\nLDR W4,[X3]", "1:X2=1 /\\ 1:X4=0")).toBe("Never");
    expect(sees("STR W5,[X3]", "LDR W4,[X3]\nLDP W0,W2,[X1]", "1:X4=1 /\\ 1:X2=0")).toBe("Never");
    expect(sees("STR W6,[X3]", "STR W5,[X3]\nLDP W0,W2,[X1]", "1:X2=0")).toBe("Never");
  });

  test("and what comes behind waits for the register of its own place alone", () => {
    const answers = "LDR W0,[X3]\nDMB SY\nSTR W5,[X1]";
    expect(sees("LDP W0,W2,[X1]\nSTR W5,[X3]", answers, "0:X0=1 /\\ 1:X0=1")).toBe("Sometimes");
    expect(sees("LDP W0,W2,[X1]\nSTR W5,[X3]", answers, "0:X2=1")).toBe("Never");
  });

  test("from its own store the register that this stored", () => {
    const other = "STR W5,[X1]\nDMB SY\nLDR W4,[X3]";
    expect(sees("STR W5,[X3]\nLDP W0,W2,[X1]", other, "0:X0=0 /\\ 0:X2=1 /\\ 1:X4=0")).toBe("Sometimes");
    expect(sees("STR W5,[X3]\nDMB SY\nLDP W0,W2,[X1]", other, "0:X0=0 /\\ 1:X4=0")).toBe("Never");
  });
});

describe("a pair is stored", () => {
  test("at two moments, in either order", () => {
    expect(sees("STP W5,W5,[X1]", "LDR W0,[X3]\nDMB SY\nLDR W2,[X1]", "1:X0=1 /\\ 1:X2=0")).toBe("Sometimes");
    expect(sees("STP W5,W5,[X1]", "LDR W2,[X1]\nDMB SY\nLDR W0,[X3]", "1:X0=0 /\\ 1:X2=1")).toBe("Sometimes");
  });

  test("each register behind what the same place still waits for", () => {
    const answers = "LDR W0,[X1]\nDMB SY\nSTR W6,[X3]";
    expect(sees("LDR W0,[X3]\nSTP W5,W5,[X1]", answers, "0:X0=2 /\\ 1:X0=1")).toBe("Sometimes");
    expect(sees("LDR W0,[X3]\nSTP W5,W5,[X1]", answers, "0:X0=1")).toBe("Never");
  });
});
