import {
  add,
  assert,
  type Bytes,
  createSimulation,
  type Data,
  eq,
  expectText,
  type FlipSite,
  type Line,
  load,
  local,
  lock,
  type PatchStrategy,
  rule,
  set,
  step,
  store,
  syncCores,
  unlock,
  type Verdict,
  when,
} from "@cmodx/core";
import { x86 } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import { LINE } from "../protocols/check.js";

/*
 * static_key_slow_dec of 2024, three times: one task gives up the only reference of a key while another takes one and gives it up again.
 * A key is a count (-1: it is being enabled) and the code of its sites.
 */

const ENABLED = "key->enabled";

type AddUnless = { readonly by: number; readonly unless: readonly number[]; readonly into: string };
type Exchange = { readonly from: number; readonly to: number; readonly into: string };

declare module "@cmodx/core" {
  interface Operations {
    addUnless: AddUnless;
    exchange: Exchange;
  }
  interface Events {
    addUnless: { readonly count: number };
    exchange: { readonly count: number };
  }
}

/** An atomic step of the count: `into` gets what it was. */
const atomic = <A extends Data>(id: "addUnless" | "exchange", next: (count: number, args: A) => number) =>
  rule({
    id,
    source: "kernel/jump_label.c, 6.10 to 6.12",
    reads: ["cpu", "services"],
    writes: ["cpu", "services"],
    ordering: () => "atomic",
    apply({ cpu, services }, args, machine) {
      const count = Number(services.words[ENABLED]);
      const words = { ...services.words, [ENABLED]: next(count, args as Data as A) };
      const set = { cpu: machine.advance(machine.setLocal(cpu, args.into, count)), services: { ...services, words } };
      return [{ set, observed: [{ what: id, detail: { count } }] }];
    },
  });

const addUnless = atomic("addUnless", (count, { by, unless }: AddUnless) =>
  unless.includes(count) ? count : count + by,
);
const exchange = atomic("exchange", (count, { from, to }: Exchange) => (count === from ? to : count));

const tryAdd = (id: string, args: AddUnless): Line => step(id, "addUnless", args);
const cmpxchg = (id: string, args: Exchange): Line => step(id, "exchange", args);

/** Which `static_key_slow_dec`: as 83ab38ef0a0b left it, as 224fa3552029 did, as 1d7f856c2ca4 did. */
type Version = "83ab38ef0a0b" | "224fa3552029" | "1d7f856c2ca4";

/** `static_key_slow_try_dec`: false where the count is 1, since then the code has to change. */
const tryDec = (id: string): Line => tryAdd(id, { by: -1, unless: [-1, 0, 1], into: "was" });

const slowDec = (version: Version, id: (name: string) => string, disable: readonly Line[]): readonly Line[] => [
  tryDec(id("try-dec")),
  when(id("last"), eq(local("was"), 1), [
    lock(id("lock"), "jump_label_mutex"),
    ...(version === "1d7f856c2ca4"
      ? [
          tryAdd(id("dec-and-test"), { by: -1, unless: [], into: "was" }),
          when(id("to-zero"), eq(local("was"), 1), disable),
        ]
      : [
          cmpxchg(id("cmpxchg"), { from: 1, to: 0, into: "was" }),
          version === "83ab38ef0a0b"
            ? // Every old value but 0 is true.
              when(id("true"), eq(local("was"), 0), [], disable)
            : when(id("was-one"), eq(local("was"), 1), disable, [
                tryDec(id("try-dec-again")),
                when(id("failed"), eq(local("was"), 1), [
                  assert(id("warn"), eq(local("was"), 2), "the reference was not given up, and nobody holds one more"),
                ]),
              ]),
        ]),
    unlock(id("unlock"), "jump_label_mutex"),
  ]),
];

/** `static_key_slow_inc`, as since 2018. */
const slowInc = (id: (name: string) => string, enable: readonly Line[]): readonly Line[] => [
  tryAdd(id("inc-not-zero"), { by: 1, unless: [-1, 0], into: "was" }),
  when(id("not-yet"), eq(local("was"), 0), [
    lock(id("inc-lock"), "jump_label_mutex"),
    cmpxchg(id("in-progress"), { from: 0, to: -1, into: "was" }),
    when(
      id("first"),
      eq(local("was"), 0),
      [...enable, set(id("enabled"), ENABLED, 1)],
      [tryAdd(id("inc"), { by: 1, unless: [], into: "was" })],
    ),
    unlock(id("inc-unlock"), "jump_label_mutex"),
  ]),
];

/** The code of the one site is changed by a store that is seen whole, then all CPUs synchronise. */
const patch = (id: string, { address }: FlipSite, code: Bytes): readonly Line[] => [
  store(`${id}-write`, address, code, { width: 2 }),
  syncCores(`${id}-sync`),
];

/** The last of both tasks to end finds the key at rest. */
const atRest = ({ address, next }: FlipSite): readonly Line[] => [
  add("end", "ended", 1, "ends"),
  when("both", eq(local("ends"), 2), [
    load("rest", ENABLED, "count"),
    assert("nobody-holds-it", eq(local("count"), 0), "nobody holds a reference any more, and the count is not 0"),
    expectText("disabled", address, next),
  ]),
];

const task = (version: Version, holder: "first" | "second"): PatchStrategy => ({
  id: `static-key-${version}-${holder}`,
  summary: holder === "first" ? "gives the reference up" : "takes a reference and gives it up again",
  source: `kernel/jump_label.c at ${version}`,
  architectures: ["x86"],
  defaultSite: "jmp8:nop2",
  promises: [],
  rules: [addUnless, exchange],
  plan({ sites }) {
    const [site] = sites as [FlipSite];
    const name = (id: string): string => `${holder}-${id}`;
    const dec = slowDec(version, name, patch(name("disable"), site, site.next));
    const inc = slowInc(name, patch(name("enable"), site, site.old));
    const held = expectText(name("enabled-code"), site.address, site.old);
    return {
      main: [...(holder === "first" ? dec : [...inc, held, ...dec]), ...atRest(site)],
      words: { [ENABLED]: 1, ended: 0 },
    };
  },
});

const check = (version: Version): Promise<Verdict> =>
  createSimulation({ architecture: x86({ fetch: "coherent" }) }).check({
    name: version,
    // The key is enabled at first, and the one reference is about to go.
    sites: [{ address: LINE, old: "jmp8", new: "nop2" }],
    patchers: [
      { strategy: task(version, "first"), sites: [0], flips: 1 },
      { strategy: task(version, "second"), sites: [0], flips: 1 },
    ],
    cpus: 3,
    properties: ["assertion", "progress"],
  });

const why = async (version: Version): Promise<string> => {
  const verdict = await check(version);
  return verdict.verdict === "unsafe" ? `${verdict.property}: ${verdict.why}` : verdict.verdict;
};

describe("static_key_slow_dec of 2024", () => {
  it("83ab38ef0a0b disables the code whatever the count was, under whoever holds a reference", async () => {
    expect(await why("83ab38ef0a0b")).toMatch(/^assertion: The program expected eb3e .* memory held 6690/);
  });

  it("224fa3552029 keeps a reference that nobody holds: the count went to 2 and back in between", async () => {
    expect(await why("224fa3552029")).toMatch(/^assertion: .*not given up/);
  });

  it("1d7f856c2ca4 holds", async () => {
    expect(await why("1d7f856c2ca4")).toBe("safe");
  });
});
