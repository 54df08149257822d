// npm run bench [-- PART…]: spin, the explorer beside SPIN; litmus, litmus tests that grow beside herd7; image, modules of kernels beside
// objdump and xz; patch, timed patch calls that grow. All where none is named.
import { benchImage } from "./image.mjs";
import { benchInt3 } from "./int3.mjs";
import { benchLitmus } from "./litmus.mjs";
import { benchPatch } from "./patch.mjs";

/** @type {{ readonly [part: string]: () => Promise<void> }} */
const parts = { spin: benchInt3, litmus: benchLitmus, image: benchImage, patch: benchPatch };

const asked = process.argv.slice(2);
const unknown = asked.find((part) => !Object.hasOwn(parts, part));
if (unknown !== undefined) {
  process.stderr.write(`bench: there is no part ${unknown}; the parts are ${Object.keys(parts).join(", ")}.\n`);
  process.exitCode = 2;
} else {
  for (const [i, part] of (asked.length > 0 ? asked : Object.keys(parts)).entries()) {
    if (i > 0) console.log("");
    await parts[part]();
  }
}
