import {
  type Bytes,
  type FlipSite,
  hexAddress,
  type Line,
  lock,
  type PatchStrategy,
  siteStep,
  store,
  storePromises,
  unlock,
} from "@cmodx/core";
import { withoutOptions } from "@cmodx/core/schema";

/** Bytes of a sled at a function's entry or return, and of the jump of one at an event. */
const [SLED, EVENT] = [11, 2];

/** How an unpatched sled begins: with a jump, which is stored whole, or with a return. */
const unpatched = (code: Bytes): number => (code[0] === 0xeb ? 2 : code[0] === 0xc3 ? 1 : 0);

/** `mov r10d, ...` and what it moves, then the opcode and the distance of the call. */
const FIELDS = [
  ["write-number", 2, 4],
  ["write-opcode", 6, 1],
  ["write-distance", 7, 4],
] as const;

/**
 * A sled of LLVM's XRay under running threads, which nobody tells: what stands behind its jump is stored first, then two bytes at once
 * over the jump; to take it out the jump, or at a function's end the return, is stored over them. What stands behind it stays.
 */
export const xray = withoutOptions("xray", (): PatchStrategy => {
  const patch = ({ address, next }: FlipSite, id: (name: string) => string): readonly Line[] => {
    const jump = next.length === EVENT ? EVENT : unpatched(next);
    const first = jump === 0 ? 2 : jump;
    const behind =
      jump === 0
        ? FIELDS.map(([name, at, width]) =>
            store(id(name), address + BigInt(at), next.slice(at, at + width), {
              width,
              note: "behind a jump, or a return",
            }),
          )
        : [];
    return [
      ...behind,
      store(id("write-first"), address, next.slice(0, first), {
        width: first === 1 ? 1 : 2,
        note: "std::atomic_store_explicit, release",
      }),
    ];
  };
  return {
    id: "xray",
    summary: "XRay's sleds: all behind the jump, then two bytes over the jump at once, with no word to anybody",
    source: "patchFunctionEntry and patchFunctionExit, LLVM 19, compiler-rt/lib/xray/xray_x86_64.cpp",
    architectures: ["x86"],
    user: true,
    defaultSite: "jmp8 .+0xb+nop9:mov r10d, 0x1+call .+0x123456c",
    promises: storePromises.filter((id) => id !== "done"),
    plan({ sites }) {
      const wrong = sites.find(({ next }) => next.length !== SLED && next.length !== EVENT);
      if (wrong !== undefined)
        return {
          impossible: `the code at ${hexAddress(wrong.address)} has ${wrong.next.length} bytes; a sled has ${SLED}, that of an event ${EVENT}.`,
        };
      return {
        main: [
          lock("lock", "XRayInstrMapMutex"),
          ...sites.flatMap((site, i) => patch(site, (name) => siteStep(name, i, sites.length))),
          unlock("unlock", "XRayInstrMapMutex"),
        ],
      };
    },
  };
});
