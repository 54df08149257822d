import { MOST_CPUS, type PatchStrategy, type PlanContext } from "@cmodx/core";
import type { Log, LogLine } from "./log.js";
import type { VisibleStep } from "./program.js";
import { type Change, isStored, LONGEST, type LoggedWrite, Sites } from "./sites.js";

/** What contradicts a strategy. */
export type Contradiction = {
  /** The number of the line. */
  readonly line: number;
  /** Id of the step of the program; null where the line belongs to no step. */
  readonly step: string | null;
  /** The site; null where none is known. */
  readonly site: bigint | null;
  /** CPUs that did not synchronise. */
  readonly cpus: readonly number[];
  readonly why: string;
};

/** Lines of which nothing is said, and why. */
export type NotCovered = { readonly from: number; readonly to: number; readonly why: string };

/** The answer. */
export type Conformance = {
  readonly answer: "conforms" | "contradicts" | "not-covered";
  /** Changes of sites that were followed to their last write, the writes of these and of others that follow the program, and patch calls seen whole. */
  readonly changes: number;
  readonly writes: number;
  readonly calls: number;
  /** Places between writes at which every CPU has to have synchronised: judged, and past what was logged. */
  readonly gaps: { readonly judged: number; readonly notCovered: number };
  /** Writes of changes that had begun before the log. */
  readonly before: number;
  readonly contradictions: readonly Contradiction[];
  readonly notCovered: readonly NotCovered[];
  /** Writes outside of calls: line and address. */
  readonly foreign: readonly { readonly line: number; readonly address: bigint }[];
  /** Lines of synchronisations that the program does not ask for. */
  readonly more: readonly number[];
  /** Steps that no log can show. */
  readonly silent: readonly string[];
};

const hex = (address: bigint): string => `0x${address.toString(16)}`;
const bytesText = (bytes: readonly number[]): string =>
  bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");

/** A site while it is changed. */
type Open = Change & { at: number; since: number; cpu: number; done: boolean; failed: boolean };

/** Places between writes at which CPUs have to have synchronised: those that share a moment are one. */
type Gap = { from: number; to: number; readonly judged: boolean };

