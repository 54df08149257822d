// A vitest that stays: runs the tests that its parent asks for, one mutant after another, and loads again only what each of them changes.
import { join } from "node:path";
import { createVitest } from "vitest/node";
import { readSources, root } from "./code.mjs";
import { mutate, readMutants } from "./list.mjs";

/** Without a reporter: the parent says what was found. */
const vitest = await createVitest("test", { watch: false, bail: 1, maxWorkers: 1, reporters: [{}] });
const sources = readSources();
const mutants = new Map(readMutants().map((entry) => [entry.id, entry]));

/** Matches the full name of a test; vitest joins the parts of one with " > " and matches them without. */
const exactly = (name) => new RegExp(`^${name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&").replaceAll(" > ", " (?:> )?")}$`);

/** Runs some test files, or one test of them, against a mutant or against the sources as they are. */
async function run({ id, tests, only }) {
  const changed = id === "" ? undefined : join(root, mutate(mutants.get(id), sources).file);
  process.env.CMODX_MUTANT = id;
  if (changed) vitest.invalidateFile(changed);
  if (only === undefined) vitest.resetGlobalTestNamePattern();
  else vitest.setGlobalTestNamePattern(exactly(only));
  const wanted = await vitest.getRelevantTestSpecifications(tests.map((path) => join(root, path)));
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(wanted);
  if (changed) vitest.invalidateFile(changed);

  const messagesOf = (errors) => errors.map(({ name, message }) => `${name}: ${message}`).join("\n");
  // What earlier runs found is listed too.
  const files = testModules.filter(({ moduleId }) => wanted.some((each) => each.moduleId === moduleId));
  const failed = files.flatMap((file) => [...file.children.allTests("failed")]);
  return {
    passed: files.flatMap((file) => [...file.children.allTests("passed")]).length,
    failed: failed.map((test) => ({ name: test.fullName, message: messagesOf(test.result().errors) })),
    broken: [...files.map((file) => messagesOf(file.errors())), messagesOf(unhandledErrors)].filter(Boolean),
  };
}

process.on("message", async (asked) => {
  try {
    process.send(await run(asked));
  } catch (error) {
    process.send({ passed: 0, failed: [], broken: [String(error)] });
  }
});
process.send("ready");
