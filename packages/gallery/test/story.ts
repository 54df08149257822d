import { type EventName, type Events, eventsOf, type TraceStep, type Verdict } from "@cmodx/core";

/** The property that is shown broken, or what the verdict is else. */
export const answer = (verdict: Verdict): string => (verdict.verdict === "unsafe" ? verdict.property : verdict.verdict);

/** What a step of a trace has to be: who, its step or rule, and more where that does not tell. */
export type Key = readonly [cpu: number, name: string, more?: (step: TraceStep) => boolean];

/** The keys that a trace has in this order, other steps in between. */
export const story = (trace: readonly TraceStep[], keys: readonly Key[]): readonly string[] => {
  const found: string[] = [];
  let from = 0;
  for (const [cpu, name, more = () => true] of keys) {
    const at = trace.findIndex(
      (step, i) => i >= from && step.cpu === cpu && (step.step === name || step.rule === name) && more(step),
    );
    if (at < 0) break;
    found.push(`${cpu} ${name}`);
    from = at + 1;
  }
  return found;
};

/** Whether something was observed in a step, with these details. */
export const seen =
  <E extends EventName>(what: E, detail: Partial<Events[E]> = {}) =>
  ({ observed }: TraceStep): boolean =>
    eventsOf(observed, what).some((event) =>
      Object.entries(detail).every(([name, value]) => event[name as keyof Events[E]] === value),
    );
