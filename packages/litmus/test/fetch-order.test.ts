import { expect, test } from "vitest";
import { ask, type Short } from "./write.js";

/* The order of instruction fetches, by tests that take one rule each. `m` holds B at first: X9 stays 0; with NOP in it X9 is 1. */

const observed = (short: Short): string => ask(short).observation;

const victim = "m: B l\nMOV W9,#1\nl:";
const flush = "DC CVAU,X1\nDSB ISH\nIC IVAU,X1\nDSB ISH";
const init = "0:X0=NOP; 0:X1=P1:m; 0:X3=f; 0:X2=1; 1:X1=P1:m; 1:X3=f;";

/** A patcher that tells when it is done, and a CPU that has heard of it; may it still run the old instruction? */
const afterwards = (
  wait: string,
  patch = `STR W0,[X1]\n${flush}\nSTR W2,[X3]`,
  { info = "", more = "" }: { readonly info?: string; readonly more?: string } = {},
): string =>
  observed({
    info,
    init: init + more,
    code: [patch, `LDR W4,[X3]\n${wait}\n${victim}`],
    condition: "exists (1:X4=1 /\\ 1:X9=0)",
  });

const ctrlisb = "CBNZ W4,k\nk:\nISB";

test.each([
  ["a branch and an ISB", ctrlisb, "Never"],
  ["a barrier and an ISB", "DSB LD\nISB", "Never"],
  ["an address and an ISB", "EOR W5,W4,W4\nLDR W6,[X3,W5,SXTW]\nISB", "Never"],
  ["an ISB alone", "ISB", "Sometimes"],
  ["a barrier alone", "DSB SY", "Sometimes"],
  ["a branch alone", "CBNZ W4,k\nk:", "Sometimes"],
  ["an ISB and then a branch", "ISB\nCBNZ W4,k\nk:", "Sometimes"],
  ["a barrier of stores and an ISB", "DSB ST\nISB", "Sometimes"],
  ["a data dependency and an ISB", "EOR W5,W4,W4\nSTR W5,[X3]\nISB", "Sometimes"],
])("after %s", (_name, wait, expected) => {
  expect(afterwards(wait)).toBe(expected);
});

test.each([
  ["no clean", "DSB ISH\nIC IVAU,X1\nDSB ISH", "Sometimes", "Never", "Never"],
  ["no invalidation", "DC CVAU,X1\nDSB ISH", "Sometimes", "Sometimes", "Never"],
  ["no barrier between clean and invalidation", "DC CVAU,X1\nIC IVAU,X1\nDSB ISH", "Sometimes", "Sometimes", "Never"],
  ["DMB between clean and invalidation", "DC CVAU,X1\nDMB ISH\nIC IVAU,X1\nDSB ISH", "Sometimes", "Sometimes", "Never"],
  ["no barrier after the invalidation", "DC CVAU,X1\nDSB ISH\nIC IVAU,X1", "Sometimes", "Sometimes", "Never"],
  ["DMB after the invalidation", "DC CVAU,X1\nDSB ISH\nIC IVAU,X1\nDMB ISH", "Sometimes", "Sometimes", "Never"],
  ["another line cleaned", "DC CVAU,X3\nDSB ISH\nIC IVAU,X1\nDSB ISH", "Sometimes", "Never", "Never"],
  ["all invalidated", "DC CVAU,X1\nDSB ISH\nIC IALLU\nDSB ISH", "Never", "Never", "Never"],
])("with %s, by cache type", (_name, maintenance, none, idc, dic) => {
  const patch = `STR W0,[X1]\n${maintenance}\nSTR W2,[X3]`;
  const verdicts = ["", "CacheType=IDC", "CacheType=IDC DIC"].map((info) => afterwards(ctrlisb, patch, { info }));
  expect(verdicts).toEqual([none, idc, dic]);
});

test("a clean is ordered with the stores of its line, and through DMB with others", () => {
  const split = (between: string): string =>
    afterwards("DSB ISH\nIC IVAU,X1\nDSB ISH\nISB", `STR W0,[X1]\nDC CVAU,X1\n${between}\nSTR W2,[X3]`);
  expect(split("DMB ISH")).toBe("Never");
  expect(split("DMB ST")).toBe("Sometimes");
  expect(split("NOP")).toBe("Sometimes");
});

