import { describe, expect, it } from "vitest";
import { cmodx, fixture, json } from "./harness.js";

const file = fixture("patchsites.arm64.elf");

type Row = {
  readonly dropped: readonly string[];
  readonly profile: string;
  readonly site: string;
  readonly verdict: string;
};

describe("arm64", () => {
  it("scan: the sites of a linked file", async () => {
    const { document } = await json(`scan ${file}`);
    expect(document.files[0]).toMatchObject({ machine: "AArch64", sites: { "jump-label": 6, "patchable-entry": 15 } });
  });

  it("check: every label and every traced function is one aligned instruction, and safe by its own strategy", async () => {
    const kinds = new Set<string>();
    for (let number = 1; number <= 21; number++) {
      for (const strategy of ["nosync-ipi", "call-ops"]) {
        const { code, document } = await json(
          `check --from ${file}#${number} --strategy ${strategy} --cpus 2 --no-repair`,
        );
        if (code === 2) continue;
        expect(document, `#${number} ${strategy}`).toMatchObject({ verdict: "safe" });
        const [{ old, new: next }] = document.bounds.sites;
        kinds.add(`${strategy} ${[old, next].map((text: string) => text.split(" ")[0]).join(" ")}`);
      }
    }
    expect(kinds).toEqual(new Set(["nosync-ipi nop b", "nosync-ipi b nop", "nosync-ipi nop bl", "call-ops nop bl"]));
  });

  it("ablate: what the cache type needs, and the interrupt always; barriers are not decided", async () => {
    const { document } = await json("ablate --arch arm64 --strategy nosync-ipi");
    const rows = document.rows as readonly Row[];
    expect(new Set(rows.map(({ site }) => site))).toEqual(new Set(["in one line"]));
    const needs = (profile: string) =>
      rows.flatMap((row) =>
        row.profile === profile && row.dropped.length === 1 && row.verdict === "unsafe" ? row.dropped : [],
      );
    expect(needs("none")).toEqual(["write-clean", "write-invalidate", "kick-wait"]);
    expect(needs("idc")).toEqual(["write-invalidate", "kick-wait"]);
    expect(needs("idc+dic")).toEqual(["kick-wait"]);
    const undecided = rows.filter(({ profile, verdict }) => profile === "none" && verdict === "not decided");
    expect(undecided.map(({ dropped }) => dropped[0])).toEqual([
      "write-map",
      "write-unmap",
      "write-dsb-clean",
      "write-dsb-invalidate",
      "kick-mb",
    ]);
  });

  it("ablate: the architectural order decides barriers: those between the cache's operations", async () => {
    const { document } = await json("ablate --arch arm64 --strategy nosync-ipi --fetch none --memory architectural");
    const needed = (document.rows as readonly Row[]).flatMap(({ dropped, verdict }) =>
      dropped.length === 1 && verdict === "unsafe" ? dropped : [],
    );
    expect(needed).toEqual(["write-clean", "write-dsb-clean", "write-invalidate", "write-dsb-invalidate", "kick-wait"]);
  });

  it("matrix: no instruction lies over two lines", async () => {
    const { document } = await json("matrix --arch arm64 --strategy nosync --fetch none");
    expect(document.environments.map(({ id }: { readonly id: string }) => id)).toEqual([
      "plain",
      "+irq",
      "+nmi",
      "+preempt",
    ]);
  });

  it("gallery: the timeline of 2019 shows the five moments in order", async () => {
    const { out } = await cmodx("gallery 2019");
    const moments = [
      "T1-event: publishes an event",
      "T2-write: stores",
      "executes nop ~stale",
      "T4-sync-wait: all CPUs",
      "T5-event: publishes",
    ];
    const places = moments.map((moment) => out.indexOf(moment));
    expect(places.every((place) => place > 0)).toBe(true);
    expect([...places].sort((a, b) => a - b)).toEqual(places);
  });

  it("check: a literal is told as data, and a profile with another list is chosen by name", async () => {
    const { document } = await json("check --arch arm64 --strategy static-call --cpus 2");
    expect(document.bounds.sites[0]).toMatchObject({
      old: ".quad 0xffff800008010040",
      new: ".quad 0xffff800008011000",
    });
    const late = await cmodx("check --arch arm64 --strategy static-call --cpus 2 --drop write-literal --no-repair");
    expect(late.out.replace(/\s+/g, " ")).toMatch(
      /loaded the old data from 0xffff800008010000 after the patch call had returned.*expected .*\.quad 0xffff800008011000/,
    );
    const linux = await json(
      "check --arch arm64 --strategy nosync --site nop:ret --cpus 2 --fetch idc+linux --no-repair",
    );
    expect(linux.document).toMatchObject({
      verdict: "unsafe",
      property: "rule",
      bounds: { fetch: { id: "idc+linux" } },
    });
  });
});

it("what repairs is looked for among the operations of the architecture, of several words too", async () => {
  const { code, err } = await cmodx("check --arch arm64 --strategy nosync-ipi --drop kick-send,kick-wait --cpus 2");
  expect({ code, err }).toEqual({ code: 1, err: "" });
});
