import { type Code, InputError, own } from "@cmodx/core";
import { isPadding, type PatchSite } from "@cmodx/image";

/** What a site of a binary is changed from and to, and where in the site that begins. */
type Replacement = { readonly skip: number; readonly old: Code; readonly new: Code };

/** What the kernels of a machine put at a site in place of what stands there. */
export type Replacements = {
  /** The architecture whose strategies patch this machine. */
  readonly architecture: string;
  replace(site: PatchSite): Replacement;
  /** The strategy by which Linux changes such a site while it runs; undefined where it does not. */
  strategy(site: PatchSite): string | undefined;
};

/** A branch to another place than the site's default target or callee, relative to the instruction. */
const ELSEWHERE = ".+0x2000";

const fail = (site: PatchSite, sentence: string): never => {
  throw new InputError(`Site #${site.number}${site.symbol === undefined ? "" : ` (${site.symbol})`} ${sentence}.`, {
    place: `#${site.number}`,
    code: "impossible",
  });
};

/** What compiler-rt writes there has its number and the trampoline's address among the instructions; no model of it is here. */
const noSled = (site: PatchSite): never =>
  fail(site, "is a sled of XRay, which can be checked on x86-64 and AArch64 alone");

/** Where the site leads, relative to it; undefined when only the loader will know. */
const distance = (site: PatchSite): string | undefined => {
  if (site.target === undefined || (!site.linked && site.targetSection !== site.section)) return undefined;
  const bytes = site.target - site.address;
  return bytes < 0n ? `.-0x${(-bytes).toString(16)}` : `.+0x${bytes.toString(16)}`;
};

const branch = (mnemonic: string, to: string | undefined): string =>
  to === undefined ? mnemonic : `${mnemonic} ${to}`;

/** Branches that name their target by a distance, which a relocation fills in. */
const relocatable: ReadonlySet<string> = new Set(["call", "jmp32", "b", "b.w", "bl"]);

/** What stands there; a branch that only the loader can finish goes to the default place. */
const present = (site: PatchSite): Code =>
  site.relocated !== undefined && relocatable.has(site.instruction) && distance(site) === undefined
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
  return own(pairs, site.instruction) ?? fail(site, `holds ${site.instruction}, which no jump label does`);
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

/**
 * arch/x86/kernel/ftrace.c: five bytes, a no-operation or a call of the tracer. A position-independent program's six bytes, which Linux
 * does not have, are taken out.
 */
const ftrace = (site: PatchSite): string =>
  site.length === FENTRY_OF_PROGRAMS ? "nop6" : site.instruction === "nop5" ? "call" : "nop5";

const FENTRY_OF_PROGRAMS = 6;

const CALL_LENGTH = 5;

/** `jmp8` back to a jump that ends where the function begins. */
const HOT_PATCH = "jmp8 .-0x5";

/** Whether a site is patched as MSVC's /hotpatch is: what is stored before the entry nobody executes, until a jump back leads there. */
const isHotPatch = ({ kind, padding = 0, patched }: PatchSite): boolean =>
  kind === "patchable-entry" && padding >= CALL_LENGTH && patched.length >= 2 && patched.length < CALL_LENGTH;

/**
 * XRay's sled, as compiler-rt's xray_x86_64.cpp patches it: the function's number and a call, at a return a jump, of a trampoline. That of an
 * event is a jump over a call, which becomes two bytes of nothing.
 */
const sledOfX86 = (site: PatchSite): Replacement => ({
  skip: 0,
  old: [...site.bytes],
  new: site.instruction === "jmp8" ? "nop2" : `mov r10d, 0x1+${site.sled === "exit" ? "jmp32" : "call"}`,
});

