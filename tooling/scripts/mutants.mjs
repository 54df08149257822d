// Breaks the rules of the machine one at a time and expects a test to notice: npm run test:mutants [-- ID…]
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSources, root } from "../mutants/code.mjs";
import { mutate, problemsOf, readMutants } from "../mutants/list.mjs";

const parallel = 2;

const scratch = mkdtempSync(join(tmpdir(), "cmodx-mutants-"));
const running = new Set();
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143 })) {
  process.on(signal, () => {
    for (const child of running) stop(child);
    process.exit(code);
  });
}

function firstLine(text = "") {
  return text.trim().split("\n")[0];
}

/** Ends a vitest with its workers: a mutant that loops for ever gets round to no signal handler and no closed pipe. */
function stop(child) {
  try {
    process.kill(process.platform === "win32" ? child.pid : -child.pid, "SIGKILL");
  } catch {
    // It has just ended by itself.
  }
}

let runs = 0;

/** Runs vitest over some tests; resolves to its JSON report, or to what prevented one. */
function vitest(tests, { mutant = "", limit = 0, args = [] }) {
  const output = join(scratch, `${runs++}.json`);
  const command = ["node_modules/vitest/vitest.mjs", "run", "--reporter=json", `--outputFile=${output}`, ...args];
  const started = Date.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...command, ...tests], {
      cwd: root,
      env: { ...process.env, CMODX_MUTANT: mutant },
      stdio: ["ignore", "pipe", "pipe"],
      detached: process.platform !== "win32",
    });
    running.add(child);
    let log = "";
    child.stdout.on("data", (chunk) => (log += chunk));
    child.stderr.on("data", (chunk) => (log += chunk));
    let late = false;
    const stopLate = () => {
      late = true;
      stop(child);
    };
    const timer = limit > 0 ? setTimeout(stopLate, limit) : undefined;
    child.on("close", (code) => {
      clearTimeout(timer);
      running.delete(child);
      const report = !late && existsSync(output) ? JSON.parse(readFileSync(output, "utf8")) : undefined;
      resolve({ code, report, log, late, time: Date.now() - started });
    });
  });
}

// A test that failed because the mutant is no valid code, or ran out of time, tells nothing about the rule.
const notAnAssertion = /^(SyntaxError|ReferenceError|RolldownError|Error: mutant )|Transform failed|Test timed out in/m;

/** Reads a finished run: a test died, none did, or something else went wrong. */
function judge({ code, report, log, late, time }) {
  if (late) return { kind: "error", text: `stopped after ${Math.round(time / 1000)} s` };
  if (!report) return { kind: "error", text: `vitest exited ${code}: ${firstLine(log)}` };
  const files = report.testResults;
  const failed = files.flatMap((file) => file.assertionResults.filter((test) => test.status === "failed"));
  const died = failed.find((test) => !notAnAssertion.test(test.failureMessages.join("\n")));
  if (died) return { kind: "killed", text: died.fullName.trim() };
  if (failed.length > 0) return { kind: "error", text: firstLine(failed[0].failureMessages.join("\n")) };
  const broken = files.find((file) => file.status === "failed");
  if (broken) return { kind: "error", text: firstLine(broken.message) };
  if (report.numPassedTests === 0) return { kind: "error", text: "no tests ran" };
  if (code !== 0) return { kind: "error", text: `vitest exited ${code}: ${firstLine(log)}` };
  return { kind: "survived", text: "no test noticed" };
}

async function main() {
  const wanted = process.argv.slice(2);
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

  const tests = [...new Set(entries.flatMap(({ tests }) => tests))];
  const plain = await vitest(tests, {});
  const verdict = judge(plain);
  if (verdict.kind !== "survived") {
    console.log(`The tests fail without any mutant: ${verdict.text}`);
    console.log("0 passed, 1 failed");
    return 1;
  }
  const seconds = (plain.time / 1000).toFixed(1);
  console.log(`unmutated: ${plain.report.numPassedTests} tests pass in ${seconds} s; ${entries.length} mutants`);

  const limit = Math.max(120_000, 10 * plain.time);
  const sources = readSources();
  const queue = [...entries];
  let passed = 0;
  const worker = async () => {
    for (let entry = queue.shift(); entry; entry = queue.shift()) {
      const args = ["--bail=1", "--maxWorkers=1"];
      const { kind, text } = judge(await vitest(entry.tests, { mutant: entry.id, limit, args }));
      if (kind === "killed") passed++;
      const mark = { killed: "", survived: "SURVIVED: ", error: "ERROR: " }[kind];
      console.log(`${entry.id} → ${mutate(entry, sources).file}: ${mark}${text}`);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  console.log(`${passed} passed, ${entries.length - passed} failed`);
  return passed === entries.length ? 0 : 1;
}

process.exitCode = await main();
