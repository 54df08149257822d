import { int3, x86 } from "@cmodx/x86";
import { conform, readLog } from "../src/index.js";

/** A site of a log that is made up: its address, and its new code as hex. */
type MadeSite = { readonly address: bigint; readonly next: string };

/** Sites of two lengths, two of them one behind the other. */
const sites: readonly MadeSite[] = [
  { address: 0xffffffff81000010n, next: "e8fbefff00" },
  { address: 0xffffffff81000015n, next: "eb20" },
  { address: 0xffffffff81000017n, next: "6690" },
  { address: 0xffffffff81000100n, next: "0f1f440000" },
];

const HEADER = "# tracer: nop\n#\n# entries-in-buffer/entries-written: 1/1   #P:2\n#";
/** Lines of the header. */
export const HEAD = HEADER.split("\n").length;

/** One line of a log without its time. */
export type Line = { readonly head: string; readonly what: string };

const task = "            init-1       [000] .....";
const line = (what: string, head = task): Line => ({ head, what });
const probe = (name: string, of: string, fields = ""): Line => line(`${name}: (${of}+0x0/0x90)${fields}`);
const sync = (cpu: number): Line => ({
  ...probe("sync_core", "do_sync_core"),
  head: `          <idle>-0       [00${cpu}] d.h1.`,
});

/** A write, with whatever lies behind it in the source, as a probe of five bytes logs it. */
export const poke = (address: bigint, bytes: string): Line => {
  const all = [...(bytes.match(/../g) ?? []), "aa", "bb", "cc", "dd"].slice(0, 5);
  const fields = all.map((byte, i) => ` b${i}=0x${Number.parseInt(byte, 16).toString(16)}`).join("");
  return probe("poke", "__text_poke", ` addr=0x${address.toString(16)} len=${bytes.length / 2}${fields}`);
};
const event = ({ address, next }: MadeSite): Line => {
  const size = next.length / 2;
  return probe(
    "e_text_poke",
    "perf_event_text_poke",
    ` addr=0x${address.toString(16)} old_len=${size} new_len=${size}`,
  );
};
const round = [probe("each_cpu", "on_each_cpu_cond_mask"), sync(0), sync(1)];

const call = (name: string, next: (site: MadeSite) => string): readonly Line[] => {
  const all = sites.map((site) => ({ ...site, next: next(site) }));
  return [
    probe(`key_${name}`, `static_key_${name}_cpuslocked`),
    ...all.map(({ address }) => poke(address, "cc")),
    ...round,
    ...all.flatMap((site) => [poke(site.address + 1n, site.next.slice(2)), event(site)]),
    ...round,
    ...all.map((site) => poke(site.address, site.next.slice(0, 2))),
    ...round,
    line(`key_${name}d: (static_key_${name}+0x16/0x20 <- static_key_${name}_cpuslocked)`),
  ];
};

/** Two calls of four sites each on two CPUs, as the kernel logs them: 64 lines. */
export const made: readonly Line[] = [
  ...call("enable", ({ next }) => next),
  ...call("disable", ({ next }) => (next.length === 4 ? "eb7e" : "e911223344")),
];

/** The text of a log. */
export const textOf = (lines: readonly Line[]): string =>
  `${HEADER}\n${lines
    .map(({ head, what }, i) =>
      head === "" ? what : `${head}    16.${String(100_000 + 7 * i).padStart(6, "0")}: ${what}`,
    )
    .join("\n")}\n`;

const { instructionSet, fetch } = x86({});
/** What strategies are planned with. */
export const context = { instructionSet, mode: "", reports: fetch.reports ?? null };

/** What is made of a log for int3. */
export const judged = (text: string, events = true) =>
  conform(readLog(new TextEncoder().encode(text), "log"), int3({ events }), context);
