import { type Code, isImpossible, type PatchStrategy } from "@cmodx/core";
import { int3, strategies, x86 } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import { type VisibleProgram, visibleProgram } from "../src/conform/program.js";
import { conform, readLog, traceDat } from "../src/index.js";
import { context } from "./conform-log.js";
import { run } from "./run.js";

const { base, instructionSet } = x86({});
const bytes = (code: string): readonly number[] => [...instructionSet.assemble(code, base)];
const site: { readonly old: Code; readonly new: Code } = { old: "nop5", new: "call .+0x1000" };
const [nop5, call] = [bytes("nop5"), bytes("call .+0x1000")];

/** The programs there and back, or undefined where the strategy cannot change that site. */
const programsOf = (strategy: PatchStrategy): readonly VisibleProgram[] | undefined => {
  const programs = [
    { old: nop5, next: call },
    { old: call, next: nop5 },
  ].map((flip) => {
    const plan = strategy.plan({ sites: [{ address: base, ...flip }] }, { ...context, cpus: 3 });
    return isImpossible(plan) || plan.around !== undefined
      ? undefined
      : visibleProgram(strategy, { address: base, ...flip }, { ...context, cpus: 3 });
  });
  return programs.some((each) => each === undefined) ? undefined : (programs as readonly VisibleProgram[]);
};

/** The stores and events of a program, and how many synchronisations come before each and behind the last. */
const shape = ({ steps }: VisibleProgram, events: boolean) => {
  const marks: string[] = [];
  const syncs = [0];
  for (const step of steps) {
    if (step.kind === "sync") syncs[syncs.length - 1] = (syncs.at(-1) as number) + 1;
    else if (step.kind === "write" || events) {
      marks.push(step.kind === "write" ? `${step.address} ${step.bytes}` : "event");
      syncs.push(0);
    }
  }
  return { marks: marks.join("; "), syncs };
};

/** Whether one program asks for nothing that another does not do. */
const asksNoMore = (one: VisibleProgram, other: VisibleProgram): boolean => {
  const events = one.steps.some(({ kind }) => kind === "event");
  const [a, b] = [shape(one, events), shape(other, events)];
  return a.marks === b.marks && a.syncs.every((count, i) => count <= (b.syncs[i] as number));
};

const all = [...strategies, int3({ events: true })].flatMap((strategy) => {
  const programs = programsOf(strategy);
  return programs === undefined ? [] : [{ strategy, programs }];
});

describe("a log recorded here", () => {
  it("may have the stores of its strategy's handlers beside", () => {
    const strategy = strategies.find(({ id }) => id === "nmi-redo-2008") as PatchStrategy;
    for (const seed of [1, 2, 3]) {
      const log = readLog(traceDat(run({ seed, strategy, site, outside: true })), "run.dat");
      expect(conform(log, strategy, context)).toMatchObject({ answer: "conforms", contradictions: [] });
    }
  });

  it("is of strategies enough", () => expect(all.length).toBeGreaterThan(6));

  it.each(all)("of $strategy.id conforms to it, and to none that asks for more", ({ strategy, programs }) => {
    // A handler that stores is what the others lack.
    const outside = programs.every(({ handlers }) => handlers.length === 0);
    for (const seed of [1, 2]) {
      const log = readLog(traceDat(run({ seed, strategy, site, outside })), "run.dat");
      for (const other of all) {
        const expected = other.programs.every((program, flip) => asksNoMore(program, programs[flip] as VisibleProgram));
        const { answer, contradictions } = conform(log, other.strategy, context);
        expect({ seed, of: other.strategy.id, conforms: answer === "conforms", why: contradictions[0]?.why }).toEqual({
          seed,
          of: other.strategy.id,
          conforms: expected,
          why: expected ? undefined : contradictions[0]?.why,
        });
      }
    }
  });
});
