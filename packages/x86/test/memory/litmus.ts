import { createSimulation } from "@cmodx/core";
import { x86 } from "../../src/index.js";
import { type FinalView, finalViews } from "./final-views.js";

/** Where the data of the tests lies: `[x]` to `[z]` in their text. */
const places: { readonly [name: string]: string } = { x: "0x1000", y: "0x2000", z: "0x3000" };

const encoded = (line: string): string => line.replace(/\[([xyz])\]/, (_, name: string) => `[${places[name]}]`);

const base = 0xffff_ffff_8100_0000n;

/**
 * Every final state of threads of machine code: for each thread the registers eax, ebx and ecx, and what x, y and z hold, as
 * `0:eax=1 1:ebx=0 x=1`. Registers and places that hold 0 everywhere are left out.
 */
export const finalStates = (
  threads: readonly (readonly string[])[],
  memory: "sequential" | "architectural" = "architectural",
): readonly string[] => {
  const simulation = createSimulation({ architecture: x86({ fetch: "coherent" }), development: true });
  const entries = threads.map((_, i) => base + 0x1000n * BigInt(i + 1));
  const machine = simulation.machine({
    name: "litmus",
    sites: [{ address: base, old: "nop5", new: "nop5" }],
    patchers: [],
    cpus: threads.length,
    memory,
    blocks: threads.map((lines, i) => ({
      address: entries[i] as bigint,
      code: [...lines.map(encoded), "jmp8 ."].join("\n"),
    })),
    executors: entries.map((entry) => ({ entries: [entry], count: 1 })),
  });
  const ends = threads.map((lines, i) => {
    const assembled = lines.map((line) => x86().instructionSet.assemble(encoded(line), 0n).length);
    return (entries[i] as bigint) + BigInt(assembled.reduce((sum, length) => sum + length, 0));
  });

  return [...new Set(finalViews(machine, ends).map(describe))].sort();
};

const describe = ({ view, registers }: FinalView): string => {
  const held = registers.flatMap((thread, i) =>
    (["rax", "rbx", "rcx"] as const).flatMap((name) => {
      const value = thread[name] ?? 0n;
      return value === 0n ? [] : [`${i}:e${name.slice(1)}=${value}`];
    }),
  );
  const data = Object.entries(places).flatMap(([name, address]) => {
    const value = view.memory.data[BigInt(address).toString(16)] ?? "00";
    return value === "00" ? [] : [`${name}=${Number.parseInt(value, 16)}`];
  });
  return [...held, ...data].join(" ");
};
