import { fromHex, InputError, isImpossible, type Line, type PatchStrategy, type PlanContext } from "@cmodx/core";

/*
 * What a log can show of a strategy's program for one site: its stores, events and synchronisations, in their order. Taken from `plan`.
 */

/** A step that a log can show. */
export type VisibleStep = { readonly id: string } & (
  | { readonly kind: "write"; readonly address: bigint; readonly bytes: readonly number[] }
  | { readonly kind: "event"; readonly begins: boolean }
  /** Every CPU synchronises, or every other than the patcher's. */
  | { readonly kind: "sync"; readonly others: boolean }
);

/** A step that stores. */
export type StoreStep = Extract<VisibleStep, { readonly kind: "write" }>;

/** A site of a log, with what stood there before and behind. */
export type LoggedSite = {
  readonly address: bigint;
  readonly old: readonly number[];
  readonly next: readonly number[];
};

/** The visible steps of a program, and the ids of those that no log shows. */
export type VisibleProgram = {
  readonly steps: readonly VisibleStep[];
  readonly silent: readonly string[];
  /** Stores of its handlers, which may be made whenever one runs. */
  readonly handlers: readonly StoreStep[];
};

const synchronises = (lines: readonly Line[]): boolean =>
  lines.some((line) => "op" in line && (line.op === "syncCore" || line.op === "syncCores"));

const follow = (lines: readonly Line[], steps: VisibleStep[], silent: string[], strategy: PatchStrategy): void => {
  for (const line of lines) {
    if (!("op" in line)) {
      const nested: VisibleStep[] = [];
      follow("when" in line ? [...line.lines, ...(line.otherwise ?? [])] : line.repeat, nested, silent, strategy);
      if (nested.length > 0)
        throw new InputError(
          `The program of ${strategy.id} branches at ${line.id}; a log is followed through programs that go straight on.`,
          { place: "--strategy", code: "impossible" },
        );
      continue;
    }
    const { id } = line;
    switch (line.op) {
      case "store":
        steps.push({ kind: "write", id, address: line.args.address, bytes: fromHex(line.args.bytes) });
        break;
      case "publishEvent":
        steps.push({ kind: "event", id, begins: line.args.begins });
        break;
      case "syncCores":
        steps.push({ kind: "sync", id, others: false });
        break;
      case "sendIpi":
        if (synchronises(line.args.handler)) steps.push({ kind: "sync", id, others: line.args.self !== true });
        else silent.push(id);
        break;
      case "stopMachine":
        silent.push(id);
        follow(line.args.run, steps, silent, strategy);
        if (synchronises(line.args.secondaries)) steps.push({ kind: "sync", id, others: true });
        break;
      default:
        silent.push(id);
    }
  }
};

/** Every store of lines, whether they are taken or not. */
const storesIn = (lines: readonly Line[]): readonly StoreStep[] =>
  lines.flatMap((line): readonly StoreStep[] => {
    if ("when" in line) return storesIn([...line.lines, ...(line.otherwise ?? [])]);
    if ("while" in line) return storesIn(line.repeat);
    if (line.op !== "store") return [];
    return [{ kind: "write", id: line.id, address: line.args.address, bytes: fromHex(line.args.bytes) }];
  });

/** The program of a strategy for one site as a log shows it; undefined where the strategy cannot change that site. */
export const visibleProgram = (
  strategy: PatchStrategy,
  { address, old, next }: LoggedSite,
  context: PlanContext,
): VisibleProgram | undefined => {
  const program = strategy.plan({ sites: [{ address, old, next }] }, context);
  if (isImpossible(program)) return undefined;
  const steps: VisibleStep[] = [];
  const silent: string[] = [];
  follow(program.main, steps, silent, strategy);
  return { steps, silent, handlers: Object.values(program.traps ?? {}).flatMap(storesIn) };
};
