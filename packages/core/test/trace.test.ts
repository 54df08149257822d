import { describe, expect, it } from "vitest";
import {
  createSimulation,
  type EventName,
  type Flip,
  type Line,
  type Observation,
  publishEvent,
  store,
  syncCores,
  type Verdict,
} from "../src/index.js";
import { trace } from "../src/properties/trace.js";
import { everSeen } from "./naive.js";
import { toy, untilSync } from "./toy/architecture.js";
import { AT, answer, check, first, only, scenario, site, strategy } from "./toy/scenario.js";

/** The toy's no-operation and its addition go straight on: neither leaves anything in a trace. */
const silent = { sites: [site("nop3", "add 1")] };

const begins = (flip: Flip): Line => publishEvent("begins", first(flip), { begins: true });
const ends = (flip: Flip): Line => publishEvent("ends", first(flip));
const write = (flip: Flip): Line => store("write", AT, first(flip).next.slice(0, 1));
const sync = syncCores("sync");

type Lines = (flip: Flip) => readonly Line[];

const around: Lines = (flip) => [begins(flip), write(flip), sync, ends(flip)];

const traced = (lines: Lines, more: Parameters<typeof scenario>[1] = {}): Promise<Verdict> =>
  check(scenario(strategy(lines), { ...silent, ...only("trace"), ...more }));

/** One byte of the site changes, so that nothing is torn. */
const oneByte = { sites: [site("nop3", "add 0")] };

const broken = async (lines: Lines, more: Parameters<typeof scenario>[1] = {}) => {
  const verdict = await traced(lines, { ...oneByte, ...more });
  if (verdict.verdict !== "unsafe") throw new Error(`It is ${verdict.verdict}.`);
  return verdict;
};

describe("trace", () => {
  it("one event, wherever it stands, does not tell what ran", async () => {
    const orders: readonly Lines[] = [
      (flip) => [ends(flip), write(flip), sync],
      (flip) => [write(flip), ends(flip), sync],
      (flip) => [write(flip), sync, ends(flip)],
    ];
    for (const lines of orders) expect(answer(await traced(lines, oneByte))).toBe("unsafe: trace");
  });

  it("says what a decoder takes the instruction for", async () => {
    const late = await broken((flip) => [write(flip), sync, ends(flip)]);
    expect(late.why).toMatch(/^The CPU ran add 0x0 at 0x1010, and by the events published so far a decoder takes it/);
    const early = await broken((flip) => [ends(flip), write(flip), sync]);
    expect(early.why).toMatch(/^The CPU ran nop3 at 0x1010/);
  });

  it("events around the change are no better: at its end the decoder cannot tell what ran in between", async () => {
    const verdict = await broken(around);
    expect(verdict.trace.at(-1)?.step).toBe("ends");
    expect(verdict.why).toMatch(/^Since the event that began the change of 0x1010 a CPU ran the instruction there/);
    const steps = verdict.trace.map(({ rule }) => rule);
    expect(steps.indexOf("execute")).toBeGreaterThan(steps.indexOf("publishEvent"));
  });

  it("a change whose end nobody publishes is judged when the call returns, and whoever runs afterwards at once", async () => {
    const lines: Lines = (flip) => [begins(flip), write(flip), sync];
    const { machine } = createSimulation({ architecture: toy({ fetch: untilSync }) });
    const open = machine(scenario(strategy(lines), oneByte));
    expect(everSeen(open, "return-call", ({ detail }) => String(detail.untold))).toEqual(
      new Set(["undefined", "true"]),
    );
    expect(
      everSeen(
        open,
        "execute",
        ({ detail }) => `${detail.calling} ${detail.site === null ? undefined : detail.decoded}`,
      ),
    ).toEqual(new Set(["undefined undefined", "false told", "true told", "true open", "false ambiguous"]));
    const closed = machine(scenario(strategy(around), oneByte));
    expect(everSeen(closed, "return-call", ({ detail }) => String(detail.untold))).toEqual(new Set(["undefined"]));
    expect(everSeen(closed, "publish-event", ({ detail }) => `${detail.begins} ${detail.untold}`)).toEqual(
      new Set(["true false", "false false", "false true"]),
    );
  });

  it("judges the end of the change, the return of the call, and what runs afterwards", () => {
    const judge = (what: EventName, detail: object) => trace.judge({ what, detail } as Observation);
    expect(judge("return-call", { sites: [0], to: 1, untold: true })).toMatch(
      /^Since the event that began the change of the site/,
    );
    expect(judge("return-call", { sites: [0], to: 1 })).toBeUndefined();
    expect(judge("publish-event", { address: 16n, untold: true })).toMatch(/the change of 0x10 a CPU ran/);
    const executed = { at: 16n, text: "nop", calling: false };
    expect(judge("execute", { ...executed, decoded: "ambiguous" })).toBe(
      "The CPU ran nop at 0x10; no event and no branch tells which of the two versions it was.",
    );
    for (const decoded of ["told", "open", undefined])
      expect(judge("execute", { ...executed, decoded })).toBeUndefined();
  });

  it("a breakpoint that all CPUs fetch while the event is published tells", async () => {
    const lines = (synchronised: boolean): Lines => {
      return (flip) => [
        store("trap", AT, [0x02]),
        ...(synchronised ? [syncCores("sync-trap")] : []),
        ends(flip),
        write(flip),
        sync,
      ];
    };
    expect(answer(await traced(lines(true), oneByte))).toBe("safe");
    expect(answer(await traced(lines(false), oneByte))).toBe("unsafe: trace");
  });

  it("an instruction that leaves a branch or an exception in a trace is told from one that leaves nothing", async () => {
    for (const other of ["ret", "trap"])
      expect(answer(await traced(around, { sites: [site("nop", other)] })), other).toBe("safe");
    for (const other of ["serialise", "isb"])
      expect(answer(await traced(around, { sites: [site("nop", other)] })), other).toBe("unsafe: trace");
    expect(answer(await traced(around, { sites: [site("ret", "trap")] }))).toBe("safe");
  });

  it("a decoder listens as soon as a strategy publishes, and though its event be left out", async () => {
    const silentLines: Lines = (flip) => [write(flip), sync];
    expect(answer(await traced(silentLines, oneByte))).toBe("vacuous");
    const once: Lines = (flip) => [write(flip), sync, ends(flip)];
    expect(answer(await traced(once, { ...oneByte, patcher: { drop: ["ends"] } }))).toBe("unsafe: trace");
  });

  it("the second call goes from what the first one published", async () => {
    const stopped: Lines = (flip) => [store("trap", AT, [0x02]), syncCores("sync-trap"), ends(flip), write(flip), sync];
    expect(answer(await traced(stopped, { ...oneByte, patcher: { flips: 3 } }))).toBe("safe");
  });

  it("is not reported where it is not promised", async () => {
    const unpromised = scenario(strategy(around, { promises: ["done"] }), oneByte);
    const verdict = await createSimulation({ architecture: toy({ fetch: untilSync }) }).check(unpromised);
    expect(verdict).toMatchObject({ verdict: "safe", notPromised: ["trace"] });
  });
});
