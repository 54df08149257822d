import { expect, test } from "vitest";
import { ask } from "./write.js";

/* Rules of the fetch window whose breaking no other test sees, or the catalogue alone. docs/arm64.md has a list. */

test("a fetch does not find its CPU's own store before others could", () => {
  const { observation } = ask({
    init: "0:X0=NOP; 0:X1=P0:m; 0:X3=f; 1:X1=P0:m; 1:X2=1; 1:X3=f;",
    code: ["STR W0,[X1]\nm: B l\nMOV W9,#1\nl: LDR W4,[X3]", "STR W2,[X3]\nDMB SY\nLDR W5,[X1]"],
    condition: 'exists (0:X9=1 /\\ 0:X4=0 /\\ 1:X5=instr:"B .+8")',
  });
  expect(observation).toBe("Never");
});

test("what is behind the barrier of an invalidation happens once it is in force on CPUs that do not synchronise", () => {
  const { observation } = ask({
    init: "0:X0=NOP; 0:X1=P1:m; 0:X7=P1:n;",
    code: [
      "STR W0,[X1]\nDC CVAU,X1\nDSB ISH\nIC IVAU,X1\nDSB ISH\nSTR W0,[X7]",
      "n: B k\nMOV W8,#1\nk:\nm: B l\nMOV W9,#1\nl:",
    ],
    condition: "exists (1:X8=1 /\\ 1:X9=0)",
  });
  expect(observation).toBe("Never");
});

// ---- a clean among what other CPUs do ----

const flush = "DSB SY\nIC IVAU,X1\nDSB SY\nISB";
const victim = "m: B l\nMOV W9,#1\nl:";
const published = "STR W0,[X1]\nDMB ST\nSTR W2,[X3]";

/** A CPU hears that another one wrote an instruction, cleans and invalidates, and may still run the old one. */
const cleanedAfter = (wait: string): string =>
  ask({
    init: "0:X0=NOP; 0:X1=P1:m; 0:X2=1; 0:X3=f; 1:X1=P1:m; 1:X3=f; 1:X7=z;",
    code: [published, `LDR W4,[X3]\n${wait}\nDC CVAU,X1\n${flush}\n${victim}`],
    condition: "exists (1:X4=1 /\\ 1:X9=0)",
  }).observation;

test("a clean waits for branches before it, and for no address of an access before it", () => {
  expect(cleanedAfter("CBNZ W4,k\nk:")).toBe("Never");
  expect(cleanedAfter("EOR W5,W4,W4\nLDR W6,[X7,W5,SXTW]")).toBe("Sometimes");
});

test("DMB ST does not hold back a clean", () => {
  const { observation } = ask({
    init: "0:X1=P0:m; 0:X2=1; 0:X3=f; 1:X0=NOP; 1:X1=P0:m; 1:X2=2; 1:X3=f;",
    code: [`STR W2,[X3]\nDMB ST\nDC CVAU,X1\n${flush}\n${victim}`, published],
    condition: "exists (f=1 /\\ 0:X9=0)",
  });
  expect(observation).toBe("Sometimes");
});

test("a load waits for a clean of its line before it", () => {
  const { observation } = ask({
    init: "0:X0=1; 0:X1=x; 0:X2=1; 0:X3=f; 1:X1=x; 1:X3=f;",
    code: [published, "LDR W4,[X3]\nEOR X5,X4,X4\nADD X5,X5,X1\nDC CVAU,X5\nLDR W6,[X1]"],
    condition: "exists (1:X4=1 /\\ 1:X6=0)",
  });
  expect(observation).toBe("Never");
});
