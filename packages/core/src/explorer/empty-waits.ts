import { nearest } from "../base/nearest.js";
import type { EmptyWait } from "../contract/verdict.js";
import type { Machine } from "../machine/machine.js";

/** The names of all domains of SRCU begin so. */
const SRCU = "srcu:";

/** Whether nothing but read-side sections holds back a grace period of a flavour (R16). */
const isOfReadersAlone = (flavour: string): boolean => flavour.startsWith(SRCU) || flavour === "rcu-tasks-trace";

/** The waits for readers of a flavour whose sections no program and no code enters: a name that is misspelt, or a wait that is left over. */
export const emptyWaitsIn = ({ layout }: Machine): readonly EmptyWait[] => {
  const flavours = (operation: "readLock" | "beginGrace"): readonly string[] =>
    [...layout.programs.values()].flatMap(({ code }) =>
      code.flatMap((entry) =>
        entry.kind === "op" && entry.op === operation ? [(entry.args as { readonly flavour: string }).flavour] : [],
      ),
    );
  const code = layout.readSides.map(({ section }) => section.slice(0, section.lastIndexOf("@")));
  const entered = new Set([...flavours("readLock"), ...code]);
  return [...new Set(flavours("beginGrace"))]
    .filter((flavour) => isOfReadersAlone(flavour) && !entered.has(flavour))
    .sort()
    .map((flavour) => ({ flavour, near: near(flavour, entered) }));
};

const near = (flavour: string, entered: ReadonlySet<string>): readonly string[] => {
  const domains = [...entered].filter((each) => each.startsWith(SRCU)).map((each) => each.slice(SRCU.length));
  return flavour.startsWith(SRCU) ? nearest(flavour.slice(SRCU.length), domains).map((each) => `${SRCU}${each}`) : [];
};
