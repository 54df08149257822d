import { describe, expect, test } from "vitest";
import { type LitmusOptions, type LitmusResult, runLitmus } from "../src/index.js";

/* How files of RISC-V are read and their states shown, by tests of one thread unless they say otherwise. */

const file = (init: string, code: readonly string[], condition: string, info = ""): string => {
  const head = code.map((_, i) => `P${i}`).join(" | ");
  const columns = code.map((text) => text.split("\n"));
  const rows = Array.from({ length: Math.max(...columns.map(({ length }) => length)) }, (_, i) =>
    columns.map((column) => column[i] ?? "").join(" | "),
  );
  return `RISCV short\n${info}\n{ ${init} }\n${[head, ...rows].map((row) => `${row} ;`).join("\n")}\n${condition}\n`;
};

const run = (
  init: string,
  code: string | readonly string[],
  condition: string,
  options?: LitmusOptions,
): LitmusResult => runLitmus(file(init, typeof code === "string" ? [code] : code, condition), "short.litmus", options);

const states = (init: string, code: string, cells: string): readonly string[] =>
  run(init, code, `locations [${cells}] exists (true)`).states;

describe("registers", () => {
  test("have numbers and names, and are shown by their numbers, each once", () => {
    expect(states("0:a0=3; 0:x11=4;", "add t0,x10,a1", "0:x5; 0:t0; 0:a0; 0:fp")).toEqual(["0:x5=7; 0:x8=0; 0:x10=3;"]);
  });

  test("hold 64 bits, shown as they are declared", () => {
    const code = "lw x5,0(x6)\nlwu x7,(x6)";
    expect(states("0:x6=x; x=0xffffffff; int64_t 0:x5; int64_t 0:x7;", code, "0:x5; 0:x7")).toEqual([
      "0:x5=-1; 0:x7=4294967295;",
    ]);
  });

  test("are of 32 bits, shown with their sign, where no line declares them", () => {
    expect(states("0:x6=x; x=0xffffffff;", "lwu x7,(x6)", "0:x7")).toEqual(["0:x7=-1;"]);
  });
});

describe("instructions", () => {
  test.each([
    [
      "loads and stores of every width",
      "sd x5,0(x6)\nlb x7,0(x6)\nlbu x8,0(x6)\nlh x9,0(x6)\nlhu x10,0(x6)",
      "0:x7=-2; 0:x8=254; 0:x9=-2; 0:x10=65534;",
    ],
    [
      "narrow stores",
      "sd x5,0(x6)\nsb x0,0(x6)\nlhu x7,0(x6)\nsh x0,0(x6)\nld x8,0(x6)\nli x9,1\nori x10,x9,2",
      "0:x7=65280; 0:x8=-65536; 0:x9=1; 0:x10=3;",
    ],
    [
      "branches to labels",
      "li x7,1\nbeq x7,x0,l\nbne x7,x0,m\nl: li x8,1\nm: bnez x7,n\nli x9,1\nn: blt x0,x7,o\nli x10,1\no: nop",
      "0:x7=1; 0:x8=0; 0:x9=0; 0:x10=0;",
    ],
    [
      "jumps to labels",
      "jal l\nj n\nl: li x7,1\njal x5,m\nm: ret\nn: li x8,1\nc.j o\nli x9,1\no: tail p\nli x10,1\np:",
      "0:x7=1; 0:x8=1; 0:x9=0; 0:x10=0;",
    ],
    [
      "compressed branches",
      "li x8,1\nc.beqz x8,l\nc.bnez x8,m\nl: li x7,1\nm: c.li x9,5\nc.nop\nc.mv x10,x9",
      "0:x7=0; 0:x8=1; 0:x9=5; 0:x10=5;",
    ],
    [
      "atomic operations, both orderings in either way",
      "li x5,7\namoswap.w.aq.rl x7,x5,(x6)\namoadd.w.aqrl x8,x5,0(x6)\nlw x9,0(x6)",
      "0:x7=0; 0:x8=7; 0:x9=14; 0:x10=0;",
    ],
    [
      "fences",
      "fence\nfence rw,rw\nfence r,w\nfence.tso\nfence.i\nfence iorw,iorw\nli x7,1",
      "0:x7=1; 0:x8=0; 0:x9=0; 0:x10=0;",
    ],
  ])("%s", (_name, code, expected) => {
    expect(states("0:x5=-2; 0:x6=x;", code, "0:x7; 0:x8; 0:x9; 0:x10")).toEqual([expected]);
  });

  test("la takes the address of a label, also behind instructions of two bytes", () => {
    expect(states("", "c.nop\nla x5,l\njalr x1,0(x5)\nli x7,1\nl: nop", "0:x5; 0:x7")).toEqual([
      '0:x5=label:"P0:l"; 0:x7=0;',
    ]);
  });

  test("code that a label's address is taken of may be written, four bytes of it, the code behind it included", () => {
    const written = (label: string): readonly string[] =>
      states("0:x5=0x45894505;", `la x6,${label}\nsw x5,0(x6)\nfence.i\nl: c.nop\nc.nop\nm: nop`, "0:x10; 0:x11");
    expect(written("l")).toEqual(["0:x10=1; 0:x11=2;"]);
    expect(written("m")).toEqual(["0:x10=1; 0:x11=2;"]);
    // What lies further is fetched as it is.
    expect(states("0:x5=0x45894505; 0:x6=P0:l;", "sw x5,4(x6)\nfence.i\nl: nop\nm: nop", "0:x10; 0:x11")).toEqual([
      "0:x10=0; 0:x11=0;",
    ]);
  });

  test("code that ends inside a word that is written ends there", () => {
    const { states } = run('0:x5=instr:"c.nop"; 0:x6=P0:l;', "sh x5,0(x6)\nl: c.nop", "exists (fault(P0))", {
      fetch: "ziccif",
    });
    expect(states).toEqual([" ~Fault(P0);"]);
  });
});

