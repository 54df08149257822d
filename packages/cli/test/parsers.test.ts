import { arm64 } from "@cmodx/arm64";
import { armv7 } from "@cmodx/armv7";
import {
  type Architecture,
  createSimulation,
  type InputError,
  lock,
  type PatchStrategy,
  set,
  unlock,
} from "@cmodx/core";
import { readElf } from "@cmodx/image";
import { readExpectations, runLitmus } from "@cmodx/litmus";
import { riscv } from "@cmodx/riscv";
import { wrap } from "@cmodx/view";
import { x86 } from "@cmodx/x86";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { siteFromText } from "../src/ask.js";
import { isInputError } from "../src/errors.js";
import { options } from "../src/options.js";
import { cmodx } from "./harness.js";

/** Names that every object has. */
const EVERYBODYS = [...Object.getOwnPropertyNames(Object.prototype), "prototype"];

const architectures: readonly (readonly [Architecture, string, readonly string[]])[] = [
  [x86({}), "", ["nop5", "jmp .+16", "mov eax, [rbx+rcx*4+8]", "mov dword ptr gs:[rax], 5", "call 0xffffffff81001000"]],
  [
    arm64({}),
    "",
    [
      "nop",
      "b .+16",
      "dsb ish",
      "add x0, x1, x2, lsl #3",
      "ldr x0, [x1, x2]",
      "csel x0, x1, x2, eq",
      "dc cvau, x0",
      "mrs x0, nzcv",
    ],
  ],
  [
    armv7({}),
    "a32",
    [
      "nop",
      "b .+16",
      "dsb ish",
      "add r0, r1, r2, lsl #3",
      "ldr r0, [r1, #4]",
      "push {r0, lr}",
      "mcr p15, 0, r0, c7, c5, 1",
    ],
  ],
  [armv7({ fetch: "t32" }), "t32", ["nop.w", "b.w .+16", "movs r0, #1", "add.w r0, r1, r2"]],
  [
    riscv({}),
    "",
    [
      "nop",
      "j .+16",
      "fence rw, w",
      "addi a0, a1, 5",
      "lw a0, 8(a1)",
      "amoadd.w.aq a0, a1, (a2)",
      ".word 5",
      "auipc t0, %pcrel_hi(.+16)",
    ],
  ],
];

/** Whether it is refused as input is: with a sentence, and not by accident. */
const isRefused = (work: () => unknown): boolean => {
  try {
    work();
    return false;
  } catch (error) {
    if (!isInputError(error)) throw error;
    return true;
  }
};

