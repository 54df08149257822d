import type { Data } from "../base/data.js";
import { InputError } from "../base/errors.js";
import { same } from "../base/key.js";
import { own } from "../base/own.js";
import type { Observation } from "../contract/events.js";
import type { Step, Value } from "../contract/program.js";
import { cpuMap, cpuPredicate, rule } from "../contract/rule.js";
import { FREED, NMI_OFF, type ServicesState } from "../contract/state.js";
import { quiet } from "../contract/telling.js";
import { freedWords } from "../execution/said.js";
import { settled } from "../memory/perform.js";
import { cpuWordSeen, wordSeen } from "../memory/seen.js";
import { step, syncStep } from "../program/builder.js";
import { assigned, dataText, wordIn } from "./said.js";

/* Shared words, per-CPU words and reference counts that patch programs declare. */

const withWord = (services: ServicesState, word: string, value: Data): ServicesState => ({
  ...services,
  words: { ...services.words, [word]: value },
});

/** A word that is counted with. Throws {@link InputError} where it holds what is no number. */
const counted = (word: string, value: Data): number => {
  if (typeof value === "number") return value;
  throw new InputError(`A step counts with the word ${word}, which holds ${dataText(value)}, no number.`, {
    place: word,
    code: "wrong-type",
  });
};

const use = (what: "load" | "add" | "until", word: string, before: Data): Observation => ({
  what: before === FREED ? "load-freed" : what,
  detail: { word },
});

/** Sets a shared word. */
export const setRule = rule({
  id: "set",
  source: "WRITE_ONCE",
  names: { word: "word" },
  reads: ["cpu", "services"],
  writes: ["cpu", "services"],
  says: {
    set: ({ word }, telling) => quiet(`sets ${word}${wordIn("after", word, telling)}`),
  },
  apply({ cpu, services }, { word, value }: { readonly word: string; readonly value: Data }, machine) {
    const write = { to: "word", word, value: machine.value(cpu, value as Value) } as const;
    const written = machine.order.write({ cpu: machine.advance(cpu), services }, write, machine);
    return [settled({ services }, written, [{ what: "set", detail: { word } }])];
  },
});

