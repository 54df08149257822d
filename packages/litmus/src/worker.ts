import { parentPort } from "node:worker_threads";
import { answerTo, type LitmusFile } from "./run-all.js";

// One thread of `runAll`: it answers each file that it is sent.
parentPort?.on("message", (file: LitmusFile) => parentPort?.postMessage(answerTo(file)));
