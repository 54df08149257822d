import {
  type FlipSite,
  hexAddress,
  type Impossible,
  type InstructionSet,
  isImpossible,
  type Line,
  lock,
  type PatchProgram,
  type PatchStrategy,
  set,
  unlock,
} from "@cmodx/core";
import { withoutOptions } from "@cmodx/core/schema";
import { firstOf } from "./decoded.js";
import { int3 } from "./int3.js";

/** What stands at a call site and at a tail-call site: with a function, and without one. */
const families: readonly (readonly string[])[] = [["call", "nop"], ["jmp", "ret"], ["jcc"]];

/** The function that a site goes to; null where it goes to none. */
const functionOf = ({ address, next }: FlipSite, isa: InstructionSet): bigint | null => {
  const insn = firstOf(next, isa);
  const operand = insn?.operands[0];
  return operand?.kind === "relative" ? address + BigInt(insn?.length ?? 0) + operand.displacement : null;
};

const renamed = (lines: readonly Line[], index: number): readonly Line[] =>
  lines.map((line) => ({ ...line, id: `${line.id}.${index}` }));

/**
 * Static calls: the key's function first, then each site, one at a time, by {@link int3}. A call becomes a CALL or a NOP, a tail call
 * a JMP or a RET.
 */
export const staticCall = withoutOptions(
  "staticCall",
  (): PatchStrategy => ({
    ...int3(),
    id: "static-call",
    summary: "a static call: first key->func, then its sites one at a time, each as int3 does",
    source: "__static_call_update, kernel/static_call_inline.c; arch/x86/kernel/static_call.c, 7.3",
    defaultSite: "call:call .+0x123456c",
    plan({ sites }, context): PatchProgram | Impossible {
      const plans: PatchProgram[] = [];
      for (const site of sites) {
        const pair = [site.old, site.next].map((code) => firstOf(code, context.instructionSet)?.op ?? "no instruction");
        if (!families.some((family) => pair.every((name) => family.includes(name))))
          return { impossible: `${pair.join(" to ")} at ${hexAddress(site.address)} is no change of a static call.` };
        const planned = int3().plan({ sites: [site] }, context);
        if (isImpossible(planned)) return planned;
        plans.push(planned);
      }
      const func = sites[0] === undefined ? null : functionOf(sites[0], context.instructionSet);
      return {
        ...plans[0],
        main: [
          lock("lock-static-call", "static_call_mutex"),
          set("set-func", "key->func", func, "whoever reads the key calls the new function from here on"),
          ...plans.flatMap(({ main }, i) => (plans.length === 1 ? main : renamed(main, i))),
          unlock("unlock-static-call", "static_call_mutex"),
        ],
        words: { ...plans[0]?.words, "key->func": null },
      };
    },
  }),
);
