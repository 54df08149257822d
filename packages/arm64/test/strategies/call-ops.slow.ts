import { callOps } from "@cmodx/arm64";
import { describe, expect, it } from "vitest";
import { allBroken, answer, check, environments } from "../protocols/check.js";

describe.each(["literal", "call"] as const)("call-ops that gives its ops back, the %s first", (first) => {
  it.each(environments)("is safe once nobody can be on the way to the tracer: %s", async (_, environment) => {
    for (const fetch of ["none", "idc+dic"])
      expect(answer(await check(fetch, callOps({ first, frees: true }), environment)), fetch).toBe("safe");
  });

  it("breaks lifetime where it does not wait", async () => {
    for (const fetch of ["none", "idc+dic"]) {
      const verdict = await check(fetch, callOps({ first, frees: true, waits: false }), { preempt: true });
      expect(allBroken(verdict), fetch).toContain("lifetime");
    }
  });
});
