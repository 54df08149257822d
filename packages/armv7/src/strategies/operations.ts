import { InputError, latestByte, rule, running, type Step, step, toHex } from "@cmodx/core";

/* Operations that the strategies of ARMv7 need beside those of core. */

declare module "@cmodx/core" {
  interface Operations {
    readInstruction: { readonly offset: number; readonly size: 2 | 4; readonly into: string };
  }
  interface Events {
    "read-instruction": { readonly bytes: string };
  }
}

/**
 * In the handler of an undefined instruction: reads `size` bytes at `offset` from the trap's address into the local `into`, as hex.
 * Of an A32 instruction the condition is cleared, which the kernel's hooks do not look at.
 */
export const readInstruction = (
  id: string,
  read: { readonly offset: number; readonly size: 2 | 4; readonly into: string },
  note?: string,
): Step => step(id, "readInstruction", read, note);

type Read = { readonly offset: number; readonly size: 2 | 4; readonly into: string };

/** What undef hooks compare of an instruction: in A32 not its condition. */
const comparedPart = (bytes: readonly number[], size: 2 | 4): string =>
  toHex(size === 4 ? [...bytes.slice(0, 3), (bytes[3] ?? 0) & 0x0f] : bytes);

/** The rule of {@link readInstruction}. */
export const readInstructionRule = rule({
  id: "readInstruction",
  source: "do_undefinstr, arch/arm/kernel/traps.c, 7.3",
  reads: ["cpu", "memory"],
  writes: ["cpu"],
  timed({ offset, size }, { trap, text }) {
    const bytes = Array.from({ length: size }, (_, i) => text((trap ?? 0n) + BigInt(offset + i)) ?? 0);
    return { local: comparedPart(bytes, size) };
  },
  says: { "read-instruction": ({ bytes }) => `reads the instruction, ${bytes}` },
  apply({ cpu, memory }, { offset, size, into }: Read, machine) {
    const code = running(cpu)?.code;
    if (code?.run !== "program" || code.frame === null)
      throw new InputError("Only a trap handler has a frame.", { place: "program", code: "conflict" });
    const from = code.frame.at + BigInt(offset);
    const bytes = Array.from({ length: size }, (_, i) => latestByte(memory, from + BigInt(i), machine) ?? 0);
    const read = machine.setLocal(cpu, into, comparedPart(bytes, size));
    return [
      {
        set: { cpu: machine.advance(read) },
        observed: [{ what: "read-instruction", detail: { bytes: toHex(bytes) } }],
      },
    ];
  },
});
