import { describe, expect, test } from "vitest";
import { differenceFrom, herdText, type LitmusResult, runLitmus } from "../src/index.js";
import { ask, written } from "./write.js";

/* What litmus files say, and what is said of those that are none. Expected is what herd7 prints of them. */

const states = (init: string, code: string, asked: string): readonly string[] =>
  ask({ init, code: [code], condition: `locations [${asked};] exists (true)` }).states;

describe("values are those of their types", () => {
  test.each([
    ["a location that nothing declares is an int", "x=-1; 0:X1=x; 0:X0=-1;", "STR W0,[X1]", "x", "[x]=-1;"],
    ["so is a register", "0:X1=x; x=-1;", "LDR W0,[X1]", "0:X0", "0:X0=-1;"],
    [
      "one of 64 bits without sign has none",
      "uint64_t 0:X0; 0:X1=1;",
      "NEG X0,X1",
      "0:X0",
      "0:X0=18446744073709551615;",
    ],
    ["one of 64 bits with a sign has one", "int64_t 0:X0; 0:X1=1;", "NEG X0,X1", "0:X0", "0:X0=-1;"],
    ["narrow ones are cut", "uint8_t x; 0:X1=x; 0:X0=0x1ff;", "STR W0,[X1]", "x", "[x]=255;"],
    ["the address of a location has its name", "0:X1=x; 0:X2=y;", "STR X2,[X1]", "x", "[x]=y;"],
    [
      "so has an instruction, by the distance it spans",
      '0:X0=instr:"ADR X3,.+8"; 0:X1=x;',
      "STR W0,[X1]",
      "x",
      '[x]=instr:"ADR X3,.+8";',
    ],
    ["numbers in it are decimal", '0:X0=instr:"UDF #17"; 0:X1=x;', "STR W0,[X1]", "x", '[x]=instr:"UDF #17";'],
  ])("%s", (_name, init, code, asked, state) => {
    expect(states(init, code, asked)).toEqual([state]);
  });

  test("and have 64 bits at the most", () => {
    const asks = (value: string) => ask({ init: `0:X0=${value};`, code: ["NOP"], condition: "exists (0:X0=0)" });
    for (const value of ["0xffffffffffffffff", "-9223372036854775808"]) expect(() => asks(value)).not.toThrow();
    for (const value of ["0x10000000000000000", "18446744073709551616", "-0x8000000000000001"])
      expect(() => asks(value)).toThrow(`from -0x8000000000000000 to 0xffffffffffffffff, not ${value}.`);
  });

  test("and are compared as such", () => {
    const { observation } = ask({ init: "x=-1; 0:X1=x; 0:X0=-1;", code: ["STR W0,[X1]"], condition: "exists (x=-1)" });
    expect(observation).toBe("Always");
    const wide = { init: "uint64_t 0:X0; 0:X1=1;", code: ["NEG X0,X1"] };
    expect(ask({ ...wide, condition: "exists (0:X0=0xffffffffffffffff)" }).observation).toBe("Always");
    expect(ask({ ...wide, condition: "exists (0:X0=0xffffffff)" }).observation).toBe("Never");
  });

  test("a type that is none is refused", () => {
    expect(() => states("float x; 0:X1=x;", "NOP", "x")).toThrow(
      "There is no type float; types are int, uint64_t and the like.",
    );
  });
});

describe("arrays", () => {
  test("have values, elements and addresses", () => {
    const init = "int x[3]={1,2,3}; 0:X1=x; 0:X2=x[2]; 0:X3=&x[1]; uint64_t y[2]; 0:X4=y;";
    const code = "LDR W5,[X1,#4]\nLDR W6,[X2]\nSTR W6,[X3]\nSTR X6,[X4,#8]";
    expect(states(init, code, "0:X5; 0:X6; x[0]; x[1]; y[1]")).toEqual([
      "0:X5=2; 0:X6=3; [x[0]]=1; [x[1]]=3; [y[1]]=3;",
    ]);
  });

  test("have no more values than elements", () => {
    expect(() => states("int x[1]={1,2};", "NOP", "x[0]")).toThrow("The array has 1 elements and 2 values.");
  });
});