/** Follows a log through the program of a strategy. `context`: of the machine that the log is of. */
export const conform = (log: Log, strategy: PatchStrategy, context: Omit<PlanContext, "cpus">): Conformance => {
  const { lines } = log;
  const number = (i: number): number => lines[i]?.number ?? lines.at(-1)?.number ?? 0;
  const has = (kind: LogLine["kind"]): boolean => lines.some((line) => line.kind === kind);
  const called = has("call") || has("return");
  const synced = has("sync");
  const published = has("event");
  const until = log.syncsUntil ?? lines.length;
  const sites = new Sites(strategy, { ...context, cpus: Math.min(log.cpus, MOST_CPUS) }, lines);

  const contradictions: Contradiction[] = [];
  const notCovered: NotCovered[] = [];
  const foreign: { readonly line: number; readonly address: bigint }[] = [];
  const silent = new Set<string>();
  const needed = new Set<number>();
  const gaps: Gap[] = [];
  let [changes, writes, calls, before] = [0, 0, 0, 0];

  const skip = (from: number, to: number, why: string): void => {
    if (from <= to) notCovered.push({ from: number(from), to: number(to), why });
  };

  /** By CPU the indices of its synchronisations. */
  const syncs = new Map<number, number[]>();
  for (const [i, { kind, cpu }] of lines.entries()) if (kind === "sync") syncs.set(cpu, [...(syncs.get(cpu) ?? []), i]);
  const firstSync = (cpu: number, after: number): number | undefined => {
    const all = syncs.get(cpu) ?? [];
    let [low, high] = [0, all.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((all[middle] as number) > after) high = middle;
      else low = middle + 1;
    }
    return all[low];
  };

  const inGap = (from: number, to: number, judged: boolean): void => {
    const gap = gaps.find((each) => each.judged === judged && from < each.to && each.from < to);
    if (gap === undefined) gaps.push({ from, to, judged });
    else {
      gap.from = Math.max(gap.from, from);
      gap.to = Math.min(gap.to, to);
    }
  };

  /** Passes the synchronisations before the next step of a site, at a line; false where a CPU lacks one. */
  const synchronise = (site: Open, at: number, last: boolean): boolean => {
    let cursor = site.since;
    for (let step = site.program.steps[site.at]; step?.kind === "sync"; step = site.program.steps[++site.at]) {
      const { id, others } = step;
      const found = Array.from({ length: log.cpus }, (_, cpu) => cpu)
        .filter((cpu) => !(others && cpu === site.cpu))
        .map((cpu) => ({ cpu, sync: firstSync(cpu, cursor) }));
      const missing = found.filter(({ sync }) => sync === undefined || sync > at).map(({ cpu }) => cpu);
      if (missing.length > 0 && (!synced || at > until)) {
        if (!last) inGap(site.since, at, false);
        continue;
      }
      if (missing.length > 0) {
        const who = missing.length === 1 ? `CPU ${missing[0]}` : `CPUs ${missing.join(", ")}`;
        const why = `${who} did not synchronise between ${log.counts} ${number(cursor)} and this, where ${id} has every${others ? " other" : ""} CPU do so`;
        contradictions.push({ line: number(at), step: id, site: site.address, cpus: missing, why });
        return false;
      }
      for (const { sync } of found) needed.add(sync as number);
      cursor = Math.max(cursor, ...found.map(({ sync }) => sync as number));
      if (!last) inGap(site.since, at, true);
    }
    return true;
  };

  /** Passes events that no log can show, because none was ever logged. */
  const unseen = (site: Open): void => {
    while (!published && site.program.steps[site.at]?.kind === "event") site.at++;
  };

  const says = (step: VisibleStep | undefined): string =>
    step === undefined
      ? "no further step"
      : step.kind === "write"
        ? `${step.id}, ${bytesText(step.bytes)} at ${hex(step.address)}`
        : step.kind === "event"
          ? `${step.id}, an event`
          : step.id;

  /** Follows the lines of one call, or of a log without calls. `begun`: its begin was seen; `ended`: its return is at `to`. */
  const segment = (from: number, to: number, begun: boolean, ended: boolean, cut: string): void => {
    const open: Open[] = [];
    /** Writes by what their addresses have in common, so that those near an address are found. */
    const near = new Map<bigint, { readonly line: LoggedWrite; readonly i: number }[]>();
    for (let i = from; i <= to; i++) {
      const line = lines[i];
      if (line?.kind !== "write") continue;
      const key = line.address / LONGEST;
      const there = near.get(key);
      if (there === undefined) near.set(key, [{ line, i }]);
      else there.push({ line, i });
    }
    const nearFrom = (address: bigint, i: number): readonly LoggedWrite[] =>
      [...(near.get(address / LONGEST) ?? []), ...(near.get(address / LONGEST + 1n) ?? [])]
        .filter((write) => write.i >= i)
        .sort((a, b) => a.i - b.i)
        .map(({ line }) => line);
    let started = begun;
    /** Events about no site that is being changed. */
    const strays: number[] = [];
    const contradict = (i: number, site: Open | undefined, why: string): void => {
      const step = site?.program.steps[site.at];
      contradictions.push({ line: number(i), step: step?.id ?? null, site: site?.address ?? null, cpus: [], why });
      if (site !== undefined) site.failed = true;
    };
    const holder = (address: bigint, length: number): Open | undefined =>
      open.find(
        (site) => address < site.address + BigInt(site.length) && site.address < address + BigInt(length) && !site.done,
      ) ??
      open.find(
        (site) => address < site.address + BigInt(site.length) && site.address < address + BigInt(length) && site.done,
      );
    /** Takes a line as the next visible step of its site. */
    const take = (site: Open, line: LoggedWrite | Extract<LogLine, { readonly kind: "event" }>, i: number): void => {
      unseen(site);
      const next = site.program.steps.slice(site.at).find(({ kind }) => kind !== "sync");
      const expected = line.kind === "write" && next?.kind === "write" && isStored(line, next, site);
      if (line.kind === "write" && !expected && site.program.handlers.some((store) => isStored(line, store, site)))
        return;
      const first = site.at === 0;
      if (!(first && !begun) && !synchronise(site, i, false)) {
        site.failed = true;
        return;
      }
      if (first && !begun) while (site.program.steps[site.at]?.kind === "sync") site.at++;
      unseen(site);
      const step = site.program.steps[site.at];
      const fits =
        line.kind === "write"
          ? step?.kind === "write" && isStored(line, step, site)
          : step?.kind === "event" &&
            step.begins === line.begins &&
            line.address === site.address &&
            line.length === site.length;
      if (!fits) {
        const found =
          line.kind === "write"
            ? `${line.length} ${line.length === 1 ? "byte" : "bytes"}, ${bytesText(line.bytes)}, at ${hex(line.address)}`
            : `an event of ${line.length} bytes at ${hex(line.address)}`;
        contradict(i, site, `found ${found}; the program has ${says(step)}`);
        return;
      }
      if (line.kind === "write") writes++;
      site.at++;
      site.since = i;
      site.cpu = line.cpu;
      if (!site.program.steps.slice(site.at).some(({ kind }) => kind === "write" || (kind === "event" && published))) {
        site.done = true;
        changes++;
      }
    };
    for (let i = from; i <= to; i++) {
      const line = lines[i] as LogLine;
      if (line.kind === "event") {
        const site = holder(line.address, line.length);
        if (site?.failed) continue;
        if (site?.program.steps.some(({ kind }) => kind === "event")) take(site, line, i);
        else if (site === undefined && started) strays.push(i);
        continue;
      }
      if (line.kind !== "write") continue;
      let site = holder(line.address, line.length);
      // What follows a contradiction of a site is no further one.
      if (site?.failed) continue;
      if (site === undefined || (site.done && !(begun && ended))) {
        if (site !== undefined) open.splice(open.indexOf(site), 1);
        const change = sites.changeAt(nearFrom(line.address, i));
        if (change === undefined) {
          if (started)
            contradict(
              i,
              undefined,
              `found ${bytesText(line.bytes)} at ${hex(line.address)}, where no change of the strategy begins`,
            );
          else before++;
          sites.note(line);
          continue;
        }
        started = true;
        for (const id of change.program.silent) silent.add(id);
        site = { ...change, at: 0, since: from, cpu: line.cpu, done: false, failed: false };
        open.push(site);
      }
      take(site, line, i);
      sites.note(line);
    }
    for (const i of sites.publishes ? strays : [])
      contradict(i, undefined, "an event about code that is not being changed");
    for (const site of open.filter(({ failed }) => !failed)) {
      if (ended) {
        unseen(site);
        if (!synchronise(site, to, true)) continue;
        const step = site.program.steps[site.at];
        if (step !== undefined)
          contradict(to, site, `the call returned, and ${says(step)} of ${hex(site.address)} is absent`);
      } else if (!site.done) skip(site.since, to, `${cut} while ${hex(site.address)} was being changed`);
    }
  };

  if (!called) {
    // Without calls all of a log is one, up to where lines were lost.
    const lost = lines.findIndex(({ kind }) => kind === "lost");
    const end = lost < 0 ? lines.length - 1 : lost - 1;
    segment(0, end, false, false, lost < 0 ? "the log ends" : "lines were lost");
    if (lost >= 0) skip(lost, lines.length - 1, "lines were lost");
    if (before > 0) skip(0, 0, `the log begins inside a change, ${before} writes of which are in it`);
  } else {
    let begin: number | undefined;
    let lost: number | undefined;
    /** Where what is outside of a call began; null: nobody knows whether this is outside. */
    let outside: number | null =
      lines.find(({ kind }) => kind === "call" || kind === "return")?.kind === "call" ? 0 : null;
    let unknown = 0;
    for (const [i, line] of lines.entries()) {
      if (line.kind === "lost") lost ??= i;
      if (line.kind === "write" && begin === undefined && outside !== null && lost === undefined)
        foreign.push({ line: line.number, address: line.address });
      if (line.kind === "call") {
        if (begin !== undefined) {
          segment(begin, (lost ?? i) - 1, true, false, lost === undefined ? "another call began" : "lines were lost");
          skip(lost ?? i, i - 1, "lines were lost");
        } else if (lost !== undefined) skip(lost, i - 1, "lines were lost");
        else if (outside === null) skip(unknown, i - 1, "the log begins inside a call");
        [begin, lost, outside] = [i, undefined, 0];
      }
      if (line.kind !== "return") continue;
      if (begin === undefined) {
        skip(unknown, i, lost === undefined ? "the log begins inside a call" : "lines were lost");
      } else if (lost === undefined) {
        segment(begin, i, true, true, "");
        calls++;
      } else {
        segment(begin, lost - 1, true, false, "lines were lost");
        skip(lost, i, "lines were lost");
      }
      unknown = i + 1;
      // Of what was lost nobody knows whether it was this call's return.
      outside = lost === undefined ? 0 : null;
      [begin, lost] = [undefined, undefined];
    }
    if (begin !== undefined) {
      const end = (lost ?? lines.length) - 1;
      segment(begin, end, true, false, lost === undefined ? "the log ends" : "lines were lost");
      skip(begin, lines.length - 1, lost === undefined ? "the log ends inside a call" : "lines were lost");
    } else if (lost !== undefined) skip(lost, lines.length - 1, "lines were lost");
  }

  const lineOf = (kind: string): string => `no ${kind} was ever logged: was its probe set, and did it fire?`;
  if (!has("write")) skip(0, lines.length - 1, lineOf("write of code"));
  else if (!synced && gaps.length > 0) skip(0, lines.length - 1, lineOf("synchronisation"));
  const wantsEvents = sites.publishes;
  if (has("write") && wantsEvents && !published) skip(0, lines.length - 1, lineOf("text-poke event"));
  const judged = gaps.filter((gap) => gap.judged).length;
  const open = gaps.length - judged;
  const unfired = !has("write") || (gaps.length > 0 && !synced) || (wantsEvents && !published);
  const answer = contradictions.length > 0 ? "contradicts" : unfired || changes === 0 ? "not-covered" : "conforms";
  const more = [...syncs.values()]
    .flat()
    .filter((i) => !needed.has(i))
    .sort((a, b) => a - b);
  return {
    answer,
    changes,
    writes,
    calls,
    gaps: { judged, notCovered: open },
    before,
    contradictions: contradictions.sort((a, b) => a.line - b.line),
    notCovered,
    foreign,
    more: more.map(number),
    silent: [...silent],
  };
};
