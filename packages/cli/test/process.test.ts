import { describe, expect, test } from "vitest";
import { wantsColor } from "../src/io.js";
import { built, end, start, wait } from "./process.js";

// Enough interleavings for minutes.
const LONG = ["check", "--strategy", "int3", "--cpus", "5", "--nmi", "--irq", "--preempt"];

describe.skipIf(!built)("the command", () => {
  test("exit codes reach the shell", async () => {
    expect((await end(start(["check", "--strategy", "int3", "--cpus", "2"]))).code).toBe(0);
    expect((await end(start(["check", "--strategy", "plain-store"]))).code).toBe(1);
    const wrong = await end(start(["check", "--strategy", "int4"]));
    expect(wrong.code).toBe(2);
    expect(wrong.err).toMatch(/^cmodx: [^\n]+\n$/);
  });

  test("SIGINT ends a run as inconclusive, with whole output and exit 3", async () => {
    const child = start([...LONG, "--json"]);
    const ended = end(child);
    await wait(2000);
    child.kill("SIGINT");
    const { code, out, err } = await ended;
    expect(code).toBe(3);
    expect(JSON.parse(out).bounds.reached).toBe("interrupted");
    expect(err).toBe("");
  });

  test("nothing is coloured in a pipe", async () => {
    const { out } = await end(start(["check", "--strategy", "plain-store"]));
    expect(out).not.toContain("\x1b[");
  });
});

test("colours: a terminal, and no NO_COLOR", () => {
  expect(wantsColor({}, { isTTY: true })).toBe(true);
  expect(wantsColor({}, {})).toBe(false);
  expect(wantsColor({ NO_COLOR: "1" }, { isTTY: true })).toBe(false);
  expect(wantsColor({ NO_COLOR: "1", FORCE_COLOR: "1" }, { isTTY: true })).toBe(false);
  expect(wantsColor({ TERM: "dumb" }, { isTTY: true })).toBe(false);
});
