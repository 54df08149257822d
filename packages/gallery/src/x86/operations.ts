import { type Data, FREED, latestByte, own, rule, running, type Step, step, type World } from "@cmodx/core";

/* Operations that handlers of the gallery need beside those of core. */

declare module "@cmodx/core" {
  interface Operations {
    incNotZero: { readonly word: string; readonly into: string };
    loadCodeByte: { readonly into: string };
  }
  interface Events {
    /** `byte` is undefined where no code is. */
    "load-code-byte": { readonly at: bigint; readonly byte: number | undefined };
  }
}

/** Increments a shared count unless it is 0; the local `into` says whether it did. */
export const incNotZero = (id: string, word: string, into: string, note?: string): Step =>
  step(id, "incNotZero", { word, into }, note);

/** The rule of {@link incNotZero}. */
export const incNotZeroRule = rule({
  id: "incNotZero",
  source: "arch_atomic_inc_not_zero",
  reads: ["cpu", "services"],
  writes: ["cpu", "services"],
  ordering: () => "atomic",
  apply({ cpu, services }, { word, into }: { readonly word: string; readonly into: string }, machine: World) {
    const count: Data = own(services.words, word);
    const freed = count === FREED;
    const got = !freed && count !== 0;
    const words = got ? { ...services.words, [word]: Number(count) + 1 } : services.words;
    return [
      {
        set: { cpu: machine.advance(machine.setLocal(cpu, into, got)), services: { ...services, words } },
        observed: [{ what: freed ? "load-freed" : "try-get", detail: { word, got } }],
      },
    ];
  },
});

/** In a trap handler: loads the byte of code at the trap's address, as data, into a local. */
export const loadCodeByte = (id: string, into: string, note?: string): Step => step(id, "loadCodeByte", { into }, note);

/** The rule of {@link loadCodeByte}. */
export const loadCodeByteRule = rule({
  id: "loadCodeByte",
  source: "a data access to code, which sees the latest store",
  reads: ["cpu", "memory"],
  writes: ["cpu"],
  says: {
    "load-code-byte": ({ at, byte }, { place }) => `loads the byte at ${place(at)}: ${Number(byte).toString(16)}`,
  },
  apply({ cpu, memory }, { into }: { readonly into: string }, machine: World) {
    const code = running(cpu)?.code;
    if (code?.run !== "program" || code.frame === null) throw new Error("Only a trap handler has a trap's address.");
    const byte = latestByte(memory, code.frame.at, machine);
    return [
      {
        set: { cpu: machine.advance(machine.setLocal(cpu, into, byte)) },
        observed: [{ what: "load-code-byte", detail: { at: code.frame.at, byte } }],
      },
    ];
  },
});
