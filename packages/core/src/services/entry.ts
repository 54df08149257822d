import type { Context, CpuState } from "../contract/state.js";
import { NMI_OFF } from "../contract/state.js";
import type { World } from "../contract/world.js";

/* How a context comes onto a CPU: whether it takes an interrupt, what then runs, and what it leaves. */

/** How the handler of an interrupt from outside may start; `entry`: where its machine code does, null where a program comes first. */
export const handlersOf = (
  level: "irq" | "nmi",
  machine: World,
): readonly { readonly code: Context["code"]; readonly entry: bigint | null }[] => {
  const first = machine.handlerOf(level);
  if (first !== undefined) return [{ code: machine.start(first, {}, null), entry: null }];
  return machine.entries(level).map((entry) => ({ code: machine.enter(level, entry), entry }));
};

/** The CPU with one more context on top; whatever was partly fetched is discarded. */
export const push = (cpu: CpuState, context: Context, machine: World): CpuState => ({
  ...(machine.order.discard?.(cpu) ?? cpu),
  stack: [...cpu.stack, context],
  fetching: null,
});

/** Whether a CPU takes an interrupt now. */
export const takes = (cpu: CpuState, interrupt: "irq" | "ipi" | "nmi", machine: World): boolean =>
  !(interrupt === "nmi" && cpu.words[NMI_OFF] === true) &&
  machine.cpu.accepts(
    interrupt,
    cpu.stack.map((context) => context.level),
    cpu.stack.some((context) => context.masked),
  );
