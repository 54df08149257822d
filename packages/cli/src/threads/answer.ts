import { Command } from "commander";
import { addCheck } from "../commands/check.js";
import { addGallery } from "../commands/gallery.js";
import { addPatch } from "../commands/patch.js";
import { isInputError } from "../errors.js";
import type { Io } from "../io.js";
import type { CheckJson, GalleryJson, PatchJson, QuestionJson } from "../json.js";
import type { Question } from "./claim.js";

type Answer = Pick<QuestionJson, "verdict" | "property" | "why">;

/** The words of a command as a shell divides them; what stands between single quotes is one. */
const wordsOf = (command: string): readonly string[] =>
  [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain = ""]) => quoted ?? plain);

/** What is known of a question that was not asked. */
export const notAsked = ({ command, verdict, property }: Question): QuestionJson => ({
  command,
  expected: verdict,
  expectedProperty: property ?? null,
  verdict: null,
  property: null,
  why: null,
  status: "not asked",
});

/** Runs the command of a question in this process. `more`: options that bound it. */
export const answerOf = async (question: Question, more: readonly string[], io: Io): Promise<QuestionJson> => {
  const answer = await ask(question.command, more, io);
  const expected = answer.verdict === question.verdict && answer.property === (question.property ?? null);
  const status = expected ? "as expected" : answer.verdict === "inconclusive" ? "undecided" : "not as expected";
  return { ...notAsked(question), ...answer, status };
};

const ask = async (command: string, more: readonly string[], io: Io): Promise<Answer> => {
  const words = wordsOf(command);
  const repair = words[0] === "check" ? ["--no-repair"] : [];
  let out = "";
  const captured: Io = {
    ...io,
    out: (text) => {
      out += text;
    },
    err: () => {},
    color: false,
    terminal: false,
  };
  const program = new Command("cmodx").exitOverride().configureOutput({ outputError: () => {} });
  for (const add of [addCheck, addGallery, addPatch]) add(program, captured, () => {});
  try {
    await program.parseAsync([...words, ...repair, ...more, "--json"], { from: "user" });
  } catch (error) {
    if (isInputError(error)) return { verdict: "refused", property: null, why: error.message };
    throw error;
  }
  return read(JSON.parse(out) as CheckJson | GalleryJson | PatchJson);
};

const read = (document: CheckJson | GalleryJson | PatchJson): Answer => {
  if (document.schema === "cmodx/check/1") {
    const { verdict, property, why } = document;
    return { verdict, property, why };
  }
  if (document.schema === "cmodx/patch/1") {
    const done = !document.interrupted && document.runs.every((run) => run.complete);
    return { verdict: done ? "complete" : "inconclusive", property: null, why: null };
  }
  const [entry] = document.entries;
  if (entry === undefined || entry.status === "undecided")
    return { verdict: "inconclusive", property: null, why: null };
  // A bug whose fix is not safe settles nothing.
  const verdict = entry.fixed === "safe" ? entry.wrong : entry.fixed;
  return { verdict, property: entry.property, why: entry.why };
};
