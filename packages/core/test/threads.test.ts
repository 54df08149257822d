import { describe, expect, it } from "vitest";
import { inThreads } from "../src/threads.js";

/** A thread that answers what it is sent with this expression of `task`. */
const thread = (expression: string): URL =>
  new URL(
    `data:text/javascript,${encodeURIComponent(
      `import { parentPort } from "node:worker_threads"; parentPort.on("message", (task) => parentPort.postMessage(${expression}));`,
    )}`,
  );

const tasks = Array.from({ length: 20 }, (_, i) => i);

describe("inThreads", () => {
  it.each([
    { threads: 2 },
    { threads: 1, here: (task: number) => task * 2 },
    { threads: 0, here: async (task: number) => task * 2 },
  ])("answers each task once: %o", async (how) => {
    const answers: (number | undefined)[] = tasks.map(() => undefined);
    let told = 0;
    await inThreads<number, number>(thread("task * 2"), tasks, {
      ...how,
      answered(task, answer) {
        answers[task] = answer;
        told++;
      },
    });
    expect([told, answers]).toEqual([tasks.length, tasks.map((task) => task * 2)]);
  });

  it("ends threads that are at something when the signal comes", async () => {
    const interrupted = new AbortController();
    const told: number[] = [];
    await inThreads<number, number>(thread("(() => { while (task > 0); return task; })()"), tasks, {
      threads: 2,
      signal: interrupted.signal,
      answered(task) {
        told.push(task);
        interrupted.abort();
      },
    });
    expect(told).toEqual([0]);
  });

  it("begins nothing more in this thread when the signal comes", async () => {
    const interrupted = new AbortController();
    const told: number[] = [];
    await inThreads<number, number>(thread("task"), tasks, {
      threads: 0,
      here: (task) => task,
      signal: interrupted.signal,
      answered(task) {
        told.push(task);
        if (task === 2) interrupted.abort();
      },
    });
    expect(told).toEqual([0, 1, 2]);
  });

  it.each([{ threads: 1 }, { threads: 0, here: (task: number) => task }])(
    "ends with what the listener throws: %o",
    async (how) => {
      const told: number[] = [];
      const run = inThreads<number, number>(thread("task"), tasks, {
        ...how,
        answered(task) {
          told.push(task);
          if (task === 3) throw new Error("enough");
        },
      });
      await expect(run).rejects.toThrow("enough");
      expect(told).toEqual([0, 1, 2, 3]);
    },
  );

  it("ends with what a thread throws", async () => {
    const run = inThreads<number, number>(thread("missing"), tasks, { threads: 1, answered: () => {} });
    await expect(run).rejects.toThrow("missing is not defined");
  });
});
