import { parentPort, workerData } from "node:worker_threads";
import { run } from "./cli.js";
import type { FromWorker, Given, ToWorker } from "./messages.js";

/*
 * The thread in which a command runs. The one that started it stays free for signals and limits, whatever goes on here.
 */

const given = workerData as Given;
const tell = (message: FromWorker): void => parentPort?.postMessage(message);

const interrupted = new AbortController();
let answered: (failed: Error | undefined) => void = () => {};
parentPort?.on("message", (message: ToWorker) => {
  if (message.is === "interrupt") interrupted.abort();
  else answered(message.failed);
});

const code = await run(given.argv, {
  out: (text) => tell({ is: "out", text }),
  err: (text) => tell({ is: "err", text }),
  written: () =>
    new Promise((resolve) => {
      answered = resolve;
      tell({ is: "written?" });
    }),
  limited: (seconds) => tell({ is: "limited", seconds }),
  writing: (path) => tell({ is: "writing", path }),
  color: given.color,
  terminal: given.terminal,
  cwd: process.cwd(),
  env: process.env,
  signal: interrupted.signal,
});
tell({ is: "left", code });
