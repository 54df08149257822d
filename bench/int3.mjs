// The explorer on the INT3 protocol, beside SPIN in the same run where `spin` and `gcc` are installed.
import { createSimulation } from "@cmodx/core";
import { int3, x86 } from "@cmodx/x86";
import { runSpin, spinIsThere } from "./spin.mjs";

/**
 * Linux's INT3 protocol there and back under AMD's fetch model, which is the one that the SPIN model abstracts: one site of two
 * cells. Like SPIN's run it asks for safety alone.
 */
const scenario = (executors) => ({
  name: `int3, ${executors} executors`,
  sites: [{ address: 0xffffffff8100003en, old: "nop5", new: "call" }],
  patchers: [{ strategy: int3(), sites: [0], flips: 2 }],
  cpus: executors + 1,
  ignore: ["progress"],
});

const check = (executors, reduce, bounds = {}) =>
  createSimulation({ architecture: x86({ fetch: "amd" }) }).check(scenario(executors), { reduce, bounds });

const safe = async (executors, reduce) => {
  const verdict = await check(executors, reduce);
  if (verdict.verdict !== "safe") throw new Error(`${executors} executors: ${verdict.verdict}`);
  return verdict;
};

/** The middle one of five runs: what takes hundredths of a second is easily disturbed. */
const middle = async (executors) => {
  const verdicts = [];
  for (let run = 0; run < 5; run++) verdicts.push(await safe(executors, true));
  return verdicts.sort((a, b) => a.seconds - b.seconds)[2];
};

const modes = [
  ["every state", false],
  ["symmetry", { symmetry: true }],
  ["urgent steps", { urgent: true }],
  ["symmetry, urgent steps", { symmetry: true, urgent: true }],
];

/** The modes in which as many executors take seconds, not minutes. */
const feasible = (executors) => {
  if (executors <= 3) return modes;
  return executors === 4 ? modes.slice(1) : modes.slice(3);
};

const RAW_STATES = 1_700_000;

const figure = (value, digits = 2) => (Number.isFinite(value) ? value.toFixed(digits) : "-");
const rate = ({ states, seconds }) => states / seconds / 1e6;
const row = (cells) => console.log(cells.map((cell, i) => String(cell).padStart(i === 0 ? 30 : 13)).join(""));
const line = (name, executors, { states, seconds, bytes }) =>
  row([
    name,
    executors,
    states,
    figure(seconds, 3),
    figure(states / seconds / 1e6),
    bytes === undefined ? "" : figure(bytes / states, 0),
  ]);

/** Prints the figures. */
export const benchInt3 = async () => {
  const peer = spinIsThere();
  // So that the first rows do not pay for compilation.
  await check(4, false, { states: 200_000 });
  await middle(5);

  console.log("Safety of the INT3 protocol, there and back, at a site of two cells.\n");
  row(["", "executors", "states", "seconds", "M states/s", "bytes/state"]);
  for (const executors of [2, 3, 4, 5]) {
    const spin = peer ? runSpin(executors) : undefined;
    if (spin !== undefined) line("SPIN, exhaustive", executors, spin);
    for (const [name, reduce] of feasible(executors)) line(`cmodx, ${name}`, executors, await safe(executors, reduce));
    const reduced = await middle(executors);
    line("cmodx, all reductions", executors, reduced);
    if (spin !== undefined && spin.seconds >= 0.1) {
      const ratio = figure(spin.seconds / reduced.seconds, 0);
      console.log(`  time to the verdict with all reductions: ${ratio} times shorter than SPIN's`);
    }
    if (executors !== 5) continue;
    const raw = await check(executors, false, { states: RAW_STATES });
    line("cmodx, its first states", executors, raw);
    if (spin !== undefined)
      console.log(`  states a second without reductions, to SPIN's: ${figure(rate(raw) / rate(spin))}`);
  }
  for (const executors of [8, 16, 32]) line("cmodx, all reductions", executors, await middle(executors));

  if (!peer) console.log("\nSPIN is left out: install Debian's spin and gcc to run it beside.");
  console.log(`
"its first states" stops after ${RAW_STATES} states: without reductions cmodx has far more than SPIN for as many executors. Its
executors run real instructions, are trapped and interrupted step by step, and its handler, locks and interrupts are those of the
kernel, where SPIN's model has one step for each; SPIN's sends its interrupts one at a time, cmodx sends one to all.
"all reductions" are symmetry, urgent steps and stubborn sets; of five runs the middle one is shown.
Not counted: the start of processes, SPIN's generator and gcc. "progress" is left out, as SPIN's run leaves out liveness; it needs
the whole graph, which is explored without stubborn sets.`);
};
