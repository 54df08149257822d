import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "@cmodx/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodePage, type Entry, encodePage, eventsOf, PAGE, PageWriter, pagesOf, reservedFor } from "../src/index.js";

const fixtures = new URL("../fixtures/", import.meta.url);

const whole = (bytes: Uint8Array): Uint8Array => {
  const page = new Uint8Array(PAGE.size);
  page.set(bytes);
  return page;
};

const fixture = (name: string): Uint8Array => whole(readFileSync(new URL(`${name}.raw`, fixtures)));

const pagesIn = (file: string): readonly Uint8Array[] => {
  const raw = new Uint8Array(readFileSync(file));
  return Array.from({ length: raw.length / PAGE.size }, (_, i) => raw.slice(i * PAGE.size, (i + 1) * PAGE.size));
};

describe("pages that kernels wrote", () => {
  const names = readdirSync(fixtures).flatMap((file) => (file.endsWith(".raw") ? [file.slice(0, -4)] : []));

  it.each(names)("%s comes out as it went in", (name) => {
    const bytes = fixture(name);
    expect(encodePage(decodePage(bytes))).toEqual(bytes);
  });

  it("say how many events were lost before them", () => {
    expect(decodePage(fixture("lost")).lost).toEqual({ count: 1270n, signExtended: true });
    expect(decodePage(fixture("sched")).lost).toBeUndefined();
  });

  it("hold time extends, long events and filler", () => {
    const kinds = (name: string) => new Set(decodePage(fixture(name)).entries.map(({ kind }) => kind));
    expect(kinds("extend")).toContain("time-extend");
    expect(kinds("filler")).toContain("padding");
    const long = decodePage(fixture("extend")).entries.filter(
      (entry) => entry.kind === "event" && entry.payload.length > 112,
    );
    expect(long).toHaveLength(1);
  });

  it("are written anew from their events and times", () => {
    for (const name of ["extend", "sched"])
      expect(pagesOf(eventsOf(decodePage(fixture(name))))).toEqual([fixture(name)]);
  });

  it("give their first event the page's time unless it was copied", () => {
    const [first] = eventsOf(decodePage(fixture("sched")));
    expect(first?.time).toBe(0xee842c35f8n);
    const [copied] = eventsOf(decodePage(fixture("copied")));
    expect(copied?.time).toBe(0xfca9797e9cn + 413446n);
  });
});

const data = process.env.CMODX_DATA;
const golden = data === undefined ? "" : join(data, "golden");

describe.skipIf(!existsSync(golden))("the golden pages", () => {
  const all = () =>
    ["pages", "linux-6.1"].flatMap((folder) =>
      readdirSync(join(golden, folder))
        .filter((name) => /raw$/.test(name))
        .flatMap((name) => pagesIn(join(golden, folder, name))),
    );

  it("come out as they went in, all 25", () => {
    const pages = all();
    expect(pages).toHaveLength(25);
    for (const page of pages) expect(encodePage(decodePage(page))).toEqual(page);
  });

  it("of one CPU are written anew from the events alone, each page ending where the kernel ended it", () => {
    const pages = pagesIn(join(golden, "linux-6.1/sys_kernel_tracing_per_cpu_cpu0_trace_pipe_raw"));
    expect(pagesOf(pages.flatMap((page) => eventsOf(decodePage(page))))).toEqual(pages);
  });
});

