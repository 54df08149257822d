import { expect, test } from "vitest";
import type { ClaimJson, QuestionJson } from "../src/json.js";
import { json } from "./harness.js";

test.each(["2008", "2010", "2012", "2019", "2024"])("every answer of cmodx thread %s is as expected", async (id) => {
  const { code, document } = await json(`thread ${id}`);
  const questions = document.threads[0].claims.flatMap((claim: ClaimJson) => claim.questions) as QuestionJson[];
  expect(questions.filter(({ status }) => status !== "as expected")).toEqual([]);
  expect(code).toBe(0);
});