describe.each(architectures)("the assembler of $id $1", ({ instructionSet, base }, mode, lines) => {
  const assemble = (text: string) => instructionSet.assemble(text, base, mode);

  test("a name that every object has is no mnemonic and no operand", () => {
    for (const line of lines) {
      expect(assemble(line).length).toBeGreaterThan(0);
      const words = line.match(/[\w.]+|[^\w.]+/g) ?? [];
      for (const [i, word] of words.entries()) {
        if (!/\w/.test(word)) continue;
        for (const name of EVERYBODYS) {
          const text = words.map((each, at) => (at === i ? name : each)).join("");
          expect(
            isRefused(() => assemble(text)),
            text,
          ).toBe(true);
        }
      }
    }
    for (const name of EVERYBODYS)
      expect(isRefused(() => instructionSet.assemble("nop", base, name)) || mode === "", name).toBe(true);
  });

  test("whatever stands there is assembled or refused", () => {
    const words = lines.flatMap((line) => line.match(/[\w.#]+|[^\w.#]/g) ?? []);
    const text = fc.oneof(
      fc
        .array(
          fc.oneof(
            fc.constantFrom(...words, ...EVERYBODYS, "#-1", "0x", "-", "9".repeat(40)),
            fc.string({ maxLength: 3 }),
          ),
          { maxLength: 12 },
        )
        .map((all) => all.join("")),
      fc.string(),
    );
    fc.assert(
      fc.property(text, (line) => {
        isRefused(() => assemble(line));
      }),
      { numRuns: 500, seed: 1 },
    );
  });
});

test("a name that every object has is a word and a lock like others, and not one that nobody declared", async () => {
  const strategy = (name: string, declared: boolean): PatchStrategy => ({
    id: "test",
    summary: "",
    source: "",
    architectures: ["x86"],
    defaultSite: "nop5:jmp",
    promises: [],
    plan: () => ({
      main: [lock("lock", name), set("set", name, 1), unlock("unlock", name)],
      words: declared ? { [name]: 0 } : {},
    }),
  });
  const simulation = createSimulation({ architecture: x86({}) });
  for (const name of ["toString", "valueOf", "hasOwnProperty"]) {
    const scenario = (declared: boolean) => ({
      name,
      sites: [{ address: 0x1000n, old: "nop5", new: "jmp" }],
      patchers: [{ strategy: strategy(name, declared), sites: [0], flips: 1 }],
      cpus: 2,
    });
    // It is understood; it patches nothing.
    expect((await simulation.check(scenario(true))).verdict).toBe("vacuous");
    await expect(simulation.check(scenario(false))).rejects.toSatisfy(isInputError);
  }
});

const testOf = (condition: string, more = ""): string =>
  `AArch64 t\n{ 0:X0=1;${more} }\n P0 ;\n NOP ;\nexists ${condition}\n`;

describe("litmus tests", () => {
  const refusal = (text: string): string => {
    try {
      runLitmus(text, "t.litmus");
      return "";
    } catch (error) {
      if (!isInputError(error)) throw error;
      return (error as InputError).message;
    }
  };

  test("names that every object has are no registers, faults or fields", () => {
    for (const name of EVERYBODYS) {
      expect(refusal(testOf(`(0:${name}=1)`)), name).not.toBe("");
      expect(refusal(testOf("(0:X0=1)", ` 0:${name}=1;`)), name).not.toBe("");
      expect(refusal(testOf(`(fault(P0,${name}))`)), name).not.toBe("");
      expect(refusal(`${name} t\n{ }\n P0 ;\n NOP ;\nexists (true)\n`), name).not.toBe("");
    }
  });

  test("threads, columns and conditions have maxima", () => {
    expect(refusal("AArch64 t\n{ }\n P999999999 ;\n NOP ;\nexists (true)\n")).toBe(
      "Threads are numbered P0 to P63; there is no P999999999 here.",
    );
    expect(refusal(`AArch64 t\n{ }\n ${"P0|".repeat(200)}P0 ;\n NOP ;\nexists (true)\n`)).toMatch(
      "at most 128 columns",
    );
    const deep = 20_000;
    expect(refusal(testOf(`${"(".repeat(deep)}0:X0=1${")".repeat(deep)}`))).toMatch("at most 100 levels");
    expect(refusal(testOf(`${"~(".repeat(deep)}0:X0=1${")".repeat(deep)}`))).toMatch("at most 100 levels");
    expect(refusal(testOf("(0:X0=1)", " x=1;".repeat(2000)))).toMatch("at most 1000 entries");
    expect(refusal(testOf("(0:X0=1)", " int x[1000000000];"))).toMatch("at most 1000 entries");
    // Long ones are no deep ones.
    expect(refusal(testOf(`(${"0:X0=1 /\\ ".repeat(deep)}0:X0=1)`))).toBe("");
    expect(refusal(testOf(`(${"0:X0=1 \\/ ".repeat(deep)}0:X0=1)`))).toBe("");
    expect(refusal(testOf(`${"~".repeat(deep)}(0:X0=1)`))).toBe("");
  });

  test("whatever stands there is run or refused", () => {
    const word = fc.constantFrom(
      "AArch64",
      "RISCV",
      " t\n",
      "{",
      "}",
      "0:X0=1;",
      "x=1;",
      "P0",
      "|",
      ";",
      "\n",
      "NOP",
      "LDR W0,[X1]",
      "L0:",
      "exists",
      "(",
      ")",
      "/\\",
      "~",
      "0:X0=1",
      "fault(P0:L0)",
      "(*",
      "*)",
      '"',
      "locations [x;]",
      "filter",
      ...EVERYBODYS,
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string({ maxLength: 4 })), { maxLength: 40 }), (words) => {
        refusal(words.join(" "));
      }),
      { numRuns: 500, seed: 1 },
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (words) => {
        refusal(testOf("(0:X0=1)").replace("NOP", words.join(" ")));
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  test("expectations", () => {
    const text = fc.oneof(
      fc.json(),
      fc.string(),
      fc
        .array(fc.constantFrom("test", "verdict", "states", "\t", "\n", "Allowed", "1", "a"), { maxLength: 20 })
        .map((all) => all.join("")),
      fc.json().map((inner) => `{"a":${inner}}`),
    );
    fc.assert(
      fc.property(text, (each) => {
        isRefused(() => readExpectations(each, "e"));
      }),
      { numRuns: 500, seed: 1 },
    );
  });
});

test("a binary whose bytes are anything is read or refused", () => {
  const head = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1];
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 400 }),
      fc.constantFrom(1, 2),
      fc.constantFrom(62, 183, 40, 243),
      (bytes, size, machine) => {
        const file = Uint8Array.from([
          ...head.with(4, size),
          ...new Uint8Array(9),
          1,
          0,
          machine,
          0,
          1,
          0,
          0,
          0,
          ...bytes,
        ]);
        isRefused(() => readElf(file, { name: "f" }));
      },
    ),
    { numRuns: 500, seed: 1 },
  );
});

