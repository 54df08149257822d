import type { Events } from "../contract/events.js";
import type { Write } from "../contract/memory-order.js";
import { quiet, type Telling, type Told } from "../contract/telling.js";
import { assigned, maintenance, spaced } from "../services/said.js";

/** What becomes visible to all. */
export const drained = (detail: Events["drain"], telling: Telling): Told =>
  quiet(
    "write" in detail
      ? `${writeText(detail.write, telling)} becomes visible to all`
      : `its ${maintenance(detail, telling)} takes place`,
  );

const writeText = (write: Write, { place }: Telling): string => {
  switch (write.to) {
    case "code":
      return `its ${spaced(write.bytes)} at ${place(write.address)}`;
    case "data":
      return `its write of data at ${Object.keys(write.bytes)
        .map((address) => `0x${address}`)
        .join(", ")}`;
    case "word":
      return `its ${write.word}${assigned(write.value)}`;
    case "each-cpu":
      return `its ${write.word} on every CPU${assigned(write.value)}`;
    case "published":
      return "that the new instruction is published";
  }
};
