import { Worker } from "node:worker_threads";

/* Work that is done in several threads at once: `@cmodx/core/threads`. */

/** How tasks are done in threads. */
export type InThreadsOptions<Task, Answer> = {
  /** How many threads there are beside this one, from 0. */
  readonly threads: number;
  /** Does a task in this thread, which then takes its part; without it this thread only waits, and hears of everything at once. */
  readonly here?: (task: Task) => Answer | Promise<Answer>;
  /** Ends the threads at once, whatever they are at; this one ends what it has begun. */
  readonly signal?: AbortSignal | undefined;
  /** Told of each answer, with the number of its task from 0, in the order in which they come. What it throws ends the threads. */
  readonly answered: (task: number, answer: Answer) => void;
};

/**
 * Does tasks in threads, each of which is sent one task after the other and answers each with one message. Who has answered takes the
 * next task, so that tasks are begun in their order.
 *
 * @param worker The module of a thread.
 * @throws What a thread, `here` or `answered` throws. The threads have ended then, as they have when it returns.
 */
export const inThreads = async <Task, Answer>(
  worker: URL,
  tasks: readonly Task[],
  { threads, here, signal, answered }: InThreadsOptions<Task, Answer>,
): Promise<void> => {
  let next = 0;
  let failed = false;
  const workers = Array.from({ length: threads }, () => new Worker(worker));
  const send = (thread: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      let current = -1;
      const give = (): void => {
        current = next++;
        if (current >= tasks.length || signal?.aborted) resolve();
        else thread.postMessage(tasks[current]);
      };
      thread.on("message", (answer: Answer) => {
        try {
          answered(current, answer);
          give();
        } catch (error) {
          reject(error);
        }
      });
      thread.once("error", reject);
      signal?.addEventListener("abort", () => resolve(), { once: true });
      give();
    });
  const work = async (task: NonNullable<typeof here>): Promise<void> => {
    for (;;) {
      // Signals and the answers of the others have their turn.
      await new Promise((resolve) => setImmediate(resolve));
      if (signal?.aborted || failed || next >= tasks.length) return;
      const current = next++;
      answered(current, await task(tasks[current] as Task));
    }
  };
  try {
    await Promise.all([...workers.map(send), ...(here ? [work(here)] : [])]);
  } finally {
    failed = true;
    await Promise.all(workers.map((thread) => thread.terminate()));
  }
};
