// Breaks the rules of the machine one at a time and expects a test to notice: npm run test:mutants [-- [--tested] [--write] ID…]
// --tested: all tests passed a moment ago without any mutant, so that they are not run once more. --write: which tests noticed is noted.
import { fork } from "node:child_process";
import { join } from "node:path";
import { readSources, root } from "../mutants/code.mjs";
import { mutate, problemsOf, readMutants, writeDeaths } from "../mutants/list.mjs";

const PARALLEL = 2;

const running = new Set();
for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143 })) {
  process.on(signal, () => {
    for (const child of running) stop(child);
    process.exit(code);
  });
}

/** Ends a vitest with its workers: a mutant that loops for ever gets round to no signal handler and no closed pipe. */
function stop(child) {
  running.delete(child);
  try {
    process.kill(process.platform === "win32" ? child.pid : -child.pid, "SIGKILL");
  } catch {
    // It has just ended by itself.
  }
}

/** The next message of a process; where it ends or takes too long instead, what happened. */
function answerOf(child, limit) {
  return new Promise((resolve) => {
    const end = (broken) => resolve({ passed: 0, failed: [], broken: [broken] });
    const timer = limit > 0 ? setTimeout(() => end(`stopped after ${Math.round(limit / 1000)} s`), limit) : undefined;
    child.once("exit", (code, signal) => end(`vitest ended: ${signal ?? code}`));
    child.once("message", (answer) => {
      clearTimeout(timer);
      child.removeAllListeners("exit");
      resolve(answer);
    });
  });
}

/** Runs tests in a vitest that stays, or in a new one where the last was stopped. */
class Session {
  #child;

  async run(tests, { id = "", only, limit = 0 } = {}) {
    if (this.#child === undefined) {
      const detached = process.platform !== "win32";
      this.#child = fork(join(root, "tooling/mutants/session.mjs"), { cwd: root, detached, silent: true });
      running.add(this.#child);
      // Nobody reads what tests print; a pipe that is full would stop them.
      this.#child.stdout.resume();
      this.#child.stderr.resume();
      const ready = await answerOf(this.#child, 0);
      if (ready !== "ready") return this.#stopped(ready);
    }
    this.#child.send({ id, tests, only });
    const answer = await answerOf(this.#child, limit);
    return answer.broken.length > 0 ? this.#stopped(answer) : answer;
  }

  end() {
    if (this.#child !== undefined) stop(this.#child);
    this.#child = undefined;
  }

  /** What broke a run may break the next one. */
  #stopped(answer) {
    this.end();
    return answer;
  }
}

// A test that failed because the mutant is no valid code, or ran out of time, tells nothing about the rule.
const notAnAssertion = /^(SyntaxError|ReferenceError|RolldownError|Error: mutant )|Transform failed|Test timed out in/m;

/** Reads a finished run: a test died, none did, or something else went wrong. */
function judge({ passed, failed, broken }) {
  const died = failed.find(({ message }) => !notAnAssertion.test(message));
  if (died) return { kind: "killed", text: died.name };
  const problem = failed[0]?.message ?? broken[0];
  if (problem !== undefined) return { kind: "error", text: problem.trim().split("\n")[0] };
  return passed === 0 ? { kind: "error", text: "no tests ran" } : { kind: "survived", text: "no test noticed" };
}

/** Runs all tests of some mutants against the sources as they are; the files are dealt out to the sessions. */
async function runPlain(entries, sessions) {
  const tests = [...new Set(entries.flatMap(({ tests }) => tests))].sort();
  const dealt = sessions.map((_, i) => tests.filter((_, at) => at % sessions.length === i));
  const answers = await Promise.all(
    sessions.map((session, i) =>
      dealt[i].length === 0 ? { passed: 0, failed: [], broken: [] } : session.run(dealt[i]),
    ),
  );
  return {
    passed: answers.reduce((sum, { passed }) => sum + passed, 0),
    failed: answers.flatMap(({ failed }) => failed),
    broken: answers.flatMap(({ broken }) => broken),
  };
}

/** The test that noticed last time is tried alone; all tests of the mutant where it is gone or no longer notices. */
async function judgeMutant(session, { id, tests, dies }, limit) {
  if (dies !== undefined) {
    const verdict = judge(await session.run(tests, { id, only: dies, limit }));
    if (verdict.kind === "killed") return verdict;
  }
  return judge(await session.run(tests, { id, limit }));
}

async function main(sessions) {
  const wanted = process.argv.slice(2).filter((word) => word !== "--write" && word !== "--tested");
  const writes = process.argv.includes("--write");
  const tested = process.argv.includes("--tested");
  const all = readMutants();
  const unknown = wanted.filter((id) => !all.some((entry) => entry.id === id || entry.rule === id));
  const entries = all.filter(
    (entry) => wanted.length === 0 || wanted.includes(entry.id) || wanted.includes(entry.rule),
  );

  const problems = problemsOf(entries);
  problems.push(...unknown.map((id) => `mutant ${id}: not in tooling/mutants/mutants.json`));
  if (problems.length > 0) {
    console.log(problems.join("\n"));
    console.log(`0 passed, ${problems.length} failed`);
    return 1;
  }
  if (entries.length === 0) {
    console.log("0 passed, 0 failed");
    return 0;
  }

  const started = Date.now();
  if (!tested) {
    const plain = await runPlain(entries, sessions);
    const verdict = judge(plain);
    if (verdict.kind !== "survived") {
      console.log(`The tests fail without any mutant: ${verdict.text}`);
      console.log("0 passed, 1 failed");
      return 1;
    }
    console.log(`unmutated: ${plain.passed} tests pass in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  }
  console.log(`${entries.length} mutants`);

  const limit = Math.max(1_200_000, 10 * (Date.now() - started));
  const sources = readSources();
  const queue = [...entries];
  let passed = 0;
  const work = async (session) => {
    for (let entry = queue.shift(); entry; entry = queue.shift()) {
      const began = Date.now();
      const { kind, text } = await judgeMutant(session, entry, limit);
      const seconds = ((Date.now() - began) / 1000).toFixed(1);
      if (kind === "killed") {
        passed++;
        entry.dies = text;
        if (writes) writeDeaths(all);
      }
      const mark = { killed: "", survived: "SURVIVED: ", error: "ERROR: " }[kind];
      console.log(`${entry.id} → ${mutate(entry, sources).file}: ${mark}${text} (${seconds} s)`);
    }
  };
  await Promise.all(sessions.map(work));
  console.log(`${passed} passed, ${entries.length - passed} failed`);
  return passed === entries.length ? 0 : 1;
}

const sessions = Array.from({ length: PARALLEL }, () => new Session());
process.exitCode = await main(sessions);
for (const session of sessions) session.end();
