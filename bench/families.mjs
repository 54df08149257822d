/*
 * Families of litmus tests of instruction fetch that grow: the text of one test by its family and size. They grow in what makes herd7
 * slow: CPUs that fetch, instructions that are patched, patchers of one instruction, rounds, calls, independent pairs, and the links of
 * a chain of causes.
 */

/**
 * @typedef {object} Shape the litmus test of one size
 * @property {readonly string[]} initial
 * @property {readonly (readonly string[])[]} threads the rows of each
 * @property {readonly string[]} condition atoms that hold together
 */

/**
 * @typedef {object} Family
 * @property {string} grows what grows
 * @property {readonly number[]} sizes
 * @property {(size: number) => Shape} shape
 */

const from = (first, count) => Array.from({ length: count }, (_, i) => first + i);

/** New code reaches every CPU that synchronises. */
const flush = (...at) => [
  ...at.map((register) => `DC CVAU,${register}`),
  "DSB ISH",
  ...at.map((register) => `IC IVAU,${register}`),
  "DSB ISH",
];

const patch = (value, at) => [`STR ${value},[${at}]`, ...flush(at)];

const publish = ["STR W2,[X3]"];

/** What was published is heard of before instructions behind it are fetched. */
const hear = ["LDR W4,[X3]", "CBNZ W4,k", "k: ISB"];

/** An instruction that leaves the register 0, and patched with NOP sets it. */
const victim = (label, register) => [`${label}: B ${label}e`, `MOV ${register},#1`, `${label}e:`];

/** @type {{ readonly [id: string]: Family }} */
export const families = {
  A: {
    grows: "CPUs: one patches, the others run",
    sizes: [2, 3, 4, 5],
    shape: (cpus) => ({
      initial: ["0:X0=NOP", "0:X2=1", ...from(0, cpus).flatMap((cpu) => [`${cpu}:X1=P1:m`, `${cpu}:X3=f`])],
      threads: [
        [...patch("W0", "X1"), ...publish],
        [...hear, "BL m", "B e", "m: B l", "MOV W9,#1", "l: RET", "e:"],
        ...from(2, cpus - 2).map(() => [...hear, "BLR X1"]),
      ],
      condition: from(1, cpus - 1).flatMap((cpu) => [`${cpu}:X4=1`, `${cpu}:X9=0`]),
    }),
  },
  B: {
    grows: "instructions that one CPU patches and another runs",
    sizes: [1, 2, 3, 4, 5],
    shape: (count) => ({
      initial: ["0:X0=NOP", ...from(0, count).map((i) => `0:X${10 + i}=P1:m${i}`)],
      threads: [
        [...from(0, count).map((i) => `STR W0,[X${10 + i}]`), ...flush(...from(0, count).map((i) => `X${10 + i}`))],
        from(0, count).flatMap((i) => victim(`m${i}`, `W${10 + i}`)),
      ],
      condition: from(0, count).map((i) => `1:X${10 + i}=${(i + 1) % 2}`),
    }),
  },
  C: {
    grows: "CPUs: one runs an instruction, the others patch it",
    sizes: [2, 3, 4, 5],
    shape: (cpus) => ({
      initial: [
        ...from(0, cpus - 1).map((cpu) => `${cpu}:X0=instr:"B .+${4 * (cpu + 2)}"`),
        ...from(0, cpus - 1).map((cpu) => `${cpu}:X1=P${cpus - 1}:m`),
      ],
      threads: [
        ...from(0, cpus - 1).map(() => patch("W0", "X1")),
        ["m: NOP", ...from(1, cpus).map((i) => `ADD W9,W9,#${i}`)],
      ],
      condition: [`${cpus - 1}:X9=0`],
    }),
  },
  D: {
    grows: "rounds of one patcher",
    sizes: [1, 2, 3, 4],
    shape: (rounds) => ({
      initial: [...from(0, rounds).map((i) => `0:X${10 + i}=${i % 2 === 0 ? "NOP" : 'instr:"B .+8"'}`), "0:X1=P1:m"],
      threads: [from(0, rounds).flatMap((i) => patch(`W${10 + i}`, "X1")), victim("m", "W9")],
      condition: ["1:X9=1"],
    }),
  },
  E: {
    grows: "calls of a function while its instruction is patched",
    sizes: [2, 4, 6, 8],
    shape: (calls) => ({
      initial: ["0:X0=NOP", "0:X1=P1:m"],
      threads: [
        patch("W0", "X1"),
        [
          ...from(0, calls).flatMap((i) => ["MOV W9,#0", "BL m", `MOV W${10 + i},W9`]),
          "B e",
          "m: B l",
          "MOV W9,#1",
          "l: RET",
          "e:",
        ],
      ],
      condition: from(0, calls).map((i) => `1:X${10 + i}=${(i + 1) % 2}`),
    }),
  },
  F: {
    grows: "independent pairs of a patcher and a CPU that runs its instruction",
    sizes: [1, 2, 3],
    shape: (pairs) => ({
      initial: from(0, pairs).flatMap((i) => [
        ...[`${2 * i}:X0=NOP`, `${2 * i}:X1=P${2 * i + 1}:m`, `${2 * i}:X2=1`],
        ...[2 * i, 2 * i + 1].map((cpu) => `${cpu}:X3=f${i}`),
      ]),
      threads: from(0, pairs).flatMap(() => [
        [...patch("W0", "X1"), ...publish],
        [...hear, ...victim("m", "W9")],
      ]),
      condition: from(0, pairs).flatMap((i) => [`${2 * i + 1}:X4=1`, `${2 * i + 1}:X9=0`]),
    }),
  },
  G: {
    grows: "CPUs of a chain: one patches, each tells the next, the last runs",
    sizes: [2, 3, 4, 5],
    shape: (cpus) => ({
      initial: [
        "0:X0=NOP",
        `0:X1=P${cpus - 1}:m`,
        ...from(0, cpus - 1).flatMap((cpu) => [`${cpu}:X2=1`, `${cpu}:X5=f${cpu}`]),
        ...from(1, cpus - 1).map((cpu) => `${cpu}:X3=f${cpu - 1}`),
      ],
      threads: [
        [...patch("W0", "X1"), "STR W2,[X5]"],
        ...from(1, cpus - 2).map(() => ["LDR W4,[X3]", "DMB SY", "STR W2,[X5]"]),
        [...hear, ...victim("m", "W9")],
      ],
      condition: [...from(1, cpus - 1).map((cpu) => `${cpu}:X4=1`), `${cpus - 1}:X9=0`],
    }),
  },
};

/** The litmus test of a family at a size. */
export const litmusText = (id, size) => {
  const { initial, threads, condition } = families[id].shape(size);
  const rows = from(0, Math.max(...threads.map(({ length }) => length)));
  return [
    `AArch64 ${id}${size}`,
    `{ ${initial.join("; ")}; }`,
    ` ${threads.map((_, i) => `P${i}`).join(" | ")} ;`,
    ...rows.map((row) => ` ${threads.map((rowsOf) => rowsOf[row] ?? "").join(" | ")} ;`),
    `exists (${condition.join(" /\\ ")})`,
    "",
  ].join("\n");
};
