import { parentPort } from "node:worker_threads";
import { answerTo, type LitmusTask } from "./run-all.js";

// One thread of `runAll`: it answers each file that it is sent.
parentPort?.on("message", (task: LitmusTask) => parentPort?.postMessage(answerTo(task)));
