import { type Code, InputError } from "@cmodx/core";
import type { PatchSite } from "@cmodx/image";

/** What a site of a binary is changed from and to, and where in the site that begins. */
export type Replacement = { readonly skip: number; readonly old: Code; readonly new: Code };

/** What the kernels of a machine put at a site in place of what stands there. */
export type Replacements = {
  /** The architecture whose strategies patch this machine. */
  readonly architecture: string;
  replace(site: PatchSite): Replacement;
};

/** A branch to another place than the site's default target or callee, relative to the instruction. */
const ELSEWHERE = ".+0x2000";

const fail = (site: PatchSite, sentence: string): never => {
  throw new InputError(`Site #${site.number}${site.symbol === undefined ? "" : ` (${site.symbol})`} ${sentence}.`, {
    place: `#${site.number}`,
  });
};

/** Where the site leads, relative to it; undefined when only the loader will know. */
const distance = (site: PatchSite): string | undefined => {
  if (site.target === undefined || (!site.linked && site.targetSection !== site.section)) return undefined;
  const bytes = site.target - site.address;
  return bytes < 0n ? `.-0x${(-bytes).toString(16)}` : `.+0x${bytes.toString(16)}`;
};

const branch = (mnemonic: string, to: string | undefined): string =>
  to === undefined ? mnemonic : `${mnemonic} ${to}`;

/** What stands there; a branch that only the loader can finish goes to the default place. */
const present = (site: PatchSite): Code =>
  site.relocated !== undefined &&
  (site.instruction === "call" || site.instruction === "jmp32") &&
  distance(site) === undefined
    ? site.instruction
    : [...site.bytes];

/** arch/x86/kernel/jump_label.c: a jump to the label's target, or a no-operation of its length. */
const jumpLabel = (site: PatchSite): string => {
  const pairs: { readonly [instruction: string]: string } = {
    nop2: branch("jmp8", distance(site)),
    nop5: branch("jmp32", distance(site)),
    jmp8: "nop2",
    jmp32: "nop5",
  };
  return pairs[site.instruction] ?? fail(site, `holds ${site.instruction}, which no jump label does`);
};

/** arch/x86/kernel/static_call.c: a call, or a tail call's jump, to another function. */
const staticCall = (site: PatchSite): Code => {
  switch (site.instruction) {
    case "call":
    case "jmp32":
      return branch(site.instruction, ELSEWHERE);
    case "jcc32":
      return [...site.bytes.slice(0, 2), 0x00, 0x20, 0x00, 0x00];
    case "ret5":
      return "jmp32";
    default:
      return site.tail === true ? "jmp32" : "call";
  }
};

/** arch/x86/kernel/ftrace.c: five bytes, a no-operation or a call of the tracer. */
const ftrace = (site: PatchSite): string => (site.instruction === "nop5" ? "call" : "nop5");

const CALL_LENGTH = 5;

/** The nops from a function's entry on: one call in place of those it covers. */
const patchableEntry = (site: PatchSite): Replacement => {
  const skip = site.padding ?? 0;
  if (skip === site.length) return fail(site, "is padding before a function, which nobody executes");
  const ends = [...site.boundaries.filter((start) => start > skip), site.length];
  const end = ends.find((each) => each - skip >= CALL_LENGTH);
  if (end === undefined) return fail(site, `has ${site.length - skip} bytes of nops, too few for a call`);
  const rest = end - skip - CALL_LENGTH;
  const filler = rest === 0 ? "" : rest === 1 ? "+nop" : `+nop${rest}`;
  return { skip, old: [...site.bytes.slice(skip, end)], new: `call${filler}` };
};

const x86: Replacements = {
  architecture: "x86",
  replace(site) {
    if (site.instruction === "unknown") return fail(site, "holds an instruction that the kernel would not patch");
    switch (site.kind) {
      case "patchable-entry":
        return patchableEntry(site);
      case "jump-label":
        return { skip: 0, old: present(site), new: jumpLabel(site) };
      case "static-call":
        return { skip: 0, old: present(site), new: staticCall(site) };
      case "ftrace":
        return { skip: 0, old: present(site), new: ftrace(site) };
    }
  },
};

/** By the name that `@cmodx/image` gives a machine. */
const machines: { readonly [machine: string]: Replacements } = { "x86-64": x86 };

/** What kernels put at sites of a machine. */
export const replacementsFor = (machine: string, file: string): Replacements => {
  const found = machines[machine];
  if (found === undefined) throw new InputError(`${file} is for ${machine}, whose sites cannot be checked.`, { file });
  return found;
};