/** The nops from a function's entry on: one call in place of those it covers. */
const patchableEntry = (site: PatchSite): Replacement => {
  const skip = site.padding ?? 0;
  if (skip === site.length) return fail(site, "is padding before a function, which nobody executes");
  const ends = [...site.boundaries.filter((start) => start > skip), site.length];
  const end = ends.find((each) => each - skip >= CALL_LENGTH);
  if (isHotPatch(site)) {
    const { at, length } = site.patched;
    const more = length === 2 ? "" : `+nop${length === 3 ? "" : length - 2}`;
    return { skip: at, old: [...site.bytes.slice(at, at + length)], new: `${HOT_PATCH}${more}` };
  }
  if (end === undefined) return fail(site, `has ${site.length - skip} bytes of nops, too few for a call`);
  const rest = end - skip - CALL_LENGTH;
  const filler = rest === 0 ? "" : rest === 1 ? "+nop" : `+nop${rest}`;
  return { skip, old: [...site.bytes.slice(skip, end)], new: `call${filler}` };
};

const x86: Replacements = {
  architecture: "x86",
  // jump_label.c and ftrace.c queue their sites and apply them together; static_call.c goes one at a time.
  strategy(site) {
    if (site.kind === "ftrace" && site.length === FENTRY_OF_PROGRAMS) return undefined;
    if (isHotPatch(site)) return "aligned-store";
    const strategies: { readonly [kind: string]: string } = {
      "jump-label": "int3-batch",
      ftrace: "int3-batch",
      "static-call": "static-call",
      "xray-sled": "xray",
    };
    return own(strategies, site.kind);
  },
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
        if (site.instruction === "call-got") return fail(site, "calls through a pointer that only the loader fills in");
        return { skip: 0, old: present(site), new: ftrace(site) };
      case "xray-sled":
        return sledOfX86(site);
    }
  },
};

/** arch/arm/kernel/jump_label.c and ftrace.c, 7.3. A label's no-operation in A32 is `mov r0, r0`; a removed call undoes its push. */
const arm: Replacements = {
  architecture: "armv7",
  strategy: ({ kind }) => (kind === "jump-label" ? "stop-machine-linux" : kind === "ftrace" ? "ftrace" : undefined),
  replace(site) {
    const pairs: { readonly [kind: string]: { readonly [instruction: string]: string } } = {
      "jump-label": {
        nop: branch("b", distance(site)),
        "mov r0, r0": branch("b", distance(site)),
        b: "mov r0, r0",
        "nop.w": branch("b.w", distance(site)),
        "b.w": "nop.w",
      },
      ftrace: {
        bl: site.mode === "t32" ? "add.w sp, sp, #4" : "add sp, sp, #4",
        "add sp, sp, #4": "bl",
        "add.w sp, sp, #4": "bl",
      },
    };
    if (site.kind === "xray-sled") return noSled(site);
    const next = own(own(pairs, site.kind) ?? {}, site.instruction);
    if (next === undefined) return fail(site, `holds ${site.instruction}, which the kernel would not patch`);
    return { skip: 0, old: present(site), new: next };
  },
};

/**
 * XRay's sled, as compiler-rt's xray_AArch64.cpp patches it: a call of a trampoline, with the function's number and the address among the
 * instructions. That of an event is a jump over a call, which becomes nothing.
 */
const sledOfArm64 = ({ bytes, instruction }: PatchSite): Replacement => ({
  skip: 0,
  old: [...bytes],
  new:
    instruction === "b"
      ? "nop"
      : "stp x0, x30, [sp, #-16]!+ldr w17, .+0xc+ldr x16, .+0xc+blr x16+.inst 0x1+.quad callee+ldp x0, x30, [sp], #16",
});