test("a clean waits for an older store of its line whose address is known late", () => {
  const patch = `LDR X5,[X6]\nSTR W0,[X5]\n${flush}\nSTR W2,[X3]`;
  expect(afterwards(ctrlisb, patch, { more: " 0:X6=p; [p]=P1:m;" })).toBe("Never");
});

test("an own store is fetched only once all see it", () => {
  const self = (between: string): readonly string[] =>
    ask({
      init: "0:X0=NOP; 0:X1=P0:m;",
      code: [`STR W0,[X1]\n${between}\nm: B l\nMOV W9,#1\nl:`],
      condition: "exists (0:X9=1)",
    }).states;
  expect(self(`${flush}\nISB`)).toEqual(["0:X9=1;"]);
  expect(self(flush)).toEqual(["0:X9=0;", "0:X9=1;"]);
  expect(self("ISB")).toEqual(["0:X9=0;", "0:X9=1;"]);
});

test("fetches go back where nothing orders them, but with DIC", () => {
  const again = (info: string): string =>
    observed({
      info,
      init: "0:X0=NOP; 0:X1=P1:m;",
      code: ["STR W0,[X1]", "BL m\nMOV W2,W9\nMOV W9,#0\nBL m\nB e\nm: B l\nMOV W9,#1\nl: RET\ne:"],
      condition: "exists (1:X2=1 /\\ 1:X9=0)",
    });
  expect(again("")).toBe("Sometimes");
  expect(again("CacheType=IDC")).toBe("Sometimes");
  expect(again("CacheType=IDC DIC")).toBe("Never");
});

test("what comes before a fetched store in its program is not seen by the fetch's loads alone", () => {
  // A fetch is before what is behind it: a load behind a fetch of the new instruction sees what was stored before that.
  expect(
    observed({
      init: "0:X0=NOP; 0:X1=P1:m; 0:X3=f; 0:X2=1; 1:X3=f;",
      code: ["STR W2,[X3]\nDMB ST\nSTR W0,[X1]", "m: B l\nMOV W9,#1\nl:\nLDR W4,[X3]"],
      condition: "exists (1:X9=1 /\\ 1:X4=0)",
    }),
  ).toBe("Never");
});

test("fetches run ahead of loads before them", () => {
  expect(afterwards("NOP", `STR W0,[X1]\n${flush}\nSTR W2,[X3]`)).toBe("Sometimes");
  expect(afterwards("DSB SY", undefined, { info: "CacheType=IDC DIC" })).toBe("Sometimes");
});

// ---- an invalidation reaches the CPUs one by one ----

const invalidating = {
  init: `0:X0=NOP; 0:X1=P2:m; 0:X2=1; 0:X3=f;
    1:X0=instr:"B .+12"; 1:X1=P2:m; 1:X2=1; 1:X3=g; 1:X7=P2:n; 1:X8=NOP;
    3:X1=P2:m; 3:X3=f;`,
  first: `STR W0,[X1]\n${flush}\nSTR W2,[X3]`,
  last: "LDR W4,[X3]\nCBNZ W4,k\nk:\nISB\nBLR X1",
  victim: "m: B l\nMOV W9,#1\nB l\nMOV W9,#2\nl: RET\ne:",
};

test("an invalidation may have reached one CPU and not another", () => {
  // P2 finds what P1 stored after its clean, and then at m what was there before P0; P3 has waited for P0 and finds P0's NOP.
  const { states } = ask({
    info: "",
    init: invalidating.init,
    code: [
      invalidating.first,
      "LDR W5,[X1]\nSTR W0,[X1]\nDC CVAU,X1\nDSB ISH\nSTR W8,[X7]",
      `MOV W9,#0\nn: B e\nMOV W6,#1\nBL m\nB e\n${invalidating.victim}`,
      invalidating.last,
    ],
    condition: "exists (1:X5=NOP /\\ 2:X6=1 /\\ 2:X9=0 /\\ 3:X4=1 /\\ 3:X9=1)",
  });
  expect(states).toContain("1:X5=NOP; 2:X6=1; 2:X9=0; 3:X4=1; 3:X9=1;");
});

