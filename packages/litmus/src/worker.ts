import { parentPort } from "node:worker_threads";
import { answersTo, type LitmusTask } from "./run-all.js";

// One thread of `runAll`: it gives the answers to each file that it is sent.
parentPort?.on("message", (task: LitmusTask) => parentPort?.postMessage(answersTo(task)));
