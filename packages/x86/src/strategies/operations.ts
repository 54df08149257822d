import {
  type CpuState,
  cpuPredicate,
  type Data,
  InputError,
  rule,
  running,
  type Step,
  step,
  syncStep,
  type TrapFrame,
  type Value,
} from "@cmodx/core";

/* Operations that the older protocols need beside those of core. */

declare module "@cmodx/core" {
  interface Operations {
    savedIp: { readonly into: string };
    resumeAt: { readonly address: Value };
    waitNmis: { readonly word?: string; readonly value?: Data };
  }
  interface Events {
    "saved-ip": { readonly ip: bigint };
    "resume-at": { readonly address: bigint };
    /** `word`: what it sets. */
    "wait-nmis": { readonly word?: string };
  }
}

/** In a trap handler: the saved instruction pointer, which stands behind the breakpoint, goes to a local. */
export const savedIp = (id: string, into: string, note?: string): Step => step(id, "savedIp", { into }, note);

/** In a trap handler: the interrupted code is to go on at an address. */
export const resumeAt = (id: string, address: Value, note?: string): Step => step(id, "resumeAt", { address }, note);

/** Waits, without sleeping, until no CPU runs an NMI handler, and sets a shared word in that moment. */
export const waitNmis = (id: string, set?: { readonly word: string; readonly value: Data }, note?: string): Step =>
  syncStep(id, "waitNmis", set ?? {}, note);

const frameOf = (cpu: CpuState): TrapFrame => {
  const code = running(cpu)?.code;
  if (code?.run !== "program" || code.frame === null)
    throw new InputError("Only a trap handler has a frame.", { place: "program", code: "conflict" });
  return code.frame;
};

/** The rule of {@link savedIp}. */
export const savedIpRule = rule({
  id: "savedIp",
  source: "regs->ip in the handler of a breakpoint",
  reads: ["cpu"],
  writes: ["cpu"],
  // The frame is the handler's own.
  urgent: () => true,
  timed: (_args, { trap }) => (trap === null ? {} : { local: trap + 1n }),
  says: { "saved-ip": ({ ip }, { place }) => `reads the saved instruction pointer, ${place(ip)}` },
  apply: ({ cpu }, args: { readonly into: string }, machine) => [
    {
      set: { cpu: machine.advance(machine.setLocal(cpu, args.into, frameOf(cpu).resume)) },
      observed: [{ what: "saved-ip", detail: { ip: frameOf(cpu).resume } }],
    },
  ],
});

/** The rule of {@link resumeAt}. */
export const resumeAtRule = rule({
  id: "resumeAt",
  source: "regs->ip in the handler of a breakpoint",
  reads: ["cpu"],
  writes: ["cpu"],
  says: { "resume-at": ({ address }, { place }) => `sets the saved instruction pointer to ${place(address)}` },
  apply({ cpu }, args: { readonly address: bigint | { readonly local: string } }, machine) {
    const { interrupted } = frameOf(cpu);
    const pc = machine.address(cpu, args.address);
    const stack = [...cpu.stack];
    const below = stack[stack.length - 2];
    if (below === undefined) throw new Error("A trap handler interrupts something.");
    stack[stack.length - 2] = { ...below, code: { ...interrupted, pc } };
    return [
      { set: { cpu: machine.advance({ ...cpu, stack }) }, observed: [{ what: "resume-at", detail: { address: pc } }] },
    ];
  },
});

/** The rule of {@link waitNmis}. */
export const waitNmisRule = rule({
  id: "waitNmis",
  source: "wait_for_nmi and wait_for_nmi_and_set_mod_flag, arch/x86/kernel/ftrace.c, 2.6.29 and 2.6.30",
  reads: ["cpu", "services"],
  writes: ["cpu", "services"],
  // An atomic compare-and-exchange of the flag together with the count of running handlers.
  ordering: () => "atomic",
  guard: () => ({ id: "no-nmi", args: {} }),
  says: {
    "wait-nmis": ({ word }) => `sees no CPU in an NMI handler${word === undefined ? "" : `, and sets ${word}`}`,
  },
  apply({ cpu, services }, { word, value }: { readonly word?: string; readonly value?: Data }, machine) {
    const done = { cpu: machine.advance(cpu) };
    const words = word === undefined ? services.words : { ...services.words, [word]: value };
    return [
      {
        set: word === undefined ? done : { ...done, services: { ...services, words } },
        observed: [{ what: "wait-nmis", detail: word === undefined ? {} : { word } }],
      },
    ];
  },
});

/** No NMI handler runs on this CPU. */
export const noNmiPredicate = cpuPredicate({
  id: "no-nmi",
  holds: (cpu) => cpu.stack.every(({ level }) => level !== "nmi"),
});
