import { fetchModels, int3, x86 } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import { answer, check, profiles } from "./protocols/check.js";

describe("late traps", () => {
  it("can be chosen with every fetch model, in two ways", () => {
    for (const id of profiles) {
      const { fetch } = x86({ fetch: id, lateTrap: true });
      expect(fetch).toMatchObject({ id: `${id}+late-trap`, lateTrap: true });
      for (const lateTrap of [false, true]) {
        const named = x86({ fetch: `${id}+late-trap`, lateTrap }).fetch;
        expect({ ...named, admits: null }).toEqual({ ...fetch, admits: null });
        expect(named.admits).toBe(fetch.admits);
      }
    }
    expect(x86({ lateTrap: true }).fetch.id).toBe("intel+late-trap");
  });

  it("are no fetch models of their own, and there only when they are asked for", () => {
    expect(fetchModels.map(({ lateTrap }) => lateTrap)).toEqual(fetchModels.map(() => undefined));
    expect(x86().fetchVariants?.map(({ id }) => id)).toEqual(["late-trap"]);
    expect(x86().fetchModels).toBe(fetchModels);
  });

  it("are named where a model is not known", () => {
    for (const fetch of ["zen", "zen+late-trap", "intel+late", "intel+late-trap+late-trap"])
      expect(() => x86({ fetch })).toThrow(
        `x86 has no fetch model ${fetch}; it has intel, intel-otc, amd, amd-ordered, coherent, and each of them with +late-trap behind it.`,
      );
  });

  it("break int3, which relies on its last synchronisation", async () => {
    for (const fetch of profiles) {
      const options = { site: "nop5:jmp", patcher: { flips: 1 } };
      expect(answer(await check(fetch, int3(), options)), fetch).toBe("safe");
      expect(answer(await check(`${fetch}+late-trap`, int3(), options)), fetch).toBe("unsafe: trap-owned");
    }
  });
});