describe("what is read four times as long takes about four times as long", () => {
  const blanks = (n: number): string => " ".repeat(n);
  const readers: readonly (readonly [string, (n: number) => unknown])[] = [
    ...architectures.flatMap(([{ id, instructionSet, base }, mode]) => {
      const reader = (make: (n: number) => string) => (n: number) =>
        isRefused(() => instructionSet.assemble(make(n), base, mode));
      return [
        [`${id} ${mode}: commas`, reader((n) => `add ${",".repeat(n)}`)],
        [`${id} ${mode}: commas in a bracket`, reader((n) => `ldr x0, [${",x".repeat(n)}`)],
        [`${id} ${mode}: blanks`, reader((n) => `nop ${blanks(n)}x${blanks(n)}x`)],
        [`${id} ${mode}: letters`, reader((n) => `mov${"s".repeat(n)} r0`)],
        [`${id} ${mode}: parentheses`, reader((n) => `lw a0, ${"(a".repeat(n)}`)],
      ] as const;
    }),
    [
      "litmus: blanks behind a type",
      (n) => isRefused(() => runLitmus(`AArch64 t\n{ int${blanks(n)}; }\n P0 ;\n NOP ;\nexists (true)`, "t")),
    ],
    [
      "litmus: blanks in a heading",
      (n) => isRefused(() => runLitmus(`AArch64 t\n{ }\n P0${blanks(n)}x ;\n NOP ;\nexists (true)`, "t")),
    ],
    [
      "litmus: lines",
      (n) => isRefused(() => runLitmus(`AArch64 t\n{ }\n P0 ;\n${" NOPE ;\n".repeat(n)}exists (0:X0=1)`, "t")),
    ],
    [
      "litmus: commas",
      (n) => isRefused(() => runLitmus(`AArch64 t\n{ }\n P0 ;\n LDR ${",".repeat(n)} ;\nexists (true)`, "t")),
    ],
    [
      "litmus: labels",
      (n) => isRefused(() => runLitmus(`AArch64 t\n{ }\n P0 ;\n ${"a ".repeat(n)} ;\nexists (true)`, "t")),
    ],
    ["a site", (n) => isRefused(() => siteFromText(`${":".repeat(n)}`, 0n))],
    ["--timeout", (n) => isRefused(() => options.timeout.parseArg?.(`${"1".repeat(n)}x`, undefined as never))],
    ["--old-bytes", (n) => isRefused(() => options.oldBytes.parseArg?.(`${"1".repeat(n)}x`, undefined as never))],
    ["a word that fits on no line", (n) => wrap("x".repeat(n), 80, "  ")],
  ];
  const N = 16_000;
  /** Processor time of this process in milliseconds: it does not depend on who else runs. */
  const time = (work: (n: number) => unknown, n: number): number => {
    const began = process.cpuUsage();
    work(n);
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1000;
  };
  test.each(readers)("%s", (_, work) => {
    // Sixteen times as long were it quadratic; what is too short to be measured counts as two milliseconds more.
    const ratio = (): number => time(work, 4 * N) / (time(work, N) + 2);
    const least = (tries: number): number => {
      const found = ratio();
      return found < 8 || tries === 1 ? found : Math.min(found, least(tries - 1));
    };
    work(N);
    expect(least(5)).toBeLessThan(8);
  });
});

test("--from with colons and signs without end", async () => {
  for (const from of [`${":".repeat(60_000)}/x`, `a${"#1".repeat(30_000)}/`, "a#1", "a:b", ":", "#1", "/", ""]) {
    const { code } = await cmodx(["check", "--strategy", "int3", "--from", from]);
    expect(code).toBe(2);
  }
});
