import type { FetchModel } from "@cmodx/core";
import { armv7InstructionSet, type Mode } from "./isa/index.js";
import { isInList, mayBeModified, modificationLists } from "./modification.js";

const names: { readonly [mode in Mode]: string } = { a32: "A32", t32: "16-bit Thumb" };

const model = (state: Mode, unit: 2 | 4, summary: string, line: number): FetchModel => ({
  id: state,
  source: "Arm ARM DDI 0406C, A3.5.3, A3.5.4 and B2.2.9",
  summary,
  unit,
  stale: "until-maintenance",
  granule: 0,
  reports: { state, line },
  admits(_window, chosen, { at, mode, versions }) {
    const executed = (mode || state) as Mode;
    if (mayBeModified(versions, executed)) return "run";
    const insn = versions.find((bytes) => !isInList(bytes, executed)) ?? chosen;
    const decoded = armv7InstructionSet.decode(insn, executed);
    const text = typeof decoded === "string" ? "what is no instruction" : armv7InstructionSet.format(decoded, at);
    const list = modificationLists[executed].operations.map((op) => op.toUpperCase()).join(", ");
    return {
      breaks: "rule",
      why: `the instruction was changed and this CPU has not synchronised since, which A3.5.4 allows among ${names[executed]} ${list} alone; one of the values is ${text}.`,
    };
  },
});

/** The fetch models of Armv7, one for each instruction set state of the code that is changed; `line` is in bytes. */
export const fetchModelsFor = (line: number): readonly FetchModel[] => [
  model("a32", 4, "A32 code: words are fetched whole, stale until DCCMVAU, ICIMVAU and then an ISB", line),
  model("t32", 2, "Thumb code: halfwords are fetched whole, stale until DCCMVAU, ICIMVAU and an ISB", line),
];
