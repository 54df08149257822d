import type { Data } from "../data.js";
import { same } from "../key.js";
import type { Value } from "../program/program.js";
import { cpuMap, cpuPredicate, type Observation, rule } from "../rule.js";
import { FREED, type ServicesState } from "../state.js";

/* Shared words, per-CPU words and reference counts that patch programs declare. */

const withWord = (services: ServicesState, word: string, value: Data): ServicesState => ({
  ...services,
  words: { ...services.words, [word]: value },
});

const use = (what: string, word: string, before: Data): Observation => ({
  what: before === FREED ? "load-freed" : what,
  detail: { word },
});

/** Sets a shared word. */
export const setRule = rule({
  id: "set",
  source: "WRITE_ONCE",
  reads: ["cpu", "services"],
  writes: ["cpu", "services"],
  apply: ({ cpu, services }, args: { readonly word: string; readonly value: Data }, machine) => [
    {
      set: {
        cpu: machine.advance(cpu),
        services: withWord(services, args.word, machine.value(cpu, args.value as Value)),
      },
      observed: [{ what: "set", detail: { word: args.word } }],
    },
  ],
});

/** Loads a shared word into a local. */
export const loadRule = rule({
  id: "load",
  source: "READ_ONCE",
  reads: ["cpu", "services"],
  writes: ["cpu"],
  apply({ cpu, services }, args: { readonly word: string; readonly into: string }, machine) {
    const value = services.words[args.word];
    return [
      {
        set: { cpu: machine.advance(machine.setLocal(cpu, args.into, value)) },
        observed: [use("load", args.word, value)],
      },
    ];
  },
});

/** Adds to a shared word. */
export const addRule = rule({
  id: "add",
  source: "atomic_add_return",
  reads: ["cpu", "services"],
  writes: ["cpu", "services"],
  apply({ cpu, services }, args: { readonly word: string; readonly by: number; readonly into?: string }, machine) {
    const before = services.words[args.word];
    const value = before === FREED ? FREED : Number(before) + args.by;
    const done = args.into === undefined ? cpu : machine.setLocal(cpu, args.into, value);
    return [
      {
        set: { cpu: machine.advance(done), services: withWord(services, args.word, value) },
        observed: [use("add", args.word, before)],
      },
    ];
  },
});

/** Waits for the value of a shared word. */
export const untilRule = rule({
  id: "until",
  source: "smp_cond_load_acquire",
  reads: ["cpu", "services"],
  writes: ["cpu"],
  apply: ({ cpu, services }, args: { readonly word: string; readonly value: Data }, machine) =>
    same(services.words[args.word], args.value)
      ? [{ set: { cpu: machine.advance(cpu) }, observed: [use("until", args.word, services.words[args.word])] }]
      : [],
});

/** Frees a shared word. */
export const freeRule = rule({
  id: "free",
  source: "kfree, or the return from the function whose stack holds the word",
  reads: ["cpu", "services"],
  writes: ["cpu", "services"],
  apply: ({ cpu, services }, args: { readonly word: string }, machine) => [
    {
      set: { cpu: machine.advance(cpu), services: withWord(services, args.word, FREED) },
      observed: [{ what: "free", detail: { word: args.word } }],
    },
  ],
});

type CpuWord = { readonly word: string; readonly value: Data };

const eachCpu = (id: "setEachCpu" | "addEachCpu") =>
  rule({
    id,
    source: "for_each_possible_cpu in smp_text_poke_batch_finish, arch/x86/kernel/alternative.c, 7.3",
    reads: ["cpu"],
    writes: ["cpu", "everyCpu"],
    apply: ({ cpu }, args: Data, machine) => [
      {
        set: { cpu: machine.advance(cpu) },
        everyCpu: { id: id === "setEachCpu" ? "set-cpu-word" : "add-cpu-word", args },
        observed: [{ what: id, detail: args as { readonly [name: string]: Data } }],
      },
    ],
  });

/** Sets a word of every CPU. */
export const setEachCpuRule = eachCpu("setEachCpu");
/** Adds to a word of every CPU. */
export const addEachCpuRule = eachCpu("addEachCpu");

/** Sets a word of one CPU. */
export const setCpuWordMap = cpuMap({
  id: "set-cpu-word",
  apply: (cpu, args: CpuWord) => ({ ...cpu, words: { ...cpu.words, [args.word]: args.value } }),
});

/** Adds to a word of one CPU. */
export const addCpuWordMap = cpuMap({
  id: "add-cpu-word",
  apply: (cpu, args: { readonly word: string; readonly by: number }) => ({
    ...cpu,
    words: { ...cpu.words, [args.word]: Number(cpu.words[args.word]) + args.by },
  }),
});

/** Waits for a per-CPU word to have a value everywhere. */
export const untilEachCpuRule = rule({
  id: "untilEachCpu",
  source: "atomic_cond_read_acquire in smp_text_poke_batch_finish, arch/x86/kernel/alternative.c, 7.3",
  reads: ["cpu"],
  writes: ["cpu"],
  guard: (args: CpuWord) => ({ id: "cpu-word", args }),
  apply: ({ cpu }, args: CpuWord, machine) => [
    { set: { cpu: machine.advance(cpu) }, observed: [{ what: "untilEachCpu", detail: { word: args.word } }] },
  ],
});

/** A word of this CPU has a value. */
export const cpuWordPredicate = cpuPredicate({
  id: "cpu-word",
  holds: (cpu, args: CpuWord) => same(cpu.words[args.word], args.value),
});

/** Takes a reference of this CPU unless there is none. */
export const tryGetRule = rule({
  id: "tryGet",
  source: "raw_atomic_inc_not_zero in smp_text_poke_int3_handler, arch/x86/kernel/alternative.c, 7.3",
  reads: ["cpu"],
  writes: ["cpu"],
  apply({ cpu }, args: { readonly word: string; readonly into: string }, machine) {
    const count = Number(cpu.words[args.word]);
    const counted = count === 0 ? cpu : { ...cpu, words: { ...cpu.words, [args.word]: count + 1 } };
    return [
      {
        set: { cpu: machine.advance(machine.setLocal(counted, args.into, count !== 0)) },
        observed: [{ what: "try-get", detail: { word: args.word, got: count !== 0 } }],
      },
    ];
  },
});

/** Gives a reference of this CPU back. */
export const putRule = rule({
  id: "put",
  source: "raw_atomic_dec in smp_text_poke_int3_handler, arch/x86/kernel/alternative.c, 7.3",
  reads: ["cpu"],
  writes: ["cpu"],
  apply: ({ cpu }, args: { readonly word: string }, machine) => [
    {
      set: { cpu: machine.advance({ ...cpu, words: { ...cpu.words, [args.word]: Number(cpu.words[args.word]) - 1 } }) },
      observed: [{ what: "put", detail: { word: args.word } }],
    },
  ],
});