/** arch/arm64/kernel/jump_label.c and ftrace.c, 7.3. Of the nops at a function's entry the second becomes the call. */
const arm64: Replacements = {
  architecture: "arm64",
  strategy: ({ kind, literal }) => {
    if (kind === "xray-sled") return "xray";
    if (kind === "jump-label") return "nosync-ipi";
    return kind === "patchable-entry" && literal !== undefined ? "call-ops" : "nosync";
  },
  replace(site) {
    const { at, length } = site.patched;
    if (site.kind === "patchable-entry") {
      if (length === 0) return fail(site, "is padding before a function, which nobody executes");
      return { skip: at, old: [...site.bytes.slice(at, at + length)], new: "bl" };
    }
    if (site.kind === "xray-sled" && site.instruction !== "unknown") return sledOfArm64(site);
    const open = site.relocated !== undefined && distance(site) === undefined;
    const pairs: { readonly [kind: string]: { readonly [instruction: string]: string } } = {
      "jump-label": { nop: branch("b", distance(site)), b: "nop" },
      ftrace: { bl: "nop", nop: "bl" },
    };
    const next = own(own(pairs, site.kind) ?? {}, site.instruction);
    if (next === undefined) return fail(site, `holds ${site.instruction}, which the kernel would not patch`);
    return { skip: 0, old: open && site.instruction !== "nop" ? site.instruction : [...site.bytes], new: next };
  },
};

/** Where the AUIPC of a traced function leads, relative to it: the tracer's entry. */
const TRACER = ".+0x1640";

/**
 * arch/riscv/kernel/jump_label.c and ftrace.c, 7.3. A function with a literal before it has had its AUIPC since boot (6.16 and later);
 * without, both instructions are swapped.
 */
const riscv: Replacements = {
  architecture: "riscv",
  strategy: ({ kind, literal }) => {
    if (kind === "jump-label") return "nosync";
    if (kind !== "patchable-entry") return undefined;
    return literal === undefined ? "pair-stop-machine" : "call-ops";
  },
  replace(site) {
    if (site.kind === "patchable-entry") {
      const { at, length, instructions } = site.patched;
      if (length === 0) return fail(site, "is padding before a function, which nobody executes");
      const call = `call t0, ${TRACER}`;
      return instructions === 1
        ? { skip: at - 4, old: `auipc t0, %pcrel_hi(${TRACER})+nop`, new: call }
        : { skip: at, old: [...site.bytes.slice(at, at + length)], new: call };
    }
    if (site.kind === "xray-sled") return noSled(site);
    const pairs: { readonly [instruction: string]: string } = { nop: branch("j", distance(site)), jal: "nop" };
    const next = site.kind === "jump-label" ? own(pairs, site.instruction) : undefined;
    if (next === undefined) return fail(site, `holds ${site.instruction}, which the kernel would not patch`);
    return { skip: 0, old: present(site), new: next };
  },
};

/** By the name that `@cmodx/image` gives a machine. */
const machines: { readonly [machine: string]: Replacements } = {
  "x86-64": x86,
  AArch64: arm64,
  ARM: arm,
  "RISC-V": riscv,
};

/** Who else patches sites, by the strategy. */
const others: { readonly [strategy: string]: string } = { xray: "XRay's runtime", "aligned-store": "hot patching" };

/**
 * The strategy by which Linux changes a site, and why it is that one, as the end of a sentence.
 * Throws {@link InputError} where it changes no such site while it runs.
 */
export const strategyFor = ({
  machine,
  file,
  site,
}: {
  readonly machine: string;
  readonly file: string;
  readonly site: PatchSite;
}): {
  readonly strategy: string;
  readonly why: string;
} => {
  const strategy = replacementsFor(machine, file).strategy(site);
  if (site.kind === "xray-sled") replacementsFor(machine, file).replace(site);
  if (strategy === undefined || isPadding(site))
    return fail(site, `is one that Linux does not patch while it runs on ${machine}; name a way with --strategy`);
  const literal = site.literal === undefined ? "" : " with a literal before it";
  const who = own(others, strategy) ?? "Linux";
  return { strategy, why: `what ${who} does at ${site.kind} sites of ${machine}${literal}` };
};

/** What kernels put at sites of a machine. */
export const replacementsFor = (machine: string, file: string): Replacements => {
  const found = own(machines, machine);
  if (found === undefined)
    throw new InputError(`${file} is for ${machine}, whose sites cannot be checked.`, { file, code: "impossible" });
  return found;
};
