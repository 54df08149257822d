import { describe, expect, it } from "vitest";
import { cmodx, fixture, json } from "./harness.js";

const before = fixture("patchsites.riscv64-6.12.elf");
const now = fixture("patchsites.riscv64-call-ops.elf");

/** Numbers of the traced functions of a file. */
const entriesOf = async (file: string): Promise<readonly number[]> => {
  const { document } = await json(`scan ${file}`);
  const { sites } = document.files[0];
  const all = Object.values(sites as { readonly [kind: string]: number }).reduce((sum, count) => sum + count, 0);
  const found: number[] = [];
  for (let number = 1; number <= all; number++) {
    // The strategy is for these alone.
    const { code } = await json(`check --from ${file}#${number} --strategy pair-bpf --arch riscv --cpus 1 --no-repair`);
    if (code !== 2) found.push(number);
  }
  return found;
};

const check = async (file: string, number: number, strategy: string, more = "") =>
  (
    await json(
      `check --from ${file}#${number} --strategy ${strategy} --arch riscv --fetch ziccif --cpus 2 --no-repair ${more}`.trim(),
    )
  ).document;

describe("a real pair of binaries", () => {
  it("scan: the hazards of 6.12 have gone with CALL_OPS", async () => {
    const { document } = await json(`scan ${before} ${now}`);
    const [old, today] = document.files;
    expect(old).toMatchObject({ machine: "RISC-V", sites: { "jump-label": 10, "patchable-entry": 12 } });
    expect(old.hazards).toMatchObject({ misaligned: 9, "crosses-line": 4, "multi-instruction": 12 });
    expect(today).toMatchObject({ machine: "RISC-V", sites: { "jump-label": 6, "patchable-entry": 11 } });
    expect(Object.values(today.hazards).every((count) => count === 0)).toBe(true);
  });

  it("check: every function of 6.12 is unsafe with preemption, every one of today safe", async () => {
    const [old, today] = [await entriesOf(before), await entriesOf(now)];
    expect([old.length, today.length]).toEqual([12, 11]);
    for (const number of old) {
      const verdict = await check(before, number, "pair-stop-machine", "--preempt");
      expect(verdict).toMatchObject({ verdict: "unsafe", property: "mid-sequence" });
      expect(verdict.bounds.sites[0].oldBytes).toBe("0100010001000100");
    }
    for (const number of today) {
      expect(await check(now, number, "call-ops", "--preempt")).toMatchObject({ verdict: "safe" });
      expect(await check(now, number, "fixed-auipc", "--preempt")).toMatchObject({ verdict: "safe" });
    }
  });

  it("check: a label over two words is unsafe, an aligned one safe", async () => {
    const verdicts = new Map<boolean, Set<string>>();
    for (const file of [before, now])
      for (let number = 1; number <= 22; number++) {
        const verdict = await check(file, number, "nosync");
        if (verdict.bounds === undefined) continue;
        const aligned = BigInt(verdict.bounds.sites[0].address) % 4n === 0n;
        verdicts.set(aligned, (verdicts.get(aligned) ?? new Set()).add(verdict.property ?? verdict.verdict));
      }
    expect(verdicts.get(true)).toEqual(new Set(["safe"]));
    expect(verdicts.get(false)).toEqual(new Set(["old-or-new"]));
  });
});

describe("what the command line says of RISC-V", () => {
  it("counts the interrupts of literals: one round for each site, and one at the end", async () => {
    const cost = async (strategy: string) =>
      (await json(`check --strategy ${strategy} --arch riscv --fetch ziccif --cpus 4`)).document.interruptsPerFlip;
    expect([await cost("fixed-auipc"), await cost("call-ops")]).toEqual([3, 6]);
  });

  it("refuses what is out of reach before it explores", async () => {
    const { code, err } = await cmodx([
      ...["check", "--arch", "riscv", "--strategy", "fixed-auipc", "--site"],
      "auipc t0, %pcrel_hi(.+0x1640)+nop:call t0, .+0x1800",
    ]);
    expect(code).toBe(2);
    expect(err).toMatch(/^cmodx: The strategy fixed-auipc cannot do this: the AUIPC at .* needs another AUIPC\.\n$/);
  });

  it("shows where a preempted task goes", async () => {
    const { code, out } = await cmodx(
      "check --arch riscv --strategy pair-stop-machine --fetch ziccif --preempt --cpus 2 --no-repair",
    );
    expect(code).toBe(1);
    expect(out.replace(/\s+/g, " ")).toContain("It went to 0x640.");
    for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });

  it("says since when a hart under ziccid lags behind", async () => {
    const { out } = await cmodx(
      "check --arch riscv --strategy nosync --fetch ziccid --drop flush --cpus 2 --flips 1 --no-repair",
    );
    expect(out.replace(/\s+/g, " ")).toContain("CPU 1 has not synchronised since step");
  });

  it("fills a matrix", async () => {
    const { document } = await json("matrix --arch riscv --strategy fixed-auipc");
    const cells = (document.cells as readonly { fetch: string; environment: string; verdict: string }[]).map(
      ({ fetch, environment, verdict }) => `${fetch} ${environment} ${verdict}`,
    );
    expect(cells).toContain("ziccif plain safe");
    expect(cells).toContain("ziccid +preempt safe");
    expect(cells).toContain("ziccif line-cross unsafe");
    expect(cells).toContain("zifencei plain unsafe");
    expect(cells).toContain("ziccif multi-insn impossible");
  });
});
