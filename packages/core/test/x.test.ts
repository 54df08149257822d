import { it } from "vitest";
import { createSimulation, store, set, free, waitRcu, lookup, emulate, claim, toHex, local, ne, when } from "../src/index.js";
import { toy, granules } from "./toy/architecture.js";
import { answer, only, scenario, strategy, AT } from "./toy/scenario.js";
it("x", async () => {
  const s = strategy((flip) => [
    set("fill", "entries", flip.sites.map(({ address, next }) => ({ address, bytes: toHex(next) }))),
    store("trap", AT, [2]), store("new", AT, flip.sites[0]!.next, { width: 4 }),
    waitRcu("grace"), free("free", "entries"),
  ], { program: () => ({ words: { entries: [] }, traps: { brk: [lookup("find", "entries", "entry"), when("ours", ne(local("entry"), null), [emulate("emulate", local("entry")), claim()])] } }) });
  const simulation = createSimulation({ architecture: toy({ fetch: granules }) });
  for (const reduce of [false, true]) {
    const v = await simulation.check(scenario(s, { ...only("lifetime") }), { reduce });
    console.log(reduce, answer(v), v.verdict === "unsafe" ? v.trace.map((s) => `${s.cpu} ${s.rule} ${s.step} ${s.choice}`): v.states);
  }
});