describe("what is read besides", () => {
  test.each([
    ["labels as values without P", "0:X0=0:l; 0:X1=x;", "STR X0,[X1]\nl: NOP", "0:X0", '0:X0=label:"P0:l";'],
    ["the zero register in conditions", "0:X1=5;", "MOV X2,XZR", "0:XZR; 0:X2", "0:X2=0; 0:XZR=0;"],
    [
      "bytes at a register's distance",
      "0:X1=x; x=0x201; 0:X2=1;",
      "LDRB W0,[X1,W2,SXTW]\nSTRB W0,[X1,X2]",
      "0:X0",
      "0:X0=2;",
    ],
    ["RBIT", "0:X1=1;", "RBIT W0,W1", "0:X0", "0:X0=-2147483648;"],
    [
      "REV",
      "0:X1=0x1234;",
      "REV W0,W1\nREV16 W2,W1\nCLZ W3,W1",
      "0:X0; 0:X2; 0:X3",
      "0:X0=873594880; 0:X2=13330; 0:X3=19;",
    ],
  ])("%s", (_name, init, code, asked, state) => {
    expect(states(init, code, asked)).toEqual([state]);
  });
});

describe("lines of the head", () => {
  const withLine = (info: string) => () =>
    ask({ info, init: "0:X1=x;", code: ["LDR W0,[X1]"], condition: "exists (0:X0=0)" });

  test.each(["Variant=ifetch", "Variant=self,mixed", "Variant=fatal", "Stable=X9", "Com=Rf Fr", "CacheType=IDC"])(
    "%s is known",
    (line) => {
      expect(withLine(line)().observation).toBe("Always");
    },
  );

  test.each([
    ["CacheTypo=IDC", "There is no line CacheTypo=; what a test says of itself is CacheType, Variant,"],
    ["Variant=vmsa", "The variant vmsa is not modelled; there are ifetch, self, mixed, fatal."],
    ["TTHM=HA", "There is no line TTHM=;"],
    ["__proto__=1", "There is no line __proto__=;"],
  ])("%s is refused", (line, sentence) => {
    expect(withLine(line)).toThrow(sentence);
  });

  test("an architecture that is not supported says so, whatever comes behind it", () => {
    expect(() => runLitmus("PPC MP\nwhatever", "ppc.litmus")).toThrow(
      "Litmus tests of PPC are not supported; only of AArch64, RISCV.",
    );
  });
});

describe("answers", () => {
  test("no final state is none", () => {
    expect(() => ask({ init: "", code: ["l: B l"], condition: "~exists (0:X0=1)" })).toThrow(
      "There is nothing to answer: no execution comes to its end.",
    );
    expect(() => ask({ init: "", code: ["NOP"], condition: "filter 0:X0=1 ~exists (0:X0=1)" })).toThrow(
      "no execution comes to its end with what the filter lets through",
    );
  });

  const short = {
    init: "0:X1=x; 0:X3=y; 0:X0=1; 1:X1=y; 1:X3=x; 1:X0=1;",
    code: ["STR W0,[X1]\nLDR W2,[X3]", "STR W0,[X1]\nLDR W2,[X3]"],
  };
  const limited = (condition: string, most: number): LitmusResult =>
    runLitmus(written({ ...short, condition }), "sb.litmus", { states: most });

  test("a part of the executions decides what it shows, and nothing else", () => {
    const whole = ask({ ...short, condition: "exists (0:X2=7)" });
    expect(whole).toMatchObject({ verdict: "Forbidden", complete: true, decided: true });
    const part = limited("exists (0:X2=7)", 10);
    expect(part).toMatchObject({
      verdict: "Inconclusive",
      observation: "Unknown",
      complete: false,
      decided: false,
      ok: false,
    });
    expect(herdText(part)).toContain("Undecided: more states could be reached than were to be explored");
    expect(differenceFrom(part, { verdict: "Forbidden", states: 4 })).toBeUndefined();
    const shown = limited("exists (0:X2=0 \\/ 0:X2=1)", whole.explored - 1);
    expect(shown).toMatchObject({ verdict: "Allowed", complete: false, decided: true, ok: true });
  });
});

describe("the flag for code that is modified while it is executed", () => {
  // The instruction at m may be fetched while it is stored to.
  const racing = (stored: string, there: string) =>
    ask({
      init: `0:X0=${stored}; 0:X1=P1:m;`,
      code: ["STR W0,[X1]", `m: ${there}`],
      condition: "exists (1:X9=0)",
    }).flags;
  const FLAG = "violates-CMODX-requirements";

  test("is raised by 0, which is UDF and not on the list, as by every other value that is not", () => {
    expect(racing("0", "NOP")).toContain(FLAG);
    expect(racing('instr:"MOV W9,#1"', "NOP")).toContain(FLAG);
    expect(racing('instr:"B .+4"', "NOP")).not.toContain(FLAG);
  });

  test("is not raised by storing what is there, which modifies nothing", () => {
    expect(racing('instr:"MOV W9,#1"', "MOV W9,#1")).not.toContain(FLAG);
  });
});
