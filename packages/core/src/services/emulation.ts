import type { Data } from "../base/data.js";
import { InputError } from "../base/errors.js";
import { fromHex } from "../base/hex.js";
import type { Observation } from "../contract/events.js";
import type { Write, Written } from "../contract/memory-order.js";
import type { Step, Value } from "../contract/program.js";
import { rule } from "../contract/rule.js";
import { type Context, type CpuState, FREED, type MachineCode, running, type TrapFrame } from "../contract/state.js";
import type { World } from "../contract/world.js";
import { modeAfter, run, type Seen } from "../execution/execute.js";
import { raised } from "../execution/faults.js";
import { dataLoaded, type Loaded, storesFreed } from "../execution/loads.js";
import { exceptionWords, freedWords } from "../execution/said.js";
import { settled } from "../memory/perform.js";
import { wordSeen } from "../memory/seen.js";
import { step } from "../program/builder.js";
import { dataText } from "./said.js";

/* R13: what a trap handler does for the interrupted context: finds what it stands for, gives it the effect, or sets it back. */

export const handlerOf = (
  cpu: CpuState,
): { readonly below: Context; readonly code: MachineCode; readonly frame: TrapFrame } => {
  const handler = running(cpu);
  const below = cpu.stack[cpu.stack.length - 2];
  if (handler?.code.run !== "program" || handler.code.frame === null || below?.code.run !== "machine") {
    throw new InputError(
      "What a trap handler does, such as to look its place up or to emulate, stands in one of the traps' programs.",
      {
        place: "program",
        code: "conflict",
      },
    );
  }
  return { below, code: below.code, frame: handler.code.frame };
};

const withInterrupted = (cpu: CpuState, below: Context, code: MachineCode): CpuState => {
  const stack = [...cpu.stack];
  stack[stack.length - 2] = { ...below, code };
  return { ...cpu, stack };
};

type Entry = { readonly address: bigint; readonly bytes: string };

const isEntry = (entry: Data): boolean =>
  typeof entry === "object" &&
  entry !== null &&
  "address" in entry &&
  typeof entry.address === "bigint" &&
  "bytes" in entry &&
  typeof entry.bytes === "string";

/** What a handler searches. Throws {@link InputError} where it is no such list: nothing would ever be found. */
const entriesOf = (word: string, list: Data): readonly Entry[] => {
  if (Array.isArray(list) && list.every(isEntry)) return list as readonly Entry[];
  throw new InputError(
    `A trap handler looks its address up in ${word}, which holds ${dataText(list)}, neither null nor a list of { address, bytes }.`,
    { place: word, code: "wrong-type" },
  );
};

/** The handler's own load of the list it searches for the trap's address. */
export const lookupRule = rule({
  id: "lookup",
  source: "x86: smp_text_poke_int3_handler, arch/x86/kernel/alternative.c, 7.3",
  names: { word: "word" },
  reads: ["cpu", "services"],
  writes: ["cpu"],
  says: {
    ...freedWords,
    lookup: ({ found, word }) => `${found ? "finds its entry" : "finds no entry"} in ${word}`,
  },
  apply({ cpu, services }, args: { readonly word: string; readonly into: string }, machine) {
    const { frame } = handlerOf(cpu);
    const list = wordSeen(cpu, services, args.word, machine);
    const freed = list === FREED;
    const entries = freed || list === null ? [] : entriesOf(args.word, list);
    const entry = entries.find((candidate) => candidate.address === frame.at);
    const found = machine.setLocal(cpu, args.into, entry?.bytes ?? null);
    return [
      {
        set: { cpu: machine.advance(found) },
        observed: [
          {
            what: freed ? "load-freed" : "lookup",
            detail: { word: args.word, at: frame.at, found: entry !== undefined },
          },
        ],
      },
    ];
  },
});

/** Gives the interrupted context the effect of an instruction at the trap's address, or of all in these bytes. */
export const emulateRule = rule({
  id: "emulate",
  source: "x86: the emulation at the end of smp_text_poke_int3_handler, arch/x86/kernel/alternative.c, 7.3",
  reads: ["cpu", "memory"],
  writes: ["cpu", "memory", "everyCpu"],
  runsMachineCode: true,
  // What the code stores itself is known by how it is laid out.
  writesData: () => [],
  says: {
    ...freedWords,
    ...exceptionWords,
    emulate: ({ text }) => `emulates ${text}`,
  },
  apply({ cpu, memory }, args, machine) {
    const { below, frame } = handlerOf(cpu);
    const bytes = machine.value(cpu, args.bytes);
    if (typeof bytes !== "string")
      throw new InputError("A trap handler emulates an instruction that no earlier step found.", {
        place: "emulate",
        code: "undeclared",
      });
    if (!/^([\da-f]{2})+$/i.test(bytes))
      throw new InputError(`A trap handler emulates ${JSON.stringify(bytes)}, which are no bytes in hex.`, {
        place: "emulate",
        code: "wrong-type",
      });
    const effects = effectsOf(frame, bytes, { cpu, memory }, machine);
    const { code, writes, loads } = (args.all === true ? effects.at(-1) : effects[0]) as TrapEffect;
    const emulated = machine.advance(withInterrupted(cpu, below, code));
    const written = writes.reduce<Written>((parts, write) => machine.order.write(parts, write, machine), {
      cpu: emulated,
      memory,
    });
    const text = machine.disassemble(fromHex(bytes), frame.at, frame.interrupted.mode);
    const observed: Observation[] = [{ what: "emulate", detail: { at: frame.at, bytes, text } }];
    observed.push(...dataLoaded(frame.at, loads, memory, machine), ...storesFreed(writes, cpu, memory, machine));
    if (code.trapped !== null)
      observed.push(
        ...raised({ at: code.trapped.at, bytes: code.trapped.bytes, text }, code.trapped.vector, code.routine, machine),
      );
    return [settled({ memory }, written, observed)];
  },
});