describe("the page writer", () => {
  it("reserves what the kernel does", () => {
    expect([0, 1, 4, 5, 8, 9, 12, 13, 112, 113, 116].map(reservedFor)).toEqual([
      8, 8, 8, 16, 16, 16, 16, 20, 116, 124, 124,
    ]);
  });

  it("says times that need more than 27 bits with an extend, and none for the first event", () => {
    const payload = new Uint8Array(4);
    const times = [1n << 40n, (1n << 40n) + (1n << 27n) - 1n, (1n << 40n) + (1n << 28n)];
    const [page] = pagesOf(times.map((time) => ({ time, payload })));
    const decoded = decodePage(page as Uint8Array);
    expect(decoded.entries.map(({ kind }) => kind)).toEqual(["event", "event", "time-extend", "event"]);
    expect(eventsOf(decoded).map(({ time }) => time)).toEqual(times);
  });

  it("takes the longest payload, and refuses a longer one", () => {
    const writer = new PageWriter();
    expect(writer.most).toBe(4072);
    expect(() => writer.append(0n, new Uint8Array(4073))).toThrow(
      "An event has 4073 bytes, more than the 4072 of a page.",
    );
    expect(writer.append(0n, new Uint8Array(4072))).toBe(true);
    expect(decodePage(writer.page()).entries).toHaveLength(1);
    expect(writer.append(0n, new Uint8Array(1))).toBe(false);
  });

  it("refuses times that run backwards", () => {
    const writer = new PageWriter();
    writer.append(5n, new Uint8Array(4));
    expect(() => writer.append(4n, new Uint8Array(4))).toThrow(/at 4 comes after one at 5/);
  });

  it("leaves out the number of lost events where no room is left", () => {
    const lost = { count: 3n, signExtended: true };
    const full = new PageWriter();
    full.append(0n, new Uint8Array(4072));
    expect(decodePage(full.page(lost)).lost).toEqual({ signExtended: true });
    const free = new PageWriter();
    free.append(0n, new Uint8Array(4));
    expect(decodePage(free.page(lost)).lost).toEqual(lost);
  });

  it("gives events and times back, whatever they are, on pages of either kind", () => {
    const event = fc.record({
      gap: fc.oneof(fc.bigInt(0n, 1000n), fc.bigInt(0n, 1n << 40n)),
      length: fc.integer({ min: 1, max: 300 }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), fc.constantFrom(4 as const, 8 as const), (list, long) => {
        const format = { size: 512, long };
        let time = 1n << 41n;
        const events = list.map(({ gap, length }, i) => {
          time += gap;
          return { time, payload: new Uint8Array(length).fill(i + 1) };
        });
        const pages = pagesOf(events, format);
        const decoded = pages.flatMap((page) => eventsOf(decodePage(page, format)));
        expect(decoded.map((each) => each.time)).toEqual(events.map((each) => each.time));
        for (const [i, { payload }] of decoded.entries())
          expect(payload.slice(0, events[i]?.payload.length)).toEqual(events[i]?.payload);
        for (const page of pages) expect(encodePage(decodePage(page, format), format)).toEqual(page);
      }),
      { numRuns: 60, seed: 1 },
    );
  });
});

describe("bad pages", () => {
  const valid = fixture("filler");
  const changed = (at: number, ...values: readonly number[]): Uint8Array => {
    const bytes = valid.slice();
    bytes.set(values, at);
    return bytes;
  };

  it.each([
    ["a cut page", valid.slice(0, 4095), /at offset 4095: it ends, but should have 4096 bytes/],
    ["a big-endian page", changed(8, 0, 0, 0, 0, 0, 0, 0x02, 0xb0), /at offset 8: .*big-endian/],
    ["more committed than fits", changed(8, 0xff, 0xff), /at offset 8: 65535 bytes are committed/],
    ["unknown flags", changed(10, 0x10), /at offset 8: the commit field has unknown flags/],
    ["a number without a loss", changed(11, 0x40), /at offset 8: a number of lost events is stored/],
    ["an event past the end", changed(8, 0x18, 0), /at offset 16: an event of 28 bytes reaches past/],
    ["an end within a header", changed(8, 0x02, 0), /at offset 16: the committed bytes end within/],
    ["a long event of no length", changed(16, 0x20, 0, 0, 0, 0, 0, 0, 0), /at offset 16: an event has -4 bytes/],
  ])("%s", (_, bytes, message) => {
    expect(() => decodePage(bytes)).toThrow(InputError);
    expect(() => decodePage(bytes)).toThrow(message);
  });

  it("of any bytes are read or refused, and what is read comes out as it went in", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), fc.integer({ min: 0, max: 48 }), (bytes, commit) => {
        bytes.set([commit, 0, 0, 0, 0, 0, 0, 0], 8);
        const format = { size: 64, long: 8 as const };
        let page: ReturnType<typeof decodePage>;
        try {
          page = decodePage(bytes, format);
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
          return;
        }
        const again = encodePage(page, format);
        // What lies behind the end, or within padding, is no one's.
        const last = page.entries.at(-1);
        const committed = 16 + commit - (last?.kind === "end" ? last.size - 4 : 0);
        const skipped = page.entries.some((entry) => entry.kind === "padding");
        if (!skipped) expect(again.slice(0, committed)).toEqual(bytes.slice(0, committed));
        expect(decodePage(again, format)).toEqual(page);
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  it.each<[string, Entry, RegExp]>([
    ["a delta of 28 bits", { kind: "event", delta: 2 ** 27, payload: new Uint8Array(4) }, /A delta has 27 bits/],
    ["a payload of 5 bytes", { kind: "event", delta: 0, payload: new Uint8Array(5) }, /multiple of 4/],
    ["a stamp of 60 bits", { kind: "time-stamp", time: 1n << 59n }, /A time has 59 bits/],
    ["padding that would end the page", { kind: "padding", delta: 0, size: 8 }, /would end the page/],
    ["more than a page", { kind: "event", delta: 0, payload: new Uint8Array(4096) }, /does not fit/],
  ])("%s is not written", (_, entry, message) => {
    expect(() => encodePage({ time: 0n, entries: [entry] })).toThrow(message);
  });

  it("of a size that no kernel has", () => {
    expect(() => decodePage(new Uint8Array(60), { size: 60, long: 8 })).toThrow(/64 to 1048576 bytes/);
  });
});
