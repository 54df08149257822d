import { literal } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import { answer, answers, check, environments, profiles } from "../protocols/check.js";

const site = literal().defaultSite as string;
const everywhere = (verdict: string) => Object.fromEntries(profiles.map((profile) => [profile, verdict]));

describe("literal", () => {
  it.each(environments)("is safe with one store of data and nothing else, with %s", async (_, environment) => {
    for (const memory of ["sequential", "architectural"] as const)
      expect(await answers(literal(), { site, memory, ...environment }), memory).toEqual(everywhere("safe"));
    expect(await check("intel", literal(), { site, ...environment })).toMatchObject({
      verdict: "safe",
      notPromised: [],
    });
  });

  it("is one aligned store: in pieces, or over two quadwords, it leads nowhere", async () => {
    const pointers = ".quad target:.quad 0x111111111111";
    expect(await answers(literal({ width: 4 }), { site: pointers })).toEqual(everywhere("unsafe: old-or-new"));
    expect(await answers(literal(), { site: pointers, offset: 4 })).toEqual(everywhere("unsafe: old-or-new"));
    expect(await answers(literal(), { site: pointers })).toEqual(everywhere("safe"));
  });

  it("that nobody stores is old after the call has returned", async () => {
    expect(answer(await check("intel", literal(), { site, patcher: { drop: ["write-literal"] } }))).toBe(
      "unsafe: done",
    );
  });

  it("has eight bytes", async () => {
    await expect(check("intel", literal(), { site: "nop5:jmp" })).rejects.toThrow("a literal is eight bytes, not 5");
  });
});
