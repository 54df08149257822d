import { ByteWriter } from "../bytes.js";
import type { Flow } from "./flow.js";

/*
 * Intel Processor Trace packets (SDM vol. 3, "Processor Trace"), with full addresses and without compressed returns.
 */

const PSB = [0x02, 0x82] as const;
const PSB_LENGTH = 8;
const PSBEND = [0x02, 0x23] as const;
const CBR = [0x02, 0x03, 0x10, 0x00] as const;
/** MODE.Exec: 64-bit code. */
const MODE = [0x99, 0x01] as const;
const TSC = 0x19;
const [TIP, TIP_PGE, FUP] = [0xcd, 0xd1, 0xdd] as const;
/** TIP.PGD without an address. */
const TIP_PGD = 0x01;
const [TAKEN, NOT_TAKEN] = [0x06, 0x04] as const;

/** The packets of one CPU's changes of control flow, up to where it stands at the `end`; the time stamp counter counts nanoseconds. */
export const packetsOf = (flows: readonly Flow[], end: bigint): Uint8Array => {
  const out = new ByteWriter();
  const address = (packet: number, ip: bigint): void => {
    out.u8(packet).u64(ip);
  };
  // perf's clock for a CPU moves with these alone: one stands before every packet.
  const tsc = (time: bigint): void => {
    for (let i = 0n, rest = (time << 8n) | BigInt(TSC); i < 8n; i++, rest >>= 8n) out.u8(Number(rest & 0xffn));
  };
  for (let i = 0; i < PSB_LENGTH; i++) out.u8(...PSB);
  tsc(flows[0]?.time ?? 0n);
  out.u8(...CBR, ...MODE, ...PSBEND);
  let on = false;
  let last: bigint | undefined;
  for (const flow of flows) {
    if (flow.kind === "direct") continue;
    // Not right behind the start, which has one.
    if (last !== undefined) tsc(flow.time);
    last = flow.time;
    switch (flow.kind) {
      case "on":
        address(TIP_PGE, flow.to);
        on = true;
        break;
      case "off":
        address(FUP, flow.from);
        out.u8(TIP_PGD);
        on = false;
        break;
      case "conditional":
        out.u8(flow.taken ? TAKEN : NOT_TAKEN);
        break;
      case "interrupt":
        address(FUP, flow.from);
        address(TIP, flow.to);
        break;
      case "indirect":
        address(TIP, flow.to);
        break;
    }
  }
  if (on && last !== undefined) {
    tsc(last);
    address(FUP, end);
    out.u8(TIP_PGD);
  }
  return out.done();
};
