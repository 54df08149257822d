import { hexAddress } from "../base/hex.js";
import type { AtSite, Executed, ExecutedAtSite } from "../contract/events.js";
import type { Property } from "../contract/property.js";
import { trace } from "./trace.js";

/*
 * The properties of safe code patching. Each is judged at the event that can break it, from what was observed there.
 */

/** Where an instruction went, unless to the one behind it. */
const wayOf = ({ at, bytes, next }: Executed): string =>
  next === at || next === at + BigInt(bytes.length / 2) ? "" : ` It went to ${hexAddress(next)}.`;
const version = (index: number): string => (index === 0 ? "old" : "new");

/** One passage through a site executes instructions of one version. */
const midSequence: Property = {
  id: "mid-sequence",
  breaksWhen: "one passage through a site executes instructions of more than one version",
  judge(observation) {
    if (observation.what === "execute") {
      const e = observation.detail;
      if (e.site === null || e.owned || e.before === null || e.before.some((v) => e.matched.includes(v)))
        return undefined;
      return `The passage had executed the ${e.before.map(version).join(" or ")} code and went on at ${hexAddress(e.at)} with ${e.text}, which is not of that version.${wayOf(e)}`;
    }
    if (observation.what === "return-from-trap") {
      const r = observation.detail;
      if (r.site === null || r.restarted || r.before === null || r.before.some((v) => r.matched.includes(v)))
        return undefined;
      return `The passage had executed the ${r.before.map(version).join(" or ")} code and the trap at ${hexAddress(r.at)} emulated another version.`;
    }
    return undefined;
  },
};

/** What is wrong with an instruction or data that is of neither version that a change is about, as the end of a sentence. */
const strangeness = (
  what: string,
  { matched, held = [], from, to }: Pick<AtSite, "matched" | "from" | "to"> & Pick<ExecutedAtSite, "held">,
): string => {
  const [one] = matched;
  if (one !== undefined)
    return `the ${version(one)} ${what} there, while the last change that was begun is from the ${version(from)} code to the ${version(to)}`;
  const [other] = held;
  return other === undefined
    ? `neither the old nor the new ${what} there`
    : `of the ${held.map(version).join(" and the ")} code, but no ${what} of it begins there`;
};

/** Every instruction executed inside a site is of the old or the new version. */
const oldOrNew: Property = {
  id: "old-or-new",
  breaksWhen:
    "a CPU executes in a site what is neither the old nor the new instruction there, or elsewhere what nobody laid out or stores there",
  judge(observation) {
    if (observation.what === "load-site") {
      const l = observation.detail;
      if (l.matched.includes(l.from) || l.matched.includes(l.to)) return undefined;
      return `The code at ${hexAddress(l.at)} loaded ${l.bytes} from ${hexAddress(l.address)}, which is ${strangeness("data", l)}.`;
    }
    if (observation.what !== "execute") return undefined;
    const e = observation.detail;
    if (e.strange)
      return `The CPU executed ${e.text} (bytes ${e.bytes}) at ${hexAddress(e.at)}, which is no code that lies there or that a program stores there.`;
    if (e.site === null || e.owned || e.matched.includes(e.from) || e.matched.includes(e.to)) return undefined;
    return `The CPU executed ${e.text} (bytes ${e.bytes}) at ${hexAddress(e.at)}, which is ${strangeness("instruction", e)}.`;
  },
};

/** A trap caused by a patcher's byte is claimed by a handler. */
const trapOwned: Property = {
  id: "trap-owned",
  breaksWhen: "a trap caused by a patcher's byte finds no handler that claims it",
  judge(observation) {
    if (observation.what !== "trap-unclaimed") return undefined;
    const t = observation.detail;
    return t.patchers
      ? `The ${t.vector} trap at ${hexAddress(t.at)} was caused by a patcher's byte, and no handler claimed it.`
      : undefined;
  },
};

/** A trap's handler leaves the effect of the old or the new instruction, and of the new one once that is published. */
const emulation: Property = {
  id: "emulation",
  breaksWhen: "the state after a trap handler is neither the old nor the new instruction's, or not the published one's",
  judge(observation) {
    if (observation.what !== "return-from-trap") return undefined;
    const r = observation.detail;
    if (r.site === null || r.restarted) return undefined;
    if (r.published !== null && !r.matched.includes(r.published)) {
      return `The handler of the trap at ${hexAddress(r.at)} resumed at ${hexAddress(r.resumes)}, which is not the effect of the published instruction.`;
    }
    if (r.matched.includes(r.from) || r.matched.includes(r.to)) return undefined;
    return `The handler of the trap at ${hexAddress(r.at)} resumed at ${hexAddress(r.resumes)} with the effect of neither the old nor the new instruction.`;
  },
};

/** After the patch call returned nobody executes the old version. */
const done: Property = {
  id: "done",
  breaksWhen: "an instruction has the old one's effect after the patch call returned",
  judge(observation) {
    if (observation.what === "load-site") {
      const l = observation.detail;
      if (l.calling || l.matched.includes(l.to) || !l.matched.includes(l.from)) return undefined;
      return `The code at ${hexAddress(l.at)} loaded the old data from ${hexAddress(l.address)} after the patch call had returned.`;
    }
    if (observation.what === "execute") {
      const e = observation.detail;
      if (e.site === null || e.calling || e.owned || e.matched.includes(e.to) || !e.matched.includes(e.from))
        return undefined;
      return `The CPU executed the old ${e.text} at ${hexAddress(e.at)} after the patch call had returned.`;
    }
    if (observation.what === "return-from-trap") {
      const r = observation.detail;
      if (r.site === null || r.calling || r.restarted || r.matched.includes(r.to) || !r.matched.includes(r.from))
        return undefined;
      return `The trap at ${hexAddress(r.at)} was given the old instruction's effect after the patch call had returned.`;
    }
    return undefined;
  },
};

