import { scaleLinear, scaleLog } from "d3-scale";
import { thousands } from "../text.js";
import { widthOf } from "./widths.js";

/** The unit of what an axis shows: nanoseconds, a part of 1, or a number of things. */
export type Unit = "ns" | "part" | "count";

/** An axis: where values stand on it, and its labelled ticks. */
export type Axis = {
  /** Where a value stands; undefined for one that a logarithmic axis does not have. */
  at(value: number): number | undefined;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
  readonly logarithmic: boolean;
};

const short = (value: number): string => thousands(Number(value.toPrecision(3)));

/** A value with its unit: three digits of it, but a number of things as it is. */
export const withUnit = (value: number, unit: Unit): string => {
  if (unit === "part") return `${short(100 * value)} %`;
  if (unit === "count") return thousands(value);
  if (value < 1e3) return `${short(value)} ns`;
  if (value < 1e6) return `${short(value / 1e3)} µs`;
  return value < 1e9 ? `${short(value / 1e6)} ms` : `${short(value / 1e9)} s`;
};

/** The first digits of the ticks between powers of ten, fewer where there are more powers. */
const digits = (decades: number): readonly number[] => (decades <= 1 ? [1, 2, 3, 5] : decades <= 3 ? [1, 3] : [1]);

/**
 * The axis of heights: times on a logarithmic one, which has no 0, other things on a linear one that begins there. `room`: the least
 * distance of two labels.
 */
export const heightAxis = (
  values: readonly number[],
  unit: Unit,
  [bottom, top]: readonly [number, number],
  room: number,
): Axis => {
  const above = values.filter((value) => value > 0);
  const most = Math.max(...above);
  if (unit !== "ns") {
    const scale = scaleLinear([0, most], [bottom, top]).nice(4);
    const ticks = scale.ticks(4).map((value) => ({ at: scale(value), label: withUnit(value, unit) }));
    return { at: scale, ticks, logarithmic: false };
  }
  const from = 10 ** Math.floor(Math.log10(Math.min(...above)) + 1e-9);
  const to = Math.max(10 * from, 10 ** Math.ceil(Math.log10(most) - 1e-9));
  const scale = scaleLog([from, to], [bottom, top]);
  const decades = Math.round(Math.log10(to / from));
  const step = Math.max(1, Math.ceil((decades * room) / Math.abs(top - bottom)));
  const ticks = Array.from({ length: decades + 1 }, (_, i) => from * 10 ** i)
    .filter((_, i) => i % step === 0)
    .flatMap((power) => (step > 1 ? [1] : digits(decades)).map((digit) => digit * power))
    .filter((value) => value <= to * 1.000_001)
    .map((value) => ({ at: scale(value), label: withUnit(value, unit) }));
  return { at: (value) => (value > 0 ? scale(value) : undefined), ticks, logarithmic: true };
};

/** From this ratio of the largest size to the least on, sizes stand at equal distances for equal ratios. */
const WIDE = 8;

/** The axis of sizes, whose ticks are the sizes themselves; where labels would touch, some are left out, but never the largest. */
export const sizeAxis = (
  sizes: readonly number[],
  [left, right]: readonly [number, number],
  fontSize: number,
): Axis => {
  const sorted = [...new Set(sizes)].sort((a, b) => a - b);
  const [least, most] = [sorted[0] ?? 1, sorted.at(-1) ?? 1];
  const logarithmic = most / least >= WIDE;
  const scale = (logarithmic ? scaleLog : scaleLinear)([least, most], [left, right]);
  const all = sorted.map((value) => ({ at: scale(value), label: withUnit(value, "count"), value }));
  const half = (label: string): number => widthOf(label, fontSize) / 2 + fontSize / 3;
  const ticks: typeof all = [];
  for (const tick of [...all].reverse()) {
    const last = ticks.at(-1);
    if (last === undefined || tick.at + half(tick.label) <= last.at - half(last.label)) ticks.push(tick);
  }
  return { at: scale, ticks: ticks.reverse().map(({ at, label }) => ({ at, label })), logarithmic };
};
