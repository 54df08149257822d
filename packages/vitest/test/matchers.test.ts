import "@cmodx/vitest/setup";
import { store, syncCores } from "@cmodx/core";
import { answerOf, brokenBy, harness } from "@cmodx/vitest";
import { describe, expect, it } from "vitest";
import { toy } from "../../core/test/toy/architecture.js";
import { AT, first, scenario, site, strategy } from "../../core/test/toy/scenario.js";

const patching = strategy((flip) => [store("write", AT, first(flip).next), syncCores("sync")]);
const one = scenario(patching, { sites: [site("nop", "ret")] });
const dropped = scenario(patching, { sites: [site("nop", "ret")], patcher: { drop: ["sync"] } });

describe("matchers", () => {
  it("ask whether a scenario is safe, and what it breaks", async () => {
    await expect({ architecture: toy(), scenario: one }).toBeSafe();
    await expect({ architecture: toy(), scenario: dropped }).toBreak("done");
    await expect({ architecture: toy(), scenario: dropped }).not.toBeSafe();
  });

  it("show the run that breaks it, as a timeline", async () => {
    const failed = expect({ architecture: toy(), scenario: dropped }).toBeSafe();
    await expect(failed).rejects.toThrow(
      /^test: unsafe: done\n\n +CPU 0 +CPU 1\n[\s\S]* 1 +the patch call begins[\s\S]*\ndone: The CPU/,
    );
    await expect(expect({ architecture: toy(), scenario: one }).toBreak("done")).rejects.toThrow(
      "Asked for: unsafe: done\ntest: safe",
    );
  });

  it("say why a scenario asks nothing", async () => {
    const nobody = { ...one, executors: [] };
    await expect(expect({ architecture: toy(), scenario: nobody }).toBeSafe()).rejects.toThrow("test: vacuous. ");
  });
});

describe("harness", () => {
  const { check, answers, everywhere } = harness(() => toy(), { at: AT, site: "nop:ret", models: ["a", "b"] });

  it("asks under each fetch model", async () => {
    expect(await answers(patching)).toEqual(everywhere("safe"));
    const verdict = await check("a", patching, { patcher: { drop: ["sync"], flips: 1 } });
    expect(answerOf(verdict)).toBe("unsafe: done");
    expect(brokenBy(verdict)).toContain("done");
  });
});
