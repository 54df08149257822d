import { isImpossible, type Line, type PatchStrategy } from "@cmodx/core";
import { int3 } from "@cmodx/x86";

/** The steps of int3 behind which its event could stand; null: before all of them. */
export const places = [null, "write-int3", "sync-1", "write-tail", "sync-2", "write-first", "sync-3"] as const;
export type EventPlace = (typeof places)[number];

/** int3 with its event published right after a step. */
export const withEventAfter = (step: EventPlace): PatchStrategy => {
  const strategy = int3({ events: true });
  return {
    ...strategy,
    plan(flip, context) {
      const program = strategy.plan(flip, context);
      if (isImpossible(program)) return program;
      const event = program.main.filter(({ id }) => id === "event");
      const others = program.main.filter(({ id }) => id !== "event");
      const place = step ?? "get-refs";
      return {
        ...program,
        main: others.flatMap((line): readonly Line[] => (line.id === place ? [line, ...event] : [line])),
      };
    },
  };
};
