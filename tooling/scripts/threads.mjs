// Writes the page of every source thread, docs/threads/ID.md: npm run build && node tooling/scripts/threads.mjs
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Where the pages lie. */
export const folder = fileURLToPath(new URL("../../docs/threads", import.meta.url));

const answer = ({ expected, expectedProperty }) =>
  expectedProperty === null ? `*${expected}*` : `*${expected}*, breaks \`${expectedProperty}\``;

const claimPage = ({ id, by, says, status, questions, why }) => {
  const because = {
    asked: why,
    beyond: `**Not a question for this machine, because** ${why}`,
    unsaid: `**Not yet sayable:** ${why}`,
  }[status];
  const asked = questions.map((each) => `* \`cmodx ${each.command}\`: ${answer(each)}`).join("\n");
  return [`### ${id}`, `${says} *(${by})*`, asked, because].filter((part) => part !== "").join("\n\n");
};

/** The page of a thread, as `cmodx thread --json` has it. */
export const pageOf = ({ id, title, source, date, claims }) => {
  const number = (status) => claims.filter((claim) => claim.status === status).length;
  return `<!-- Written by tooling/scripts/threads.mjs. -->
# ${date.match(/\d{4}/)[0]}: ${title}

${source}, ${date}. The claims are told in our words. Of ${claims.length}, ${number("asked")} are settled by commands, ${number("beyond")} are no
question for this machine, and ${number("unsaid")} cannot be asked yet. \`cmodx thread ${id}\` runs the commands and says what the machine answers;
each has to answer what stands behind it here.

${claims.map(claimPage).join("\n\n")}
`;
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { run } = await import("../../packages/cli/dist/index.js");
  let out = "";
  await run(["thread", "--json"], {
    out: (text) => {
      out += text;
    },
    err: (text) => process.stderr.write(text),
    written: async () => undefined,
    color: false,
    terminal: false,
    cwd: folder,
    env: {},
    signal: new AbortController().signal,
  });
  mkdirSync(folder, { recursive: true });
  for (const thread of JSON.parse(out).threads) writeFileSync(`${folder}/${thread.id}.md`, pageOf(thread));
}