/** Code and the data bound to it are used in a combination that was published; strategies observe `pair` themselves. */
const pair: Property = {
  id: "pair",
  breaksWhen: "code and the data it is bound to are used in a combination that no published version had",
  judge(observation) {
    if (observation.what !== "pair") return undefined;
    const p = observation.detail;
    return p.published
      ? undefined
      : `The combination ${JSON.stringify(p.values, (_, value) => (typeof value === "bigint" ? hexAddress(value) : value))} was used, which no published version had.`;
  },
};

/** Nothing is used after it was freed: words, data and text. */
const lifetime: Property = {
  id: "lifetime",
  breaksWhen: "a shared word, data or text is used, or freed again, after the program freed it",
  judge({ what, detail: seen }) {
    if (what === "load-freed") return `The word ${seen.word} was loaded after it had been freed.`;
    if (what === "free-code")
      return seen.twice ? `The text at ${hexAddress(seen.address)} was given back twice.` : undefined;
    if (what === "free") return seen.twice === true ? `The word ${seen.word} was freed twice.` : undefined;
    if (what === "free-data")
      return seen.twice === undefined ? undefined : `The data at ${hexAddress(seen.twice)} was given back twice.`;
    if (what === "window-store" && seen.freedData !== undefined)
      return `The data at ${hexAddress(seen.freedData)} was stored to after it had been given back.`;
    if (what === "store-freed") {
      const at = hexAddress(seen.address);
      return seen.data === true
        ? `The data at ${at} was stored to after it had been given back.`
        : `The text at ${at} was stored to while nothing was mapped there.`;
    }
    if (!("freed" in seen) || seen.freed === undefined) return undefined;
    if (what === "execute") return `The CPU executed ${seen.text} at ${hexAddress(seen.at)}: ${seen.freed}.`;
    if (what === "store" || what === "window-store")
      return `The text at ${hexAddress(seen.freed)} was stored to while nothing was mapped there.`;
    if (what === "expect-text") return `The text at ${hexAddress(seen.freed)} was read while nothing was mapped there.`;
    return goingOn.has(what) ? `A context goes on in freed text: ${seen.freed}.` : undefined;
  },
};

/** Observations of contexts that go on where they were stopped. */
const goingOn: ReadonlySet<string> = new Set(["resume", "exit-stopper", "return-from-interrupt", "return-from-trap"]);

/** A declared window holds one program at a time. */
const exclusive: Property = {
  id: "exclusive",
  breaksWhen: "two patchers are inside one declared window",
  judge(observation) {
    if (observation.what !== "enterWindow") return undefined;
    const w = observation.detail;
    return w.inside > 1 ? `${w.inside} programs were inside the window ${w.window} at the same time.` : undefined;
  },
};

/** Every exception is handled, and control stays in the modelled code or leaves it where somebody said so. */
const fault: Property = {
  id: "fault",
  breaksWhen: "an exception finds no handler, or control leaves the modelled code for where no code names",
  consequenceOf: ["mid-sequence", "old-or-new", "lifetime", "rule"],
  judge(observation) {
    if (observation.what === "store-faulted")
      return `The program stored ${observation.detail.bytes} directly, and the text at ${hexAddress(observation.detail.address)} was read-only.`;
    if (observation.what !== "fault") return undefined;
    const f = observation.detail;
    const what = f.text === "" ? "The CPU stood" : `The CPU executed ${f.text}`;
    return `${what} at ${hexAddress(f.at)}: ${f.why}.`;
  },
};

/**
 * What a program asserts holds, memory holds the text that it expects, nobody gets to a forbidden place, and what a program took it has given back
 * when it ends.
 */
const assertion: Property = {
  id: "assertion",
  breaksWhen:
    "a program's assertion does not hold, text is not as it expects, a forbidden place is executed, or a program ends with interrupts off, a lock held, or in a section or a window",
  judge({ what, detail }) {
    if (what === "assert") return detail.holds ? undefined : `The assertion ${detail.id} does not hold: ${detail.why}`;
    if (what === "expect-text") {
      const { address, expected, found } = detail;
      return found === expected
        ? undefined
        : `The program expected ${expected} at ${hexAddress(address)}, and memory held ${found} there.`;
    }
    if (what === "unlock" && detail.strange)
      return `A program released the lock ${detail.name}, which it did not hold.`;
    if (what === "leaveWindow" && detail.strange)
      return `A program left the window ${detail.window}, which it was not in.`;
    if (what === "left-open") return `${detail.by} with ${detail.things.join(" and ")}.`;
    if (what !== "execute" || detail.forbidden === undefined) return undefined;
    return `The CPU executed ${detail.text} at ${hexAddress(detail.at)}, where nobody may get: ${detail.forbidden}`;
  },
};

/** Nothing is executed or mixed in a way that the fetch model's architecture declares unpredictable. */
const rule: Property = {
  id: "rule",
  breaksWhen: "an instruction is executed or a pair is patched in a way that the architecture declares unpredictable",
  judge(observation) {
    if (observation.what !== "execute") return undefined;
    const e = observation.detail;
    return e.refused === null ? undefined : `${e.text} at ${hexAddress(e.at)}: ${e.refused}`;
  },
};

/** All properties that are judged at events, in the order in which they are reported. `progress` is judged on the whole graph. */
export const eventProperties: readonly Property[] = [
  midSequence,
  oldOrNew,
  trapOwned,
  emulation,
  done,
  pair,
  lifetime,
  exclusive,
  fault,
  assertion,
  trace,
  rule,
];
