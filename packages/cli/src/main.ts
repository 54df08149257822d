import { run } from "./cli.js";
import { wantsColor } from "./io.js";

const { stdout, stderr, env } = process;

// Whoever reads our output may stop reading: that is no error (`cmodx list | head -1`).
for (const stream of [stdout, stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
}

// The first SIGINT ends the run in good order; the second one, with no handler left, at once.
const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort());

process.exitCode = await run(process.argv.slice(2), {
  out: (text) => void stdout.write(text),
  err: (text) => void stderr.write(text),
  color: wantsColor(env, stdout),
  terminal: stderr.isTTY === true,
  cwd: process.cwd(),
  env,
  signal: interrupted.signal,
});
