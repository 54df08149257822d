export { chromeTrace } from "./chrome.js";
export { readLog } from "./conform/file.js";
export { type Conformance, type Contradiction, conform, type NotCovered } from "./conform/follow.js";
export type { Log, LogKind, LogLine } from "./conform/log.js";
export { ctf } from "./ctf.js";
export { type EventType, eventTypes, type FieldKind, type FieldValue, type RunEvent, runEvents } from "./events.js";
export type { SparseFile } from "./perf/kcore.js";
export {
  type PerfContent,
  type PerfRecord,
  type PerfTextPoke,
  readPerfData,
  readRecords,
  readStamp,
  readTextPoke,
} from "./perf/read.js";
export { type Stamp, type TextPoke, textPoke } from "./perf/records.js";
export { type PerfFile, type PerfRecording, perfRecording } from "./perf/write.js";
export { type Place, type RecordedStep, type Recording, type Region, recordingOf, type Start } from "./recording.js";
export type { Task } from "./tasks.js";
export { type LostEvents, readTraceDat, type TraceDatContent, type TraceDatEvent } from "./trace-dat/read.js";
export { traceDat } from "./trace-dat/write.js";
