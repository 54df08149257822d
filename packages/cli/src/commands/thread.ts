import { InputError, listed } from "@cmodx/core";
import type { Command } from "commander";
import { breathe, type Colors, colors, type Exit, exit, type Io, type Leave, progressLine } from "../io.js";
import { type ClaimJson, type QuestionJson, type ThreadEntryJson, type ThreadJson, toJson } from "../json.js";
import { type Budget, budgetOf, cutShort, type LimitOptions } from "../limits.js";
import { option, options } from "../options.js";
import { columns, entry, prose } from "../text.js";
import { answerOf, notAsked } from "../threads/answer.js";
import type { Claim, Thread } from "../threads/claim.js";
import { threads } from "../threads/threads.js";

type ThreadOptions = Pick<LimitOptions, "timeout"> & { readonly list?: boolean; readonly json?: boolean };

const HELP = `
Each thread is a public dispute about changing code that runs. Every claim in it is told in our words, with the commands of cmodx that settle
it and the answer that they have to give; or with the reason why it is no question for this machine, or what is missing to ask it. Without an
ID the threads are listed. The same is in docs/threads.

Exit codes: 0 every answer as expected, 1 one is not, 2 wrong usage or input, 3 interrupted.

  $ cmodx thread
  $ cmodx thread 2008
  $ cmodx thread 2012 --list`;

/** `cmodx thread`: what is claimed in the source threads, and what the machine says to it. */
export const addThread = (program: Command, io: Io, leave: Leave): void => {
  program
    .command("thread")
    .summary("settle what public threads dispute, claim by claim")
    .argument("[id]", `thread to go through: ${listed(threads.map(({ id }) => id))}`)
    .addOption(option("--list", "list the claims and their commands without running them"))
    .addOption(options.timeout)
    .addOption(options.json)
    .addHelpText("after", `\n${prose(HELP)}\n`)
    .action(async (id: string | undefined, asked: ThreadOptions) => {
      const budget = budgetOf(asked, io);
      const paint = colors(io.color);
      if (id === undefined) {
        const document: ThreadJson = { schema: "cmodx/thread/1", threads: threads.map(untouched), interrupted: false };
        io.out(asked.json ? toJson(document) : overview(document.threads, paint));
        return;
      }
      const thread = threads.find((each) => each.id === id);
      if (thread === undefined) {
        throw new InputError(`There is no thread ${id}; there are ${listed(threads.map((each) => each.id))}.`, {
          place: "id",
          code: "unknown-name",
        });
      }
      const told = asked.list ? untouched(thread) : await goThrough(thread, budget, io);
      const interrupted = !asked.list && questionsOf(told).some(({ status }) => status === "not asked");
      const document: ThreadJson = { schema: "cmodx/thread/1", threads: [told], interrupted };
      io.out(asked.json ? toJson(document) : textOf(told, paint));
      const code = codeOf(questionsOf(told), interrupted);
      leave(code, code === exit.unsafe ? "not as expected" : undefined);
    });
};

const questionsOf = ({ claims }: ThreadEntryJson): readonly QuestionJson[] =>
  claims.flatMap(({ questions }) => questions);

const codeOf = (questions: readonly QuestionJson[], interrupted: boolean): Exit => {
  if (questions.some(({ status }) => status === "not as expected")) return exit.unsafe;
  return interrupted || questions.some(({ status }) => status === "undecided") ? exit.inconclusive : exit.complete;
};

const untouched = ({ claims, ...thread }: Thread): ThreadEntryJson => ({
  ...thread,
  claims: claims.map((claim) => ({ ...claim, questions: claim.questions.map(notAsked) })),
});

/** Asks everything; a command that several claims have is run once. */
const goThrough = async ({ claims, ...thread }: Thread, budget: Budget, io: Io): Promise<ThreadEntryJson> => {
  const progress = progressLine(io);
  const known = new Map<string, QuestionJson>();
  const settle = async (claim: Claim): Promise<ClaimJson> => {
    const questions: QuestionJson[] = [];
    for (const question of claim.questions) {
      await breathe();
      const key = JSON.stringify(question);
      progress.show(`${claim.id}: ${question.command}`);
      if (!known.has(key) && cutShort(budget, io) === undefined)
        known.set(key, await answerOf(question, limitsLeft(budget), io));
      questions.push(known.get(key) ?? notAsked(question));
    }
    return { ...claim, questions };
  };
  try {
    const settled: ClaimJson[] = [];
    for (const claim of claims) settled.push(await settle(claim));
    return { ...thread, claims: settled };
  } finally {
    progress.clear();
  }
};

const limitsLeft = (budget: Budget): readonly string[] => {
  const { milliseconds } = budget.left();
  return milliseconds === undefined ? [] : ["--timeout", (Math.max(1, milliseconds) / 1000).toFixed(3)];
};

const overview = (all: readonly ThreadEntryJson[], paint: Colors): string => {
  const rows = all.map(({ id, title, claims }) => {
    const number = (status: Claim["status"]): string =>
      String(claims.filter((claim) => claim.status === status).length);
    return [id, String(claims.length), number("asked"), number("beyond"), number("unsaid"), title];
  });
  const [head = "", ...lines] = columns([["id", "claims", "settled", "beyond", "not yet", "thread"], ...rows]);
  const legend =
    "settled: by commands; beyond: no question for this machine; not yet: a word is missing with which it could be asked. `cmodx thread ID` goes through one.";
  return `${[paint.bold(head), ...lines, "", prose(legend)].join("\n")}\n`;
};

const textOf = (thread: ThreadEntryJson, paint: Colors): string => {
  const questions = questionsOf(thread);
  const number = (status: QuestionJson["status"]): number => questions.filter((each) => each.status === status).length;
  const met =
    number("not asked") === questions.length
      ? ""
      : `${number("as expected")} of ${questions.length} answers are as expected${number("not asked") > 0 ? "; interrupted: not all were asked" : ""}.\n`;
  return `${paint.bold(`${thread.id}  ${thread.title}`)}\n${thread.source}, ${thread.date}\n\n${thread.claims
    .map((claim) => claimText(claim, paint))
    .join("\n\n")}\n${met === "" ? "" : `\n${met}`}`;
};

const TITLES = { asked: "Why", beyond: "Not asked", unsaid: "Not yet" } as const;

const claimText = ({ id, by, says, status, questions, why }: ClaimJson, paint: Colors): string =>
  [
    paint.bold(entry(id, says)),
    entry("By", by),
    ...questions.flatMap((question) => [
      `${" ".repeat(12)}$ cmodx ${question.command}`,
      entry("", answerText(question, paint)),
    ]),
    ...(why === ""
      ? []
      : [
          entry(
            TITLES[status],
            status === "unsaid"
              ? `not yet sayable: ${why}`
              : status === "beyond"
                ? `not a question for this machine, because ${why}`
                : why,
          ),
        ]),
  ].join("\n");

const answerText = (
  { expected, expectedProperty, verdict, property, why, status }: QuestionJson,
  paint: Colors,
): string => {
  const said = (word: string, broken: string | null): string =>
    `${word.toUpperCase()}${broken === null ? "" : ` ${broken}`}`;
  if (verdict === null) return `expected: ${said(expected, expectedProperty)}`;
  const answer = `${said(verdict, property)}${why === null ? "" : `: ${why}`}`;
  return status === "as expected" ? answer : paint.red(`${answer} — expected: ${said(expected, expectedProperty)}`);
};
