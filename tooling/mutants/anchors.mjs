// Whether each mutant fits the sources as they are, found without running a test: node tooling/mutants/anchors.mjs [--write]
import { problemsOf, readMutants, writeNames } from "./list.mjs";

const mutants = readMutants();
const problems = problemsOf(mutants);
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`${mutants.length - problems.length} of ${mutants.length} mutants fit\n`);
if (problems.length === 0 && process.argv.includes("--write")) writeNames(mutants);
process.exitCode = problems.length === 0 ? 0 : 1;
