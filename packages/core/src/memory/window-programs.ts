import type { Machine } from "../machine/machine.js";
import { overlaid } from "../machine/windows.js";
import type { Write, Written } from "../memory-order.js";
import { type Effect, rule } from "../rule.js";
import { addressKey, type Cell } from "../state.js";
import { perform } from "./perform.js";
import { begins, cleaned, completes, invalidationsOf, withBegun, withChange } from "./window-code.js";
import type { WindowModel } from "./window-model.js";
import { windowOfCpu, withWindow } from "./window-state.js";

/*
 * Patch programs under the window order. Their steps take place in program order and at once; what they store, clean and invalidate
 * reaches the windows of machine code as what machine code stores does.
 */

/** A write of a program, or of a handler that gives an instruction its effect: all see it at once. */
export const writeOf = (parts: Written, write: Write, machine: Machine): Written => {
  if (write.to !== "code") return perform(parts, write, machine);
  const { memory } = parts;
  const base = machine.cellOf(write.address);
  if (memory === undefined || base === undefined) throw new Error("Every store of code has its cell.");
  const key = addressKey(base);
  const old = (memory.cells[key] as Cell).latest;
  const value = overlaid(old, 2 * Number(write.address - base), write.bytes);
  if (value === old) return parts;
  const change = { key, old, value };
  return {
    ...parts,
    memory: withChange(memory, change, machine),
    everyCpu: { id: "age-window", args: { changes: [change] } },
  };
};

/** A program's cache maintenance of the line of an address, or of all code. */
export const maintainRuleOf = (model: WindowModel) =>
  rule({
    id: "maintain",
    source: "R28",
    reads: ["cpu", "memory"],
    writes: ["cpu", "memory", "everyCpu"],
    maps: ["invalidate-window"],
    apply(
      { cpu, memory },
      args: { readonly operation: string; readonly address?: bigint },
      machine,
    ): readonly Effect[] {
      const { operation, address } = args;
      const observed = [{ what: "maintain", detail: args }];
      const after = machine.advance(cpu);
      if (model.steps[operation]?.is === "clean")
        return [{ set: { cpu: after, memory: cleaned(memory, operation, address, machine) }, observed }];
      const invalidations = invalidationsOf(memory, operation, address, machine);
      return [{ set: { cpu: withBegun(after, invalidations) }, ...begins(invalidations), observed }];
    },
  });

/** A program's barrier: one that completes invalidations is done when these are in force everywhere. */
export const fenceRuleOf = (model: WindowModel) =>
  rule({
    id: "fence",
    source: "R29",
    reads: ["cpu"],
    writes: ["cpu", "everyCpu"],
    maps: ["invalidated-window"],
    apply({ cpu }, args: { readonly kind: string }, machine): readonly Effect[] {
      const observed = [{ what: "fence", detail: args }];
      const after = machine.advance(cpu);
      const step = model.steps[args.kind];
      const window = windowOfCpu(after);
      if (step?.is !== "barrier" || step.completes !== true || window.begun.length === 0)
        return [{ set: { cpu: after }, observed }];
      return [{ set: { cpu: withWindow(after, { ...window, begun: [] }) }, ...completes(window.begun), observed }];
    },
  });