describe("instructions as values", () => {
  test("are what a load finds, sign included, and shown as text", () => {
    const [state] = states(
      '0:x6=P0:l; 0:x7=instr:"j .-8";',
      "lw x5,0(x6)\nsw x7,0(x6)\nlw x8,0(x6)\nj m\nl: addi x10,x3,-2\nm:",
      "0:x5; 0:x8",
    );
    expect(state).toBe('0:x5=instr:"addi x10,x3,-2"; 0:x8=instr:"j .-8";');
    const { observation } = run("0:x6=P0:l;", "lw x5,0(x6)\nl: addi x10,x3,-2", 'exists (0:x5=instr:"addi a0,gp,-2")');
    expect(observation).toBe("Always");
  });

  test("of two bytes are shown as numbers", () => {
    expect(states('0:x5=instr:"c.nop"; 0:x6=1; 0:x7=instr:"nop";', "c.nop", "0:x5; 0:x6; 0:x7")).toEqual([
      '0:x5=1; 0:x6=1; 0:x7=instr:"nop";',
    ]);
  });
});

describe("faults", () => {
  test.each([
    ["c.unimp", "IllegalInstruction"],
    ["unimp", "IllegalInstruction"],
    ["ebreak", "Breakpoint"],
    ["c.ebreak", "Breakpoint"],
    ["ecall", "EnvironmentCall"],
  ])("%s is %s", (text, kind) => {
    const kinds = ["IllegalInstruction", "Breakpoint", "EnvironmentCall", "PageFault"];
    const happened = kinds.filter(
      (each) => run("", `nop\nl: ${text}\nli x5,1`, `exists (fault(P0:l,${each}) /\\ 0:x5=0)`).observation === "Always",
    );
    expect(happened).toEqual([kind]);
  });

  test("a column of its own has what a thread goes on with", () => {
    const text =
      "RISCV handled\n{ }\nP0 | P0.F ;\nl: c.unimp | li x6,2 ;\nli x5,1 | ;\nexists (0:x5=0 /\\ 0:x6=2 /\\ fault(P0:l))\n";
    expect(runLitmus(text, "handled.litmus").observation).toBe("Always");
  });
});

describe("how instructions are fetched", () => {
  const torn = (info: string, options?: LitmusOptions): string =>
    runLitmus(
      file('0:x5=instr:"addi x11,x0,2"; 0:x6=P1:l;', ["sw x5,0(x6)", "l: addi x10,x0,1"], "exists (1:x11=1)", info),
      "short.litmus",
      options,
    ).observation;

  test("the file says, zifencei where it does not", () => {
    expect([torn(""), torn("Fetch=zifencei"), torn("Fetch=ziccif"), torn("Fetch = ziccid")]).toEqual([
      "Sometimes",
      "Sometimes",
      "Never",
      "Never",
    ]);
  });

  test("an option says it in the file's place", () => {
    expect(torn("Fetch=zifencei", { fetch: "ziccif" })).toBe("Never");
    expect(torn("Fetch=ziccid", { fetch: "zifencei" })).toBe("Sometimes");
    expect(() => torn("", { fetch: "ziccix" })).toThrow(
      "RISCV has no fetch model ziccix; did you mean ziccif or ziccid?",
    );
  });
});

