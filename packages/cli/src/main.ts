import { rmSync } from "node:fs";
import { totalmem } from "node:os";
import { Worker } from "node:worker_threads";
import { exit, printable, wantsColor } from "./io.js";
import type { FromWorker, Given, ToWorker } from "./messages.js";

/*
 * The command runs in a thread of its own: this one is never busy, so that signals and limits of time hold while the other plans,
 * explores, or runs a plugin's code without a break.
 */

const { stdout, stderr, env } = process;

/** How long a command may take to end in good order, in milliseconds, when it is interrupted, and when its time is over. */
const [GRACE, GRACE_OF_TIME] = [900, 3000];
/** The heap of the thread may grow to this part of the machine's memory: more than `--max-memory` is by default. */
const HEAP = 0.75;
const MEGABYTE = 2 ** 20;

/** Writes to a stream, and remembers why that failed first. */
const writer = (stream: NodeJS.WriteStream) => {
  let failed: NodeJS.ErrnoException | undefined;
  let last: Promise<void> = Promise.resolve();
  const fail = (error?: Error | null): void => {
    failed ??= error ?? undefined;
  };
  stream.on("error", fail);
  return {
    write(text: string): void {
      last = new Promise((resolve) => {
        stream.write(text, (error) => {
          fail(error);
          resolve();
        });
      });
    },
    /** When all is written: why some of it could not be. That the reader has gone is no failure. */
    async written(): Promise<Error | undefined> {
      await last;
      return failed?.code === "EPIPE" ? undefined : failed;
    },
  };
};

const out = writer(stdout);
const err = writer(stderr);

const argv = process.argv.slice(2);
const given: Given = { argv, color: wantsColor(env, stdout), terminal: stderr.isTTY === true };
const worker = new Worker(new URL("./worker.js", import.meta.url), {
  workerData: given,
  resourceLimits: { maxOldGenerationSizeMb: Math.floor((HEAP * totalmem()) / MEGABYTE) },
});
const tell = (message: ToWorker): void => worker.postMessage(message);

let isOver = false;

const unfinished = new Set<string>();

/** Takes away what did not get its name: nothing half written stays. */
const tidy = (): void => {
  for (const path of unfinished) rmSync(path, { recursive: true, force: true });
};

/** Ends the run with what is written already. */
const leave = async (code: number): Promise<void> => {
  if (isOver) return;
  isOver = true;
  await Promise.all([out.written(), err.written()]);
  await worker.terminate();
  tidy();
  process.exit(code);
};

/** Ends a run that has no answer, with a sentence. */
const giveUp = (message: string, code: number): void => {
  if (isOver) return;
  const document = { schema: "cmodx/error/1", code: null, message, file: null, place: null };
  if (argv.includes("--json")) out.write(`${JSON.stringify(document, null, 2)}\n`);
  else err.write(`${given.terminal ? "\r\x1b[K" : ""}cmodx: ${printable(message)}\n`);
  void leave(code);
};

worker.on("message", async (message: FromWorker) => {
  switch (message.is) {
    case "out":
      return out.write(message.text);
    case "err":
      return err.write(message.text);
    case "written?":
      return tell({ is: "written", failed: await out.written() });
    case "limited": {
      const { seconds } = message;
      const sentence = `The limit of ${seconds} seconds was reached before there was an answer.`;
      // A timer cannot be set for longer than 2^31 milliseconds.
      const timer = setTimeout(
        () => giveUp(sentence, exit.inconclusive),
        Math.min(seconds * 1000 + GRACE_OF_TIME, 2 ** 31 - 1),
      );
      return void timer.unref();
    }
    case "writing":
      return void unfinished.add(message.path);
    case "left":
      return leave(message.code);
  }
});

// What is thrown where nobody waits for it, as a plugin may, must not end in an exit code that means something else.
worker.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "ERR_WORKER_OUT_OF_MEMORY")
    giveUp("There was not enough memory for an answer; --max-memory ends a run before.", exit.inconclusive);
  else
    giveUp(`Something failed outside the run, in a plugin or a module: ${error?.message ?? String(error)}`, exit.input);
});
worker.on("exit", () => giveUp("A plugin or a module ended the run.", exit.input));

// The first SIGINT ends the run in good order if it can, the second one at once, by the signal's own way.
process.once("SIGINT", () => {
  process.once("SIGINT", async () => {
    isOver = true;
    await worker.terminate();
    tidy();
    process.kill(process.pid, "SIGINT");
  });
  tell({ is: "interrupt" });
  setTimeout(() => giveUp("The run was interrupted before there was an answer.", exit.inconclusive), GRACE);
});
