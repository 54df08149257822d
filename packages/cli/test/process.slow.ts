import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { folder, root } from "./harness.js";
import { bin, built, end, start, wait } from "./process.js";

describe.skipIf(!built)("the command", () => {
  describe("code that runs without a break", () => {
    const module = "for (;;);\n";

    test("SIGINT ends it with a sentence and exit 3", async () => {
      const child = start(["check", "--scenario", join(folder({ "spins.mjs": module }), "spins.mjs")]);
      const ended = end(child);
      await wait(1500);
      child.kill("SIGINT");
      const { code, err } = await ended;
      expect(code).toBe(3);
      expect(err).toBe("cmodx: The run was interrupted before there was an answer.\n");
    });

    test("a second SIGINT ends it at once", async () => {
      const child = start(["check", "--scenario", join(folder({ "spins.mjs": module }), "spins.mjs")]);
      const ended = end(child);
      await wait(1500);
      child.kill("SIGINT");
      await wait(100);
      child.kill("SIGINT");
      expect((await ended).signal).toBe("SIGINT");
    });

    test.each([1, 2])("what it was writing does not stay, after %d SIGINTs", { timeout: 60_000 }, async (times) => {
      const cwd = folder({ "keep.txt": "" });
      const child = start([
        "record",
        "--strategy",
        "int3",
        "--flips",
        "60",
        "--perf",
        join(cwd, "a"),
        "--ctf",
        join(cwd, "b"),
      ]);
      const ended = end(child);
      while (child.exitCode === null && !readdirSync(cwd).some((name) => name.endsWith(".tmp"))) await wait(1);
      child.kill("SIGINT");
      if (times === 2) child.kill("SIGINT");
      await ended;
      expect(readdirSync(cwd).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    });

    test("--timeout ends it, as one document with --json", async () => {
      const child = start([
        "check",
        "--timeout",
        "1",
        "--json",
        "--scenario",
        join(folder({ "spins.mjs": module }), "spins.mjs"),
      ]);
      const { code, out, err } = await end(child);
      expect(code).toBe(3);
      expect(err).toBe("");
      expect(JSON.parse(out)).toMatchObject({
        schema: "cmodx/error/1",
        message: "The limit of 1 seconds was reached before there was an answer.",
      });
    });

    test("a plugin that ends the process ends the run as wrong input", async () => {
      const child = start(["check", "--scenario", join(folder({ "exits.mjs": "process.exit(0);\n" }), "exits.mjs")]);
      const { code, err } = await end(child);
      expect(code).toBe(2);
      expect(err).toBe("cmodx: A plugin or a module ended the run.\n");
    });
  });

  test.each([
    ["matrix", 3],
    ["ablate --strategy int3 --memory architectural --cpus 3", 3],
    ["gallery", 3],
    ["check --strategy int3 --cpus 5 --nmi --irq --preempt --outcomes", 3],
  ])("--timeout is one budget for all of %s", { timeout: 60_000 }, async (line, code) => {
    // Were it one for each phase or row, each would end in time.
    expect((await end(start([...line.split(" "), "--timeout", "0.5"]))).code).toBe(code);
  });

  test("scan --jobs says what it says without, in the same order", async () => {
    const packed = (name: string): Buffer => {
      const content = readFileSync(join(root, "packages/image/fixtures", name));
      // As large as what a thread is started for.
      return Buffer.concat([content, Buffer.alloc(2 ** 21)]);
    };
    const tree = folder({
      "a.o": packed("patchsites.x86_64.elf"),
      "b.o": packed("patchsites.arm64.elf"),
      "c.o": "no ELF file",
      "d.o": packed("patchsites.riscv64-6.12.elf"),
    });
    for (const options of [
      [tree, "--csv"],
      [join(tree, "a.o"), join(tree, "c.o"), join(tree, "d.o")],
    ]) {
      const [one, three] = await Promise.all(
        ["1", "3"].map((jobs) => end(start(["scan", ...options, "--jobs", jobs]))),
      );
      expect([one?.code, one?.err]).toEqual([2, expect.stringMatching(/^cmodx: .*c\.o: .*\n$/)]);
      expect(three).toEqual(one);
    }
  });

  test.each([
    ["SIGINT", [], 2500],
    ["--timeout", ["--timeout", "1"], undefined],
  ] as const)("%s ends a scan of --jobs 2 with the files so far", { timeout: 60_000 }, async (_, more, ms) => {
    const file = join(root, "packages/image/fixtures/patchsites.x86_64.elf");
    const names = Array.from({ length: 6000 }, () => file);
    const child = start(["scan", ...names, "--jobs", "2", "--json", ...more]);
    const ended = end(child);
    if (ms !== undefined) {
      await wait(ms);
      child.kill("SIGINT");
    }
    const { code, out, err } = await ended;
    expect([code, err]).toEqual([3, ""]);
    const document = JSON.parse(out);
    expect(document).toMatchObject({ schema: "cmodx/scan/1", errors: [], interrupted: true });
    expect(document.files.length).toBeLessThan(names.length);
  });

  /** Runs a line of bash with `cmodx` for the command, and gives what it printed. */
  const bash = async (line: string): Promise<{ out: string; err: string }> =>
    end(spawn("bash", ["-c", line.replaceAll("cmodx ", `'${process.execPath}' '${bin}' `)], { cwd: root }));

  const UNSAFE = "check --strategy plain-store --no-repair";
  const SAFE = "check --strategy int3 --cpus 2";
  const VACUOUS = "check --strategy int3 --cpus 1";

  test.each([
    [UNSAFE, 1],
    [SAFE, 0],
    [VACUOUS, 3],
    ["list --json", 0],
    ["litmus packages/litmus/fixtures/catalogue/MP+rel+blr.litmus", 0],
    ["check --strategy int4 --json", 2],
  ])("a reader that has gone leaves the answer's own code: %s", async (line, code) => {
    // The pipe is closed before anything is written to it.
    const { out, err } = await bash(`{ { sleep 0.1; cmodx ${line}; echo $? >&3; } | true; } 3>&1`);
    expect(err).toBe("");
    expect(out.trim()).toBe(String(code));
  });

  test.skipIf(!existsSync("/dev/full")).each([
    [UNSAFE, 1, "unsafe"],
    [`${UNSAFE} --json`, 1, "unsafe"],
    [SAFE, 2, "safe"],
    [VACUOUS, 2, "vacuous"],
    ["--help", 2, "complete"],
  ])("a device that is full is told of in a sentence: %s", async (line, code, word) => {
    const { out, err } = await bash(`{ cmodx ${line} > /dev/full; echo $? >&3; } 3>&1`);
    expect(out.trim()).toBe(String(code));
    expect(err).toBe(
      `cmodx: The answer (${word}) cannot be written to standard output: ENOSPC: no space left on device, write.\n`,
    );
  });

  test.skipIf(!existsSync("/dev/full"))(
    "a counterexample that cannot be saved is told of behind the report",
    async () => {
      const { out, err } = await bash(`cmodx ${UNSAFE} --save /dev/full; echo $?`);
      expect(out).toMatch(/^UNSAFE .*\n1\n$/s);
      expect(err).toBe(
        "cmodx: The answer (unsafe) cannot be written to /dev/full: ENOSPC: no space left on device, write.\n",
      );
      const whole = await bash(`cmodx ${UNSAFE} --json --save /dev/full`);
      expect(JSON.parse(whole.out)).toMatchObject({ verdict: "unsafe", saved: null });
    },
  );

  test("what a plugin throws behind everybody's back is no verdict", async () => {
    const cwd = folder({
      "cmodx.config.mjs": "setTimeout(() => { throw new Error('late'); }, 0);\nexport default {};\n",
    });
    const child = spawn(process.execPath, [bin, "check", "--strategy", "int3"], {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const { code, err } = await end(child);
    expect(code).toBe(2);
    expect(err).toBe("cmodx: Something failed outside the run, in a plugin or a module: late\n");
  });
});