describe("what is wrong is told with line and column", () => {
  const place = (text: string): string => {
    try {
      runLitmus(text, "bad.litmus");
    } catch (error) {
      return `${(error as { place?: string }).place}: ${(error as Error).message}`;
    }
    return "nothing";
  };

  test.each([
    [
      "a register in the initial state",
      file("0:x32=1;", ["nop"], "exists (true)"),
      "line 3, column 3: There is no register x32.",
    ],
    [
      "a register in the condition",
      file("0:x5=1;", ["nop"], "exists (0:x5=1 /\\ 0:w5=0)"),
      "line 6, column 19: There is no register w5.",
    ],
    [
      "a register in the locations",
      file("0:x5=1;", ["nop"], "locations [0:X5; 0:q]"),
      "line 6, column 18: There is no register q.",
    ],
    [
      "a thread in the condition",
      file("0:x5=1;", ["nop"], "exists (1:x5=1)"),
      "line 6, column 9: There is no thread P1.",
    ],
    [
      "a thread in the initial state",
      file("2:x5=1;", ["nop"], "exists (true)"),
      "line 3, column 3: There is no thread P2.",
    ],
    [
      "an instruction",
      file("0:x5=1;", ["nop", "amofoo.w x5,x7,(x6)"], "exists (true)"),
      'line 5, column 7: "amofoo.w x5,x7,(x6)" is not an instruction known here: no "amofoo.w".',
    ],
    [
      "an operand",
      file("0:x5=1;", ["nop\nlw x5,0(y7)"], "exists (true)"),
      'line 6, column 1: "lw x5,0(y7)" needs a register where it has "y7".',
    ],
    [
      "a label of a branch",
      file("0:x5=1;", ["nop\nl: bne x5,x0,m"], "exists (true)"),
      "line 6, column 4: No label m is in this thread.",
    ],
    ["a label of la", file("0:x5=1;", ["la x5,m"], "exists (true)"), "line 5, column 1: No label m is in this thread."],
    [
      "a label in the initial state",
      file("0:x5=P0:m;", ["nop"], "exists (true)"),
      "line 3, column 3: Thread P0 has no label m.",
    ],
    [
      "a label twice",
      file("0:x5=1;", ["l: nop\nl: nop"], "exists (true)"),
      "line 6, column 4: The label l is in thread P0 twice.",
    ],
    [
      "a label of a fault",
      file("0:x5=1;", ["nop"], "exists (fault(P0:l))"),
      "line 6, column 9: Thread P0 has no label l.",
    ],
    ["a thread of a fault", file("0:x5=1;", ["nop"], "exists (fault(P3))"), "line 6, column 9: There is no thread P3."],
    [
      "a kind of fault",
      file("0:x5=1;", ["l: nop"], "exists (fault(P0:l,UndefinedInstruction))"),
      "line 6, column 9: RISCV has no fault UndefinedInstruction.",
    ],
    [
      "an instruction as a value",
      file('0:x5=instr:"addi x5,x6";', ["nop"], "exists (true)"),
      'line 3, column 3: "addi x5,x6" has 2 operands where "addi" takes 3.',
    ],
    [
      "code that is illegal at first",
      file("0:x6=P0:l;", ["nop\nl: c.unimp"], "exists (true)"),
      'line 6, column 4: Code that can be written has to be legal at first; "c.unimp" is not.',
    ],
    [
      "a way of fetching",
      file("0:x5=1;", ["nop"], "exists (true)", "  Fetch=ziccix"),
      "line 2, column 3: Fetch is zifencei, ziccif, ziccid, not ziccix.",
    ],
    [
      "an architecture",
      "PPC MP\n{ }\nP0 ;\nnop ;\nexists (true)\n",
      "line 1, column 1: Litmus tests of PPC are not supported; only of AArch64, RISCV.",
    ],
  ])("%s", (_name, text, expected) => {
    expect(place(text)).toBe(expected);
  });
});
