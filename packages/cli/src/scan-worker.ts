import { parentPort } from "node:worker_threads";
import { type ScanTask, scanFile } from "./scan-file.js";

// One thread of `scanFiles`: it answers each file that it is sent.
parentPort?.on("message", async (task: ScanTask) => parentPort?.postMessage(await scanFile(task)));
