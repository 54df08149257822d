import {
  type Data,
  InputError,
  rule,
  running,
  type Step,
  settled,
  step,
  type TrapFrame,
  type Value,
  wordSeen,
} from "@cmodx/core";

/* Operations that the breakpoint's handler needs beside those of core. */

declare module "@cmodx/core" {
  interface Operations {
    trapAddress: { readonly into: string };
    setRelease: { readonly word: string; readonly value: Value };
    loadAcquire: { readonly word: string; readonly into: string };
  }
  interface Events {
    "trap-address": { readonly at: bigint };
    "set-release": { readonly word: string };
    "load-acquire": { readonly word: string };
  }
}

/** In a trap handler: the trap's address goes to a local. */
export const trapAddress = (id: string, into: string, note?: string): Step => step(id, "trapAddress", { into }, note);

/** Sets a shared word by a store-release. */
export const setRelease = (id: string, word: string, value: Value, note?: string): Step =>
  step(id, "setRelease", { word, value }, note);

/** Loads a shared word into a local by a load-acquire. */
export const loadAcquire = (id: string, word: string, into: string, note?: string): Step =>
  step(id, "loadAcquire", { word, into }, note);

/** The rule of {@link trapAddress}. */
export const trapAddressRule = rule({
  id: "trapAddress",
  source: "instruction_pointer(regs) in the handler of a breakpoint",
  reads: ["cpu"],
  writes: ["cpu"],
  // The frame is the handler's own.
  urgent: () => true,
  timed: (_args, { trap }) => ({ local: trap }),
  says: { "trap-address": ({ at }, { place }) => `reads the trap's address, ${place(at)}` },
  apply({ cpu }, { into }: { readonly into: string }, machine) {
    const code = running(cpu)?.code;
    const frame: TrapFrame | null = code?.run === "program" ? code.frame : null;
    if (frame === null)
      throw new InputError("Only a trap handler has a trap's address.", { place: "program", code: "conflict" });
    return [
      {
        set: { cpu: machine.advance(machine.setLocal(cpu, into, frame.at)) },
        observed: [{ what: "trap-address", detail: { at: frame.at } }],
      },
    ];
  },
});

/** The rule of {@link setRelease}. */
export const setReleaseRule = rule({
  id: "setRelease",
  source: "smp_store_release",
  reads: ["cpu", "services"],
  writes: ["cpu", "services"],
  ordering: () => "release",
  timed: ({ value }, seen) => ({ word: seen.value(value as Value) }),
  says: { "set-release": ({ word }) => `sets ${word}, store-release` },
  apply({ cpu, services }, { word, value }: { readonly word: string; readonly value: Data }, machine) {
    const write = { to: "word", word, value: machine.value(cpu, value as Value) } as const;
    const written = machine.order.write({ cpu: machine.advance(cpu), services }, write, machine);
    return [settled({ services }, written, [{ what: "set-release", detail: { word } }])];
  },
});

/** The rule of {@link loadAcquire}. */
export const loadAcquireRule = rule({
  id: "loadAcquire",
  source: "smp_load_acquire",
  reads: ["cpu", "services"],
  writes: ["cpu"],
  ordering: () => "acquire",
  timed: ({ word }, seen) => ({ local: seen.word(word) }),
  says: { "load-acquire": ({ word }) => `loads ${word}, load-acquire` },
  apply: ({ cpu, services }, { word, into }: { readonly word: string; readonly into: string }, machine) => [
    {
      set: { cpu: machine.advance(machine.setLocal(cpu, into, wordSeen(cpu, services, word, machine))) },
      observed: [{ what: "load-acquire", detail: { word } }],
    },
  ],
});
