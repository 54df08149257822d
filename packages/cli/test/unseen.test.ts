import { arm64 } from "@cmodx/arm64";
import { armv7 } from "@cmodx/armv7";
import { type Architecture, createSimulation, type Scenario, type Verdict } from "@cmodx/core";
import { riscv } from "@cmodx/riscv";
import { x86 } from "@cmodx/x86";
import { expect, it } from "vitest";

/* What goes wrong in code that nobody patches is seen on every architecture, in both memory orders. */

/** Code of an architecture, to lie at 0x1000 with the victim at 0x2000. */
type Example = {
  readonly architecture: Architecture;
  /** Code at 0x1000, of which `middle` is no border and `border` is one. */
  readonly code: string;
  readonly middle: bigint;
  readonly border: bigint;
  /** The victim goes where its register `pointer` says. */
  readonly computed: string;
  readonly pointer: string;
  /** What is set in a pointer beside the address. */
  readonly bit?: bigint;
  /** The victim goes to an address as it is written. */
  readonly direct: (to: bigint) => string;
};

const hex = (address: bigint): string => `0x${address.toString(16)}`;

const examples: { readonly [id: string]: Example } = {
  x86: {
    architecture: x86(),
    // The immediate holds nop; ret.
    code: "mov eax, 0xc39090+ret",
    middle: 0x1001n,
    border: 0x1005n,
    computed: "jmp rax",
    pointer: "rax",
    direct: (to) => `jmp ${hex(to)}`,
  },
  "T32 code": {
    architecture: armv7({ fetch: "t32" }),
    // The second half of the first is nop.
    code: "movw r0, #0xf00+bx lr",
    middle: 0x1002n,
    border: 0x1004n,
    computed: "bx r3",
    pointer: "r3",
    bit: 1n,
    direct: (to) => `b.w ${hex(to)}`,
  },
  "A32 code": {
    architecture: armv7(),
    code: "bx lr+.quad 0xe12fff1ee12fff1e+bx lr",
    middle: 0x1004n,
    border: 0x100cn,
    computed: "bx r3",
    pointer: "r3",
    direct: (to) => `b ${hex(to)}`,
  },
  riscv: {
    architecture: riscv(),
    // The second half of lui is c.jr ra.
    code: "lui a0, 0x80820+ret",
    middle: 0x1002n,
    border: 0x1004n,
    computed: "jr t3",
    pointer: "t3",
    direct: (to) => `j ${hex(to)}`,
  },
  arm64: {
    architecture: arm64(),
    code: "ret+.quad 0xd65f03c0d65f03c0+ret",
    middle: 0x1004n,
    border: 0x100cn,
    computed: "br x16",
    pointer: "x16",
    direct: (to) => `b ${hex(to)}`,
  },
};

/** One executor that is entered at 0x2000, as a function that returns, with its pointer set. */
const runs = ({ code, pointer, bit = 0n }: Example, victim: string, to: bigint, more: Partial<Scenario>): Scenario => ({
  name: "test",
  sites: [{ address: 0x3000n, old: "nop", new: "nop" }],
  patchers: [],
  executors: [{ entries: [0x2000n], count: 1, once: true, registers: { [pointer]: to | bit } }],
  cpus: 1,
  blocks: [
    { address: 0x1000n, code },
    { address: 0x2000n, code: victim },
  ],
  ...more,
});

const why = (verdict: Verdict): string => (verdict.verdict === "unsafe" ? verdict.why : verdict.verdict);

it.each(Object.keys(examples))("R48: a jump into the middle of an instruction, or into data, on %s", async (id) => {
  const example = examples[id] as Example;
  const { architecture, middle, border, computed, direct } = example;
  const check = async (victim: string, to: bigint, more: Partial<Scenario> = {}): Promise<string> =>
    why(await createSimulation({ architecture }).check({ ...runs(example, victim, to, more) }));
  for (const memory of ["sequential", "architectural"] as const) {
    const stray = `no instruction of the code that lies there begins at that address`;
    expect(await check(computed, middle, { memory })).toContain(` at ${hex(middle)}: ${stray}.`);
    expect(await check(direct(middle), 0n, { memory })).toContain(` at ${hex(middle)}: ${stray}.`);
    expect(await check(computed, middle, { memory, exits: [middle] })).not.toContain(stray);
    expect(await check(computed, border, { memory })).not.toContain(stray);
  }
});

it("R48: T32 code that is entered as A32 code, and the other way round", async () => {
  const check = async (state: "a32" | "t32", pointer: bigint): Promise<string> => {
    const example = examples["T32 code"] as Example;
    const blocks = [
      { address: 0x1000n, code: "nop+nop+bx lr", mode: "t32" },
      { address: 0x1100n, code: "nop+bx lr", mode: "a32" },
      { address: 0x2000n, code: "bx r3" },
    ];
    const of = runs({ ...example, bit: 0n }, "bx r3", pointer, { blocks });
    return why(await createSimulation({ architecture: armv7({ fetch: state }) }).check(of));
  };
  for (const state of ["a32", "t32"] as const) {
    expect(await check(state, 0x1001n)).not.toContain("begins");
    expect(await check(state, 0x1100n)).not.toContain("begins");
    expect(await check(state, 0x1000n)).toContain("at 0x1000: no instruction of the code that lies there begins");
    expect(await check(state, 0x1101n)).toContain("at 0x1100: no instruction of the code that lies there begins");
  }
});
