import {
  type CodeBlock,
  hexAddress,
  type Impossible,
  littleEndian,
  type PatchProgram,
  type PatchStrategy,
  patchLiterals,
  storePromises,
} from "@cmodx/core";
import { withoutOptions } from "@cmodx/core/schema";

/** A literal that is loaded and branched to: what its strategies have in common. */
const patchLiteral = (
  strategy: Pick<PatchStrategy, "id" | "summary" | "source">,
  mutex: string,
  through: (literal: bigint) => CodeBlock,
): PatchStrategy => ({
  ...strategy,
  architectures: ["arm64"],
  defaultSite: ".quad target:.quad callee",
  promises: storePromises,
  plan({ sites }): PatchProgram | Impossible {
    const wrong = sites.find(({ address, next }) => next.length !== 8 || address % 8n !== 0n);
    if (wrong !== undefined) {
      const where = `${wrong.next.length} at ${hexAddress(wrong.address)}`;
      return { impossible: `a literal is eight bytes at a multiple of 8, not ${where}.` };
    }
    return patchLiterals(sites, {
      mutex,
      note: "data: seen whole, and no cache maintenance",
      callee: (value) => ({ address: littleEndian(value), code: "ret" }),
      through,
    });
  },
});

/** Where the code lies that goes through a literal. */
const THROUGH = 0x100n;

/** Patches data alone: a literal that a load and an indirect branch go through, as JITs' far slots and .NET's precode do. */
export const literal = withoutOptions(
  "literal",
  (): PatchStrategy =>
    patchLiteral(
      {
        id: "literal",
        summary: "the code stays; the eight-byte literal that its indirect branch goes through is stored",
        source: "V8, src/wasm/jump-table-assembler.cc, far slots on arm64; .NET, FixupPrecode",
      },
      "patch_mutex",
      (at) => ({ address: at + THROUGH, code: `ldr x16, ${hexAddress(at)}+br x16` }),
    ),
);

/** The out-of-line static call of arm64: a trampoline that loads its target from a literal in read-only data. */
export const staticCall = withoutOptions(
  "staticCall",
  (): PatchStrategy =>
    patchLiteral(
      {
        id: "static-call",
        summary: "a static call through its trampoline, whose literal in read-only data is stored",
        source: "arch_static_call_transform, arch/arm64/kernel/static_call.c, 7.3",
      },
      "static_call_mutex",
      (at) => ({
        address: at + THROUGH,
        code: `bti c+adrp x16, ${hexAddress(at - (at % 0x1000n))}+ldr x16, [x16, #${at % 0x1000n}]+br x16`,
      }),
    ),
);
