import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pageOf } from "../../../tooling/scripts/threads.mjs";
import type { ThreadEntryJson } from "../src/json.js";
import { answerOf, notAsked } from "../src/threads/answer.js";
import { safe, unsafe } from "../src/threads/claim.js";
import { cmodx, json, root } from "./harness.js";
import { wrongWith } from "./json-schema.js";

/** The claims of each thread: none is left out. */
const CLAIMS = { 2008: 45, 2010: 16, 2012: 15, 2019: 19, 2024: 28 };

const listing = async (): Promise<readonly ThreadEntryJson[]> => (await json("thread")).document.threads;

describe("cmodx thread", () => {
  test("has every claim of every thread, in order, each with commands or a reason", async () => {
    const threads = await listing();
    expect(Object.fromEntries(threads.map(({ id, claims }) => [id, claims.length]))).toEqual(CLAIMS);
    for (const { id, claims } of threads) {
      expect(claims.map((claim) => claim.id)).toEqual(claims.map((_, i) => `T${id.slice(2)}-${i + 1}`));
      for (const { status, questions, why } of claims) {
        expect(questions.length > 0).toBe(status === "asked");
        if (status !== "asked") expect(why).not.toBe("");
      }
    }
    expect((await cmodx("thread")).out).toMatch(/\n2008 +45 /);
  });

  test("the pages in docs/threads are those of the claims: `node tooling/scripts/threads.mjs` writes them after a build", async () => {
    const folder = join(root, "docs/threads");
    const threads = await listing();
    expect(readdirSync(folder).sort()).toEqual(threads.map(({ id }) => `${id}.md`));
    for (const thread of threads)
      expect(readFileSync(join(folder, `${thread.id}.md`), "utf8"), thread.id).toBe(pageOf(thread));
    const pages = threads.map(pageOf).join("");
    for (const word of ["AH33", "rrata 49 and 54", "MCE", "SMI", "notrace", "cmpxchg"]) expect(pages).toContain(word);
  });

  test("--list runs nothing, and bad names are refused", async () => {
    const { code, document } = await json("thread 2010 --list");
    expect(code).toBe(0);
    expect(wrongWith(document)).toEqual([]);
    expect(document.threads[0].claims[0].questions[0]).toMatchObject({ verdict: null, status: "not asked" });
    const told = (await cmodx("thread 2012 --list")).out.replace(/\s+/g, " ");
    expect(told).toContain("Not yet not yet sayable: there is no client for tracepoints");
    expect(told).toContain("not a question for this machine, because it is about how a compiler");
    expect(await cmodx("thread 2011")).toEqual({
      code: 2,
      out: "",
      err: "cmodx: There is no thread 2011; there are 2008, 2010, 2012, 2019 and 2024.\n",
    });
  });

  test("an interrupted run says so", async () => {
    const { code, document } = await json("thread 2012", { signal: AbortSignal.abort() });
    expect(code).toBe(3);
    expect(document.interrupted).toBe(true);
    expect((await cmodx("thread 2012", { signal: AbortSignal.abort() })).code).toBe(3);
  });

  test("goes through the smallest thread", async () => {
    const { code, document } = await json("thread 2012");
    expect(code).toBe(0);
    expect(wrongWith(document)).toEqual([]);
    const [{ claims }] = document.threads;
    expect(claims[3].questions[0]).toMatchObject({
      verdict: "unsafe",
      property: "old-or-new",
      status: "as expected",
    });
  });
});

test("an answer that is not expected is no success, whichever half of it differs", async () => {
  const io = {
    out: () => {},
    err: () => {},
    written: async () => undefined,
    color: false,
    terminal: false,
    cwd: root,
    env: {},
    signal: new AbortController().signal,
  };
  const command = "check --arch armv7 --strategy nosync --site nop.w:b.w --fetch t32 --cpus 2";
  expect((await answerOf(unsafe(command, "old-or-new"), [], io)).status).toBe("as expected");
  expect((await answerOf(unsafe(command, "rule"), [], io)).status).toBe("not as expected");
  expect((await answerOf(safe(command), [], io)).status).toBe("not as expected");
  expect((await answerOf(unsafe(command, "old-or-new"), ["--max-states", "1"], io)).status).toBe("undecided");
  expect(notAsked(safe(command))).toMatchObject({ expected: "safe", expectedProperty: null, verdict: null });
});
