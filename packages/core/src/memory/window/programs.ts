import { InputError } from "../../base/errors.js";
import { own } from "../../base/own.js";
import type { Effect } from "../../contract/effect.js";
import type { Write, Written } from "../../contract/memory-order.js";
import { rule } from "../../contract/rule.js";
import { quiet } from "../../contract/telling.js";
import { maintenance } from "../../services/said.js";
import { completes } from "./code.js";
import type { WindowModel } from "./model.js";
import { withPosted } from "./posted.js";
import { windowOfCpu, withWindow } from "./state.js";

/*
 * Patch programs under the window order: their steps are taken in program order, and what these do to memory takes place later (R41). It
 * reaches the windows of machine code as what machine code stores does.
 */

/** A write of a program, or of a handler that gives an instruction its effect. */
export const writeOf =
  (model: WindowModel) =>
  (parts: Written, write: Write): Written => ({ ...parts, cpu: withPosted(parts.cpu, { is: "write", write }, model) });

/** A program's cache maintenance of the line of an address, or of all code. */
export const maintainRuleOf = (model: WindowModel) =>
  rule({
    id: "maintain",
    source: "R28, R41",
    names: { operation: "maintenance" },
    reads: ["cpu"],
    writes: ["cpu"],
    says: {
      maintain: (detail, telling) => quiet(maintenance(detail, telling)),
    },
    apply({ cpu }, args: { readonly operation: string; readonly address?: bigint }, machine): readonly Effect[] {
      if (own(machine.cache.operations, args.operation) === undefined)
        throw new InputError(`This architecture has no cache maintenance ${args.operation}.`, { code: "unknown-name" });
      const is = own(model.steps, args.operation)?.is;
      const after = machine.advance(cpu);
      const done = is === "clean" || is === "invalidate" ? withPosted(after, { is, ...args }, model) : after;
      return [{ set: { cpu: done }, observed: [{ what: "maintain", detail: args }] }];
    },
  });

/** A program's barrier: one that completes invalidations is done when these are in force everywhere. */
export const fenceRuleOf = (model: WindowModel) =>
  rule({
    id: "fence",
    source: "R29, R41",
    names: { kind: "barrier" },
    reads: ["cpu"],
    writes: ["cpu", "everyCpu"],
    says: {
      fence: ({ kind }) => quiet(`${kind} barrier`),
    },
    maps: ["invalidated-window"],
    ordering: ({ kind }: { readonly kind: string }) => kind,
    apply({ cpu }, args: { readonly kind: string }, machine): readonly Effect[] {
      const observed = [{ what: "fence", detail: args }] as const;
      const step = own(model.steps, args.kind);
      const advanced = machine.advance(cpu);
      if (step?.is !== "barrier") return [{ set: { cpu: advanced }, observed }];
      const after = withPosted(advanced, { is: "barrier", step: args.kind }, model);
      const window = windowOfCpu(after);
      if (step.completes !== true || window.begun.length === 0) return [{ set: { cpu: after }, observed }];
      return [{ set: { cpu: withWindow(after, { ...window, begun: [] }) }, ...completes(window.begun), observed }];
    },
  });