/** Loads a shared word into a local. */
export const loadRule = rule({
  id: "load",
  source: "READ_ONCE",
  names: { word: "word" },
  reads: ["cpu", "services"],
  writes: ["cpu"],
  says: {
    ...freedWords,
    load: ({ word }, telling) => quiet(`loads ${word}${wordIn("before", word, telling)}`),
  },
  apply({ cpu, services }, args: { readonly word: string; readonly into: string }, machine) {
    const value = wordSeen(cpu, services, args.word, machine);
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
  names: { word: "word" },
  reads: ["cpu", "services"],
  writes: ["cpu", "services"],
  says: {
    ...freedWords,
    add: ({ word }, telling) => quiet(`adds to ${word}${wordIn("after", word, telling)}`),
  },
  ordering: () => "atomic",
  apply({ cpu, services }, args: { readonly word: string; readonly by: number; readonly into?: string }, machine) {
    const before = own(services.words, args.word);
    const value = before === FREED ? FREED : counted(args.word, before) + args.by;
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
  names: { word: "word" },
  reads: ["cpu", "services"],
  writes: ["cpu"],
  says: {
    ...freedWords,
    until: ({ word }, telling) => quiet(`sees ${word}${wordIn("before", word, telling)}`),
  },
  waits: ({ word, value }, { services }) =>
    `until ${word} is ${dataText(value)}; it is ${dataText(own(services.words, word))}`,
  apply({ cpu, services }, args: { readonly word: string; readonly value: Data }, machine) {
    const value = wordSeen(cpu, services, args.word, machine);
    return same(value, args.value)
      ? [{ set: { cpu: machine.advance(cpu) }, observed: [use("until", args.word, value)] }]
      : [];
  },
});

/** Frees a shared word. */
export const freeRule = rule({
  id: "free",
  source: "kfree, or the return from the function whose stack holds the word",
  names: { word: "word" },
  reads: ["cpu", "services"],
  writes: ["cpu", "services"],
  says: {
    free: ({ word }) => `frees ${word}`,
  },
  apply({ cpu, services }, { word }: { readonly word: string }, machine) {
    // Whoever gets the memory next writes to it after this CPU's earlier writes.
    const write = { to: "word", word, value: FREED } as const;
    const written = machine.order.write({ cpu: machine.advance(cpu), services }, write, machine);
    const twice = wordSeen(cpu, services, word, machine) === FREED ? ({ twice: true } as const) : {};
    return [settled({ services }, written, [{ what: "free", detail: { word, ...twice } }])];
  },
});

type CpuWord = { readonly word: string; readonly value: Data };

const FOR_EACH_CPU =
  "for_each_possible_cpu in smp_text_poke_batch_finish, arch/x86/kernel/alternative.c, 7.3; stop_nmi, arch/x86/kernel/nmi.c, 7.3";

/** Sets a word of every CPU. */
export const setEachCpuRule = rule({
  id: "setEachCpu",
  source: FOR_EACH_CPU,
  names: { word: "cpuWord" },
  reads: ["cpu"],
  writes: ["cpu", "everyCpu"],
  says: {
    setEachCpu: ({ word, value }) =>
      word === NMI_OFF
        ? `turns the sources of NMIs ${value === true ? "off" : "on"}`
        : quiet(`sets ${word} on every CPU${assigned(value)}`),
  },
  maps: ["set-cpu-word"],
  apply({ cpu }, args: CpuWord, machine) {
    const write = { to: "each-cpu", ...args } as const;
    const written = machine.order.write({ cpu: machine.advance(cpu) }, write, machine);
    return [settled({}, written, [{ what: "setEachCpu", detail: args }])];
  },
});

/** Adds to a word of every CPU. */
export const addEachCpuRule = rule({
  id: "addEachCpu",
  source: FOR_EACH_CPU,
  names: { word: "cpuWord" },
  reads: ["cpu"],
  writes: ["cpu", "everyCpu"],
  says: {
    addEachCpu: ({ word, by }) => quiet(`adds ${by} to ${word} on every CPU`),
  },
  maps: ["add-cpu-word"],
  ordering: () => "atomic",
  apply: ({ cpu }, args: { readonly word: string; readonly by: number }, machine) => [
    {
      set: { cpu: machine.advance(cpu) },
      everyCpu: { id: "add-cpu-word", args },
      observed: [{ what: "addEachCpu", detail: args }],
    },
  ],
});

/** Sets a word of one CPU. */
export const setCpuWordMap = cpuMap({
  id: "set-cpu-word",
  touches: ["words"],
  apply: (cpu, args: CpuWord) => ({ ...cpu, words: { ...cpu.words, [args.word]: args.value } }),
});

/** Adds to a word of one CPU. */
export const addCpuWordMap = cpuMap({
  id: "add-cpu-word",
  touches: ["words"],
  apply: (cpu, args: { readonly word: string; readonly by: number }) => ({
    ...cpu,
    words: { ...cpu.words, [args.word]: counted(args.word, own(cpu.words, args.word)) + args.by },
  }),
});

/** Waits for a per-CPU word to have a value everywhere. */
export const untilEachCpuRule = rule({
  id: "untilEachCpu",
  source: "atomic_cond_read_acquire in smp_text_poke_batch_finish, arch/x86/kernel/alternative.c, 7.3",
  names: { word: "cpuWord" },
  reads: ["cpu"],
  writes: ["cpu"],
  says: {
    untilEachCpu: ({ word }) => `sees ${word} everywhere as awaited`,
  },
  guard: (args: CpuWord) => ({ id: "cpu-word", args }),
  waits: ({ word, value }, { cpus }) =>
    `until ${word} is ${dataText(value)} on every CPU; it is ${cpus.map(({ words }) => dataText(own(words, word))).join(", ")}`,
  apply({ cpu }, { word }: CpuWord, machine) {
    // The guard looks at what all see; this CPU's own write of the word comes after that.
    if (cpuWordSeen(cpu, word, machine) !== own(cpu.words, word)) return [];
    return [{ set: { cpu: machine.advance(cpu) }, observed: [{ what: "untilEachCpu", detail: { word } }] }];
  },
});

/** A word of this CPU has a value. */
export const cpuWordPredicate = cpuPredicate({
  id: "cpu-word",
  holds: (cpu, args: CpuWord) => same(own(cpu.words, args.word), args.value),
});

/** Takes a reference of this CPU unless there is none. */
export const tryGetRule = rule({
  id: "tryGet",
  source: "raw_atomic_inc_not_zero in smp_text_poke_int3_handler, arch/x86/kernel/alternative.c, 7.3",
  names: { word: "cpuWord" },
  reads: ["cpu"],
  writes: ["cpu"],
  says: {
    "try-get": ({ word, got }) => (got ? quiet(`gets a reference, ${word}`) : `gets no reference, ${word} is 0`),
  },
  ordering: () => "atomic",
  apply({ cpu }, args: { readonly word: string; readonly into: string }, machine) {
    const count = counted(args.word, own(cpu.words, args.word));
    const taken = count === 0 ? cpu : { ...cpu, words: { ...cpu.words, [args.word]: count + 1 } };
    return [
      {
        set: { cpu: machine.advance(machine.setLocal(taken, args.into, count !== 0)) },
        observed: [{ what: "try-get", detail: { word: args.word, got: count !== 0 } }],
      },
    ];
  },
});

/** Gives a reference of this CPU back. */
export const putRule = rule({
  id: "put",
  source: "raw_atomic_dec in smp_text_poke_int3_handler, arch/x86/kernel/alternative.c, 7.3",
  names: { word: "cpuWord" },
  reads: ["cpu"],
  writes: ["cpu"],
  says: {
    put: ({ word }) => quiet(`puts its reference, ${word}`),
  },
  ordering: () => "atomic",
  apply: ({ cpu }, args: { readonly word: string }, machine) => [
    {
      set: {
        cpu: machine.advance({
          ...cpu,
          words: { ...cpu.words, [args.word]: counted(args.word, own(cpu.words, args.word)) - 1 },
        }),
      },
      observed: [{ what: "put", detail: { word: args.word } }],
    },
  ],
});

/** Sets a shared word. */
export const set = (id: string, word: string, value: Value, note?: string): Step =>
  step(id, "set", { word, value }, note);

/** Loads a shared word into a local. */
export const load = (id: string, word: string, into: string, note?: string): Step =>
  step(id, "load", { word, into }, note);

/** Adds to a shared word of a number; its new value goes to the local `into`, if one is named. */
export const add = (id: string, word: string, by: number, into?: string, note?: string): Step =>
  step(id, "add", into === undefined ? { word, by } : { word, by, into }, note);

/** Waits, without sleeping, until a shared word has a value. */
export const until = (id: string, word: string, value: Data, note?: string): Step =>
  step(id, "until", { word, value }, note);

/** Frees a shared word: to load it afterwards, or to free it again, breaks `lifetime`; to set it is to use the memory anew. */
export const free = (id: string, word: string, note?: string): Step => step(id, "free", { word }, note);

/** Sets a per-CPU word on every CPU. */
export const setEachCpu = (id: string, word: string, value: Data, note?: string): Step =>
  step(id, "setEachCpu", { word, value }, note);

/** Adds to a per-CPU word on every CPU. */
export const addEachCpu = (id: string, word: string, by: number, note?: string): Step =>
  step(id, "addEachCpu", { word, by }, note);

/** Waits, without sleeping, until a per-CPU word has a value on every CPU. */
export const untilEachCpu = (id: string, word: string, value: Data, note?: string): Step =>
  syncStep(id, "untilEachCpu", { word, value }, note);

/** Increments this CPU's word unless it is 0; the local `into` says whether it did. */
export const tryGet = (id: string, word: string, into: string, note?: string): Step =>
  step(id, "tryGet", { word, into }, note);

/** Decrements this CPU's word. */
export const put = (id: string, word: string, note?: string): Step => step(id, "put", { word }, note);
