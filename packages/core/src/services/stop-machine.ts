import type { Line, ProgramRole, Step } from "../contract/program.js";
import { cpuMap, cpuPredicate, rule } from "../contract/rule.js";
import { type Context, type Posted, running, type StopState, withRunning } from "../contract/state.js";
import { quiet } from "../contract/telling.js";
import { step } from "../program/builder.js";
import { isPosted, post } from "./posted.js";

/*
 * R15: stop_machine, the state machine of multi_cpu_stop (kernel/stop_machine.c, 7.3). It stops tasks, not NMIs; what a task was
 * doing when it was stopped stays as it is.
 */

type Work = { readonly work: string };

const stopper = ({ work }: Work): Posted => ({ kind: "stopper", work });

type Stage = { readonly stage: StopState["stage"] };

/** The stages as the kernel names them. */
const stageNames: { readonly [stage in StopState["stage"]]: string } = {
  prepare: "PREPARE",
  "disable-irq": "DISABLE_IRQ",
  run: "RUN",
  exit: "EXIT",
};

const nextStage: { readonly [stage in StopState["stage"]]: StopState["stage"] } = {
  prepare: "disable-irq",
  "disable-irq": "run",
  run: "exit",
  exit: "exit",
};

/** Posts the work to the stopper of every CPU. */
export const queueStopRule = rule({
  id: "queueStop",
  source: "stop_machine_cpuslocked, kernel/stop_machine.c, 7.3",
  sleeps: true,
  reads: ["cpu", "services"],
  writes: ["cpu", "services", "everyCpu"],
  says: {
    "queue-stop": () => "stop_machine: wakes the stopper of every CPU",
  },
  maps: ["queue-stopper"],
  posts: stopper,
  ordering: () => "atomic",
  apply({ cpu, services }, args: Work, machine) {
    if (services.stop !== null) return [];
    const stop: StopState = { work: args.work, stage: "prepare", acks: machine.cpus };
    return [
      {
        set: { cpu: machine.advance(cpu), services: { ...services, stop } },
        everyCpu: { id: "queue-stopper", args },
        observed: [{ what: "queue-stop", detail: {} }],
      },
    ];
  },
});

/** Queues stopper work on one CPU. */
export const queueStopperMap = cpuMap({
  id: "queue-stopper",
  touches: ["pending"],
  apply: (cpu, args: Work) => post(cpu, stopper(args)),
});

/** The caller sleeps until every stopper is done. */
export const awaitStopRule = rule({
  id: "awaitStop",
  source: "wait_for_completion in stop_cpus, kernel/stop_machine.c, 7.3",
  sleeps: true,
  reads: ["cpu", "services"],
  writes: ["cpu", "services"],
  says: {
    stopped: () => "every stopper has ended",
  },
  ordering: () => "event",
  guard: (args: Work) => ({ id: "not-stopped", args }),
  outwaits: "queueStop",
  waits: () => "for every stopper to end",
  apply: ({ cpu, services }, _args: Work, machine) => [
    {
      set: { cpu: machine.advance(cpu), services: { ...services, stop: null } },
      observed: [{ what: "stopped", detail: {} }],
    },
  ],
});

/** This CPU's stopper is done with the work. */
export const notStoppedPredicate = cpuPredicate({
  id: "not-stopped",
  holds: (cpu, args: Work, machine) =>
    !isPosted(cpu, stopper(args)) &&
    !cpu.stack.some(({ code }) => code.run === "program" && isStopperOf(machine.roleOf(code.program), args)),
});

const isStopperOf = (role: ProgramRole, { work }: Work): boolean => role.is === "stopper" && role.work === work;

/** Acknowledges a stage; the last CPU to do so begins the next. */
export const ackStopRule = rule({
  id: "ackStop",
  source: "ack_state, set_state, kernel/stop_machine.c, 7.3",
  reads: ["cpu", "services"],
  writes: ["cpu", "services"],
  says: {
    "ack-stop": ({ stage }) => quiet(`acknowledges ${stageNames[stage]}`),
  },
  ordering: () => "atomic",
  apply({ cpu, services }, args: Stage, machine) {
    const stop = services.stop;
    if (stop === null || stop.stage !== args.stage) return [];
    const left = stop.acks - 1;
    const advanced: StopState =
      left > 0 ? { ...stop, acks: left } : { ...stop, stage: nextStage[args.stage], acks: machine.cpus };
    const context = running(cpu) as Context;
    const stopped = args.stage === "disable-irq" ? withRunning(cpu, { ...context, masked: true }) : cpu;
    return [
      {
        set: { cpu: machine.advance(stopped), services: { ...services, stop: advanced } },
        observed: [{ what: "ack-stop", detail: { stage: args.stage, last: left === 0 } }],
      },
    ];
  },
});

/** Waits for a stage to begin. */
export const awaitStopStageRule = rule({
  id: "awaitStopStage",
  source: "multi_cpu_stop, kernel/stop_machine.c, 7.3",
  reads: ["cpu", "services"],
  writes: ["cpu"],
  says: {
    "stop-stage": ({ stage }) => quiet(`sees ${stageNames[stage]}`),
  },
  apply: ({ cpu, services }, args: Stage, machine) =>
    services.stop?.stage === args.stage
      ? [{ set: { cpu: machine.advance(cpu) }, observed: [{ what: "stop-stage", detail: { stage: args.stage } }] }]
      : [],
});

/**
 * `stop_machine(fn, data, NULL)`: every CPU's stopper thread passes PREPARE, DISABLE_IRQ, RUN and EXIT; `run` is done in RUN by
 * the first online CPU alone, or with `everywhere` by every CPU (`cpu_online_mask`), `secondaries` by each but the first before it leaves
 * EXIT. (kernel/stop_machine.c, multi_cpu_stop, 7.3)
 */
export const stopMachine = (
  id: string,
  does: { readonly run: readonly Line[]; readonly secondaries?: readonly Line[]; readonly everywhere?: boolean },
  note?: string,
): Step => {
  const { everywhere, ...given } = does;
  const all = everywhere === undefined || everywhere === false ? {} : { everywhere };
  return step(id, "stopMachine", { secondaries: [], ...given, ...all }, note);
};
