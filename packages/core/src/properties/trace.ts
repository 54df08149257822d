import { hexAddress } from "../base/hex.js";
import type { Property } from "../contract/property.js";

/** A decoder that sees the published events and each CPU's branch outcomes can tell which instruction a CPU ran. */
export const trace: Property = {
  id: "trace",
  breaksWhen: "a trace decoder cannot tell, or tells wrongly, which instruction a CPU ran",
  judge({ what, detail }) {
    if (what === "publish-event" || what === "return-call") {
      if (detail.untold !== true) return undefined;
      const at = "address" in detail ? hexAddress(detail.address) : "the site";
      return `Since the event that began the change of ${at} a CPU ran the instruction there; no event and no branch tells whether the old or the new one.`;
    }
    if (what !== "execute" || detail.site === null) return undefined;
    const { at, text, decoded, lagging } = detail;
    const known = lagging ? "published before this CPU's last packet" : "published so far";
    if (decoded === "wrong")
      return `The CPU ran ${text} at ${hexAddress(at)}, and by the events ${known} a decoder takes it for another instruction.`;
    return decoded === "ambiguous"
      ? `The CPU ran ${text} at ${hexAddress(at)}; no event and no branch tells which of the two versions it was.`
      : undefined;
  },
};