/** Sets the interrupted context back to the trap's address, to run whatever is there now. */
export const restartRule = rule({
  id: "restart",
  source: "armv7: kprobe_handler without a probe, arch/arm/probes/kprobes/core.c, 7.3",
  reads: ["cpu"],
  writes: ["cpu"],
  says: {
    restart: () => "goes back to the trapping instruction",
  },
  apply({ cpu }, _args, machine) {
    const { below, frame } = handlerOf(cpu);
    const restarted = withInterrupted(cpu, below, { ...frame.interrupted, pc: frame.at });
    return [{ set: { cpu: machine.advance(restarted) }, observed: [{ what: "restart", detail: { at: frame.at } }] }];
  },
});

/** What became of the interrupted context, what it loaded from and wrote to others' memory, and where a call among it returns to. */
type TrapEffect = {
  readonly code: MachineCode;
  readonly loads: readonly Loaded[];
  readonly writes: readonly Write[];
  readonly link: bigint | undefined;
};

/**
 * The interrupted context after the first instruction of `bytes` (hex) took effect at the trap's address, after the second, and so on
 * as long as they go straight on.
 */
export const effectsOf = (frame: TrapFrame, bytes: string, seen: Seen, machine: World): readonly TrapEffect[] => {
  const effects: TrapEffect[] = [];
  let { interrupted } = frame;
  const writes: Write[] = [];
  const loads: Loaded[] = [];
  for (let offset = 0; offset < bytes.length / 2; ) {
    const at = frame.at + BigInt(offset);
    const rest = bytes.slice(2 * offset);
    const effect = effectOf({ ...frame, at, interrupted }, rest, seen, machine);
    writes.push(...effect.writes);
    loads.push(...effect.loads);
    effects.push({ ...effect, writes: [...writes], loads: [...loads] });
    interrupted = effect.code;
    const length = Number(interrupted.pc - at);
    if (interrupted.trapped !== null || lengthAt(rest, interrupted.mode, machine) !== length) break;
    offset += length;
  }
  return effects;
};

const lengthAt = (bytes: string, mode: string, machine: World): number | undefined => {
  const insn = machine.instructionSet.decode(fromHex(bytes), mode);
  return typeof insn === "string" ? undefined : insn.length;
};

/** The interrupted context after the first instruction of `bytes` (hex) took effect at the trap's address. */
const effectOf = (frame: TrapFrame, bytes: string, seen: Seen, machine: World): TrapEffect => {
  const { interrupted, at } = frame;
  const decoded = machine.decode(fromHex(bytes), at, interrupted.mode);
  const insn = decoded === "short" ? "undefined" : decoded;
  const ran = run(insn, at, interrupted.registers, interrupted.memory, seen, machine);
  const outcome = ran.outcome;
  if (outcome.do === "trap") {
    return {
      code: {
        ...interrupted,
        trapped: { vector: outcome.vector, at, resume: outcome.resume, bytes, site: frame.site },
      },
      loads: [],
      writes: [],
      link: undefined,
    };
  }
  const registers = { ...interrupted.registers, ...outcome.registers };
  const mode = modeAfter(outcome, interrupted);
  const code: MachineCode = { ...interrupted, pc: outcome.next, mode, registers, memory: ran.stack };
  return { code, loads: ran.loads, writes: ran.writes, link: outcome.do === "retire" ? outcome.link : undefined };
};

/** In a trap handler: finds the entry `{ address, bytes }` of the trap's address in a shared word that holds a list; null if none. */
export const lookup = (id: string, word: string, into: string, note?: string): Step =>
  step(id, "lookup", { word, into }, note);

/** In a trap handler: gives the interrupted context the effect of the instruction in these bytes (hex) at the trap's address. */
export const emulate = (id: string, bytes: Value, note?: string): Step => step(id, "emulate", { bytes }, note);

/**
 * In a trap handler: gives the interrupted context the effect of all instructions in these bytes (hex) from the trap's address on, one
 * after the other as long as they go straight on.
 */
export const emulateAll = (id: string, bytes: Value, note?: string): Step =>
  step(id, "emulate", { bytes, all: true }, note);
