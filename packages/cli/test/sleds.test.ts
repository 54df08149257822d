import type { PatchSite } from "@cmodx/image";
import { expect, test } from "vitest";
import { replacementsFor } from "../src/replacements.js";
import { json } from "./harness.js";

/** What is told of a sled at a function's entry. */
const sled = (bytes: readonly number[], instruction: string): PatchSite =>
  ({
    kind: "xray-sled",
    number: 1,
    patched: {},
    bytes: Uint8Array.from(bytes),
    instruction,
    length: bytes.length,
  }) as never;

const nops = Array.from({ length: 7 }, () => [0x1f, 0x20, 0x03, 0xd5]).flat();

test("a sled of arm64: what compiler-rt writes is outside of what the architecture lets be changed under running code", async () => {
  const site = sled([0x08, 0, 0, 0x14, ...nops], "b+nops");
  const { replace, strategy } = replacementsFor("AArch64", "f");
  expect(strategy(site)).toBe("xray");
  const { old, new: next } = replace(site);
  const code = `b .+0x20${"+nop".repeat(7)}:${next as string}`;
  expect(old).toHaveLength(32);
  const line = ["check", "--arch", "arm64", "--strategy", "xray", "--cpus", "2", "--no-repair", "--site", code];
  expect((await json(line)).document).toMatchObject({ verdict: "unsafe", property: "rule" });
  expect((await json([...line, "--site", `${code}+nop`])).code).toBe(2);
});

test("a sled of arm64 at an event is one instruction, a jump or none", async () => {
  const { replace } = replacementsFor("AArch64", "f");
  expect(replace(sled([0x06, 0, 0, 0x14], "b"))).toMatchObject({ new: "nop", skip: 0 });
  const line = ["check", "--arch", "arm64", "--strategy", "xray", "--cpus", "2", "--no-repair"];
  expect((await json(line)).document).toMatchObject({ verdict: "safe" });
});

test.each(["ARM", "RISC-V"])("a sled of %s is listed, and not checked", (machine) => {
  expect(() => replacementsFor(machine, "f").replace(sled([0], "b+nops"))).toThrow("on x86-64 and AArch64 alone");
});