test("a context synchronisation waits for every invalidation that was begun", () => {
  const { states } = ask({
    info: "",
    init: `${invalidating.init} 2:X3=g;`,
    code: [
      invalidating.first,
      "LDR W5,[X1]\nSTR W0,[X1]\nDC CVAU,X1\nDSB ISH\nSTR W2,[X3]",
      `n: LDR W6,[X3]\nCBNZ W6,k\nk:\nISB\nBL m\nB e\n${invalidating.victim}`,
      invalidating.last,
    ],
    condition: "exists (1:X5=NOP /\\ 2:X6=1 /\\ 2:X9=0 /\\ 3:X4=1 /\\ 3:X9=1)",
  });
  expect(states).not.toContain("1:X5=NOP; 2:X6=1; 2:X9=0; 3:X4=1; 3:X9=1;");
});

// ---- faults ----

const faulting = (handler: string, info = ""): Short => ({
  info,
  init: "0:X3=f; 0:X2=1;",
  code: [`L: UDF #0\n${handler}`],
  condition: "exists (fault(P0:L,UndefinedInstruction))",
});

test("an undefined instruction faults, and the thread ends where nothing handles it", () => {
  const { states, observation } = ask(faulting("MOV W4,#1"));
  expect(states).toEqual([" Fault(P0:L,UndefinedInstruction);"]);
  expect(observation).toBe("Always");
});

// ---- concurrent modification ----

const racing = (written: string, wait: string, fetched = "B l"): readonly string[] =>
  ask({
    init: `0:X0=instr:"${written}"; 0:X1=P1:m; 0:X3=f; 0:X2=1; 1:X3=f;`,
    code: [`STR W0,[X1]\n${flush}\nSTR W2,[X3]`, `LDR W4,[X3]\n${wait}\nm: ${fetched}\nMOV W9,#1\nl:`],
    condition: "exists (1:X9=0)",
  }).flags.filter((flag) => flag === "violates-CMODX-requirements");

const VIOLATES = ["violates-CMODX-requirements"];

test.each([
  ["NOP for B", "NOP", "B l", []],
  ["ISB for NOP", "ISB", "NOP", []],
  ["SVC for NOP", "SVC #0", "NOP", []],
  ["MOV for NOP", "MOV W9,#2", "NOP", VIOLATES],
  ["NOP for MOV", "NOP", "MOV W9,#2", VIOLATES],
  ["B.EQ for NOP", "B.EQ .+8", "NOP", VIOLATES],
  ["BRK for NOP", "BRK #0", "NOP", VIOLATES],
])("to write %s while it is executed", (_name, written, fetched, flags) => {
  expect(racing(written, "NOP", fetched)).toEqual(flags);
});

test("what is synchronised does not race", () => {
  const guarded = "CBZ W4,l\nISB";
  expect(racing("MOV W9,#2", guarded, "NOP")).toEqual([]);
  expect(racing("MOV W9,#2", "CBZ W4,l", "NOP")).toEqual(VIOLATES);
  // Without maintenance the old instruction may still be fetched, but no longer at the same time as it is written.
  const unmaintained = (wait: string) =>
    ask({
      init: `0:X0=instr:"MOV W9,#2"; 0:X1=P1:m; 0:X3=f; 0:X2=1; 1:X3=f;`,
      code: ["STR W0,[X1]\nDSB ISH\nSTR W2,[X3]", `LDR W4,[X3]\nCBZ W4,l\n${wait}\nm: NOP\nMOV W8,#1\nl:`],
      condition: "exists (1:X8=1 /\\ 1:X9=0)",
    });
  expect(unmaintained("ISB")).toMatchObject({ observation: "Sometimes", flags: [] });
  expect(unmaintained("NOP")).toMatchObject({ observation: "Sometimes", flags: VIOLATES });
});

test("two instructions are seen together where one aligned store changes both and fetches are in order; a pair is two stores", () => {
  const seen = (info: string, store: string): string =>
    observed({
      info,
      init: "0:X0=0xd503201fd503201f; 0:X1=P1:m; 0:X2=P1:n;",
      code: [store, "m: B l\nn: B k\nMOV W9,#1\nk:\nMOV W10,#1\nl:"],
      // The first is new, the second old.
      condition: "exists (1:X10=1 /\\ 1:X9=0)",
    });
  expect(seen("CacheType=IDC DIC", "STR X0,[X1]")).toBe("Never");
  expect(seen("CacheType=IDC DIC", "STP W0,W0,[X1]")).toBe("Sometimes");
  for (const store of ["STR X0,[X1]", "STP W0,W0,[X1]"]) expect(seen("", store)).toBe("Sometimes");
});
