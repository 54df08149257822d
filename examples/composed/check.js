// A kprobe and a batched jump-label update patch neighbouring sites of one function at the same time: what makes that safe?
import assert from "node:assert/strict";
import { claim, createSimulation, emulate, isImpossible, toHex } from "@cmodx/core";
import { int3Batch, optprobe, x86 } from "@cmodx/x86";
import { INSIDE_THE_PROBE, probeAndLabels } from "./function.js";

/**
 * An optimised kprobe whose handler does not ask whose trap it is: strategies are values, so this is the old one with other handlers.
 *
 * @returns {import("@cmodx/core").PatchStrategy}
 */
const greedyProbe = () => ({
  ...optprobe(),
  id: "greedy-probe",
  plan(flip, context) {
    const program = optprobe().plan(flip, context);
    if (isImpossible(program)) return program;
    const detour = flip.sites.map((site) => emulate("handler-run", toHex(site.next), "the detour"));
    return { ...program, traps: { int3: [...detour, claim("handler-claim")] } };
  },
});

const noMutex = ["lock", "unlock"];

/** @type {readonly { question: string, scenario: import("@cmodx/core").Scenario, answer: string }[]} */
const questions = [
  {
    question: "Both under text_mutex, as Linux does it.",
    scenario: probeAndLabels(),
    answer: "safe",
  },
  {
    question: "Nobody takes the mutex, but each has a table of its own and leaves the other's traps alone.",
    scenario: probeAndLabels({ drop: noMutex }),
    answer: "safe",
  },
  {
    question: "Nobody takes the mutex, and the probe goes through the labels' text_poke_array.",
    scenario: probeAndLabels({ probe: int3Batch(), probed: "mov eax, 1", drop: noMutex }),
    answer: "unsafe: trap-owned",
  },
  {
    question: "Under the mutex, but the probe's handler claims every trap. It is asked last.",
    scenario: probeAndLabels({ probe: greedyProbe() }),
    answer: "safe",
  },
  {
    question: "The same, but it is asked first.",
    scenario: probeAndLabels({ probe: greedyProbe(), probeFirst: true }),
    answer: "unsafe: emulation",
  },
  {
    question: "Under the mutex, but a label jumps to the second of the instructions that the probe replaces.",
    scenario: probeAndLabels({ target: INSIDE_THE_PROBE }),
    answer: "unsafe: old-or-new",
  },
];

for (const { question, scenario, answer } of questions) {
  console.log(question);
  // The weakest model that a manual allows, and the strongest that was measured.
  for (const fetch of ["intel", "coherent"]) {
    const verdict = await createSimulation({ architecture: x86({ fetch }) }).check(scenario);
    const unsafe = verdict.verdict === "unsafe";
    const got = unsafe ? `unsafe: ${verdict.property}` : verdict.verdict;
    console.log(`  ${fetch}: ${got}, ${verdict.states} states${unsafe ? `, ${verdict.trace.length} steps` : ""}`);
    if (unsafe) console.log(`    ${verdict.why}`);
    assert.equal(got, answer);
  }
}
