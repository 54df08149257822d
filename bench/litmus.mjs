// Litmus tests of instruction fetch that grow, beside herd7: in the same run where `herd7` is installed, else by its measured seconds.
import { runLitmus } from "@cmodx/litmus";
import { families, litmusText } from "./families.mjs";
import { herd7IsThere, LIMIT, measured, runHerd7 } from "./herd7.mjs";

/** The largest tests of the families in which herd7's time explodes: a quarter of its time, or of its limit, is enough. */
const enough = [
  { id: "C", size: 5, seconds: LIMIT / 4 },
  { id: "E", size: 8, seconds: measured.E[8] / 4 },
];

const row = (cells) => console.log(cells.map((cell, i) => String(cell).padStart(i === 0 ? 4 : 13)).join(""));
const digits = (value) => value.toFixed(value < 1 ? 3 : 1);

/** Prints the figures. */
export const benchLitmus = async () => {
  const peer = herd7IsThere();
  // So that the first rows do not pay for compilation.
  for (const { id } of enough) for (let i = 0; i < 3; i++) runLitmus(litmusText(id, 3), "warm.litmus");

  console.log("Litmus tests of instruction fetch, neither IDC nor DIC.\n");
  const misses = [];
  for (const [id, { grows, sizes }] of Object.entries(families)) {
    console.log(`${id}: ${grows}`);
    row(["", "states", "seconds", "herd7 s", "herd7/cmodx"]);
    for (const size of sizes) {
      const text = litmusText(id, size);
      const { explored, seconds } = runLitmus(text, `${id}${size}.litmus`);
      const theirs = peer ? runHerd7(text) : measured[id][size];
      const shown = Number.isFinite(theirs) ? [digits(theirs), ""] : [`>${LIMIT}`, ">"];
      row([size, explored, digits(seconds), shown[0], shown[1] + digits(Math.min(theirs, LIMIT) / seconds)]);
      const limit = enough.find((each) => each.id === id && each.size === size)?.seconds;
      if (limit !== undefined && seconds > limit)
        misses.push(`${id} at ${size}: ${digits(seconds)} s, not ${digits(limit)} s`);
    }
  }
  console.log(
    peer
      ? "\nherd7 ran in this run; its start is counted."
      : "\nherd7 is not installed here: its seconds were measured elsewhere, on tests of the same shapes (see herd7.mjs).",
  );
  console.log(`It enumerates candidate executions, so its times grow with the writers of a place and with how often an instruction is
fetched; cmodx visits states, which grow with CPUs and instructions that have nothing to do with each other.`);
  for (const miss of misses) console.log(`TOO SLOW: ${miss}.`);
  if (misses.length > 0) process.exitCode = 1;
};
