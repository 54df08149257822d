// npm run bench: the explorer on the INT3 protocol, beside SPIN in the same run where `spin` and `gcc` are installed.
import { createSimulation } from "@cmodx/core";
import { int3, x86 } from "@cmodx/x86";
import { runSpin, spinIsThere } from "./spin.mjs";

/** Linux's INT3 protocol there and back under AMD's fetch model, which is the one that the SPIN model abstracts. */
const scenario = (executors) => ({
  name: `int3, ${executors} executors`,
  sites: [{ address: 0xffffffff8100003en, old: "nop5", new: "call" }],
  patchers: [{ strategy: int3(), sites: [0], flips: 2 }],
  cpus: executors + 1,
});

const check = async (executors, reduce) => {
  const verdict = await createSimulation({ architecture: x86({ fetch: "amd" }) }).check(scenario(executors), {
    reduce,
  });
  if (verdict.verdict !== "safe") throw new Error(`${executors} executors: ${verdict.verdict}`);
  return verdict;
};

const figure = (value, digits = 2) => (Number.isFinite(value) ? value.toFixed(digits) : "-");
const rate = ({ states, seconds }) => states / seconds / 1e6;
const row = (cells) => console.log(cells.map((cell, i) => String(cell).padStart(i === 0 ? 22 : 12)).join(""));

const peer = spinIsThere();
await check(2, false); // so that the first row does not pay for compilation
row(["", "executors", "states", "seconds", "M states/s", "to SPIN"]);
for (const executors of [2, 3, 4, 5]) {
  const spin = peer ? runSpin(executors) : undefined;
  if (spin !== undefined)
    row(["SPIN, exhaustive", executors, spin.states, figure(spin.seconds), figure(rate(spin)), ""]);
  const ratio = (ours) => (spin === undefined || spin.seconds < 0.1 ? "-" : `${figure(rate(ours) / rate(spin))} ×`);
  if (executors <= 3) {
    const full = await check(executors, false);
    row(["cmodx, every state", executors, full.states, figure(full.seconds), figure(rate(full)), ratio(full)]);
  }
  const reduced = await check(executors, true);
  row(["cmodx, reduced", executors, reduced.states, figure(reduced.seconds), figure(rate(reduced)), ratio(reduced)]);
  if (spin !== undefined && spin.seconds >= 0.1) {
    console.log(
      `time to the verdict: SPIN ${figure(spin.seconds)} s, cmodx ${figure(reduced.seconds)} s: ${figure(spin.seconds / reduced.seconds)} × faster`,
    );
  }
}
if (!peer) console.log("SPIN is left out: install Debian's spin and gcc to run it beside.");
console.log(
  "The models are not the same: cmodx executes real instructions, handlers and kernel services, so it has more states for as many\n" +
    "executors; SPIN's model sends its interrupts one at a time.",
);
