import { runEvents } from "./events.js";
import type { Recording } from "./recording.js";

/** A time in microseconds, exactly. */
const micro = (nanoseconds: bigint): string =>
  `${nanoseconds / 1000n}.${(nanoseconds % 1000n).toString().padStart(3, "0")}`;

/**
 * A recording as Chrome's trace format has it ("Trace Event Format", JSON object form), which Perfetto and `chrome://tracing` open: each
 * CPU is a thread, each event an instant.
 */
export const chromeTrace = (recording: Recording): string => {
  const lines: string[] = [];
  const add = (fields: string, args: object): void => {
    const json = JSON.stringify(args, (_, value) => (typeof value === "bigint" ? `0x${value.toString(16)}` : value));
    lines.push(`{${fields},"args":${json}}`);
  };
  add('"ph":"M","pid":1,"tid":0,"name":"process_name"', { name: recording.title });
  for (let cpu = 0; cpu < recording.cpus; cpu++)
    add(`"ph":"M","pid":1,"tid":${cpu},"name":"thread_name"`, { name: `CPU ${cpu}` });
  for (const { time, cpu, task, type, values } of runEvents(recording))
    add(`"ph":"i","s":"t","pid":1,"tid":${cpu},"ts":${micro(time)},"name":${JSON.stringify(type.name)}`, {
      ...values,
      task: `${task.name}-${task.pid}`,
    });
  return `{"displayTimeUnit":"ns","traceEvents":[\n${lines.join(",\n")}\n]}\n`;
};
