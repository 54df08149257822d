import {
  type EventName,
  type Events,
  eventsOf,
  exceptionWords,
  type Observation,
  quiet,
  type Says,
  type Telling,
  type Told,
  type TraceStep,
  type World,
} from "@cmodx/core";

/* What the steps of a trace did, in the field's words: those of the rules that took them. */

/** An address as people speak of it: `+0` in the only site, `site 1 +0` in one of several, else the number. */
export const placeOf = (address: bigint, { layout: { sites } }: Pick<World, "layout">): string => {
  const inside = sites.findIndex((site) => address >= site.address && address < site.address + BigInt(site.length));
  const index = inside >= 0 ? inside : sites.findIndex((site) => address === site.address + BigInt(site.length));
  const site = sites[index];
  if (site === undefined) return `0x${address.toString(16)}`;
  const offset = `+${address - site.address}`;
  return sites.length === 1 ? offset : `site ${index} ${offset}`;
};

const loud = (said: string | Told): Told => (typeof said === "string" ? { text: said, quiet: false } : said);

const wordsFor = <E extends EventName>(
  says: Says | undefined,
  { what, detail }: { readonly what: E; readonly detail: Events[E] },
  telling: Telling,
): Told | undefined => {
  const said = says?.[what]?.(detail, telling);
  return said === undefined ? undefined : loud(said);
};

/** The rules that are there, the first that has words for an event among them. */
type Book = World & { readonly book: { readonly rules: readonly { readonly says?: Says }[] } };

/** The words of the rule that took the step; where it has none for an event of another rule, that one's. */
const saidOf = (observation: Observation, telling: Telling, machine: Book): Told | undefined =>
  wordsFor(machine.rule(telling.step.rule).says, observation, telling) ??
  wordsFor(machine.book.rules.find(({ says }) => says?.[observation.what] !== undefined)?.says, observation, telling);

/** Interrupt handlers are shared by the steps that send them, so the names of their steps would mislead. */
const named = ({ step, before, cpu }: TraceStep): string => {
  const context = before.cpus[cpu]?.stack.at(-1);
  return step === null || step === "unclaimed" || context?.level === "irq" ? "" : `${step}: `;
};

const calls: ReadonlySet<string> = new Set(["begin-call", "return-call"]);

/** What a step did, apart from the fault that came of it. */
const last = (observed: readonly Observation[]): Observation | undefined =>
  observed.findLast(({ what }) => what !== "fault");

/** A window lets several instructions take effect in one step. */
const executions = (telling: Telling, machine: Book): Told => {
  const { observed } = telling.step;
  const told = observed.flatMap((observation): readonly Told[] => {
    const each = saidOf(observation, telling, machine);
    if (each === undefined) return [];
    const { detail } = observation;
    const faults = "at" in detail && eventsOf(observed, "fault").some(({ at }) => at === detail.at);
    return [faults ? loud(each.text) : each];
  });
  const shown = told.filter((each) => !each.quiet);
  if (told.length === 0) return quiet("goes on");
  return {
    text: (shown.length > 0 ? shown : told).map(({ text }) => text).join("; "),
    quiet: shown.length === 0,
  };
};

/** Says in the field's words what the acting CPU did. */
export const tell = (step: TraceStep, machine: Book): Told => {
  const telling: Telling = { step, world: machine, place: (address) => placeOf(address, machine) };
  if (step.rule === machine.order.execute.id) return executions(telling, machine);
  const observation = last(step.observed);
  const plain = observation === undefined ? undefined : saidOf(observation, telling, machine);
  if (observation === undefined || plain === undefined) return loud(`${named(step)}${step.rule}`);
  const [fault] = eventsOf(step.observed, "fault");
  const fell = fault === undefined || observation.what === "trap-unclaimed" ? undefined : fault;
  const told =
    fell === undefined
      ? plain
      : loud(`${plain.text}; ${wordsFor(exceptionWords, { what: "fault", detail: fell }, telling)?.text}`);
  return calls.has(observation.what) ? told : { ...told, text: `${named(step)}${told.text}` };
};
