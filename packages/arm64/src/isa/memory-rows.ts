/** One register, by the bits for the size and the operation; `u` in a name stands for the letter of the unscaled forms. */
const transfers = [
  "00 00 stru b W 1",
  "00 01 ldru b W 1",
  "00 10 ldru sb X 1",
  "00 11 ldru sb W 1",
  "01 00 stru h W 2",
  "01 01 ldru h W 2",
  "01 10 ldru sh X 2",
  "01 11 ldru sh W 2",
  "10 00 stru - W 4",
  "10 01 ldru - W 4",
  "10 10 ldru sw X 4",
  "11 00 stru - X 8",
  "11 01 ldru - X 8",
]
  .map((row) => {
    const [size, opc, stem, ending, letter, bytes] = row.split(" ") as [string, string, string, string, string, string];
    const suffix = ending === "-" ? "" : ending;
    const name = stem.replace("u", "") + suffix;
    const unscaled = stem.replace("ru", "ur") + suffix;
    return `
      ${size} 111 0 01 ${opc} imm12 rn rt               |> ${name} ${letter}t [imm12/${bytes}]
      ${size} 111 0 00 ${opc} 0 imm9 01 rn rt           |> ${name} ${letter}t +[imm9]
      ${size} 111 0 00 ${opc} 0 imm9 11 rn rt           |> ${name} ${letter}t ![imm9]
      ${size} 111 0 00 ${opc} 1 rm option S 10 rn rt    |> ${name} ${letter}t [index/${bytes}]
      ${size} 111 0 00 ${opc} 0 imm9 00 rn rt           |> ${unscaled} ${letter}t [imm9]`;
  })
  .join("");

const pairs = ["00 0 stp W 4", "00 1 ldp W 4", "01 1 ldpsw X 4", "10 0 stp X 8", "10 1 ldp X 8"]
  .map((row) => {
    const [opc, load, name, letter, bytes] = row.split(" ") as [string, string, string, string, string];
    const second = load === "1" ? `${letter}t2≠` : `${letter}t2`;
    return `
      ${opc} 101 0 001 ${load} imm7 rt2 rn rt   |> ${name} ${letter}t ${second} +[imm7/${bytes}]
      ${opc} 101 0 010 ${load} imm7 rt2 rn rt   |> ${name} ${letter}t ${second} [imm7/${bytes}]
      ${opc} 101 0 011 ${load} imm7 rt2 rn rt   |> ${name} ${letter}t ${second} ![imm7/${bytes}]`;
  })
  .join("");

const orders = { "00": "", "10": "a", "01": "l", "11": "al" };

const ordered = ["00 b W", "01 h W", "10 - W", "11 - X"]
  .map((row) => {
    const [size, ending, letter] = row.split(" ") as [string, string, string];
    const suffix = ending === "-" ? "" : ending;
    const atomics = Object.entries(orders).map(([bits, order]) => {
      const [acquire, release] = bits;
      const atomic = (code: string, name: string) =>
        `${size} 111 0 00 ${acquire} ${release} 1 rs ${code} 00 rn rt |> ${name}${order}${suffix} ${letter}s ${letter}t [base]`;
      // Without a result and without acquire they have names of their own (Arm ARM, STADD and its like).
      const storing = (code: string, name: string) =>
        acquire === "0"
          ? `${size} 111 0 00 0 ${release} 1 rs ${code} 00 rn 11111 |> st${name}${order}${suffix} ${letter}s [base]`
          : "";
      return `
        ${["0 000 add", "0 001 clr", "0 010 eor", "0 011 set"].map((entry) => storing(entry.slice(0, 5), entry.slice(6))).join("\n")}
        ${["0 000 add", "0 001 clr", "0 010 eor", "0 011 set"].map((entry) => atomic(entry.slice(0, 5), `ld${entry.slice(6)}`)).join("\n")}
        ${atomic("1 000", "swp")}
        ${size} 001000 1 ${acquire} 1 rs ${release} 11111 rn rt |> cas${order}${suffix} ${letter}s ${letter}t [base]`;
    });
    return `
      ${size} 001000 0 0 0 rs 0 11111 rn rt                 |> stxr${suffix} Ws ${letter}t [base]
      ${size} 001000 0 0 0 rs 1 11111 rn rt                 |> stlxr${suffix} Ws ${letter}t [base]
      ${size} 001000 0 1 0 11111 0 11111 rn rt              |> ldxr${suffix} ${letter}t [base]
      ${size} 001000 0 1 0 11111 1 11111 rn rt              |> ldaxr${suffix} ${letter}t [base]
      ${size} 001000 1 0 0 11111 1 11111 rn rt              |> stlr${suffix} ${letter}t [base]
      ${size} 001000 1 1 0 11111 1 11111 rn rt              |> ldar${suffix} ${letter}t [base]
      ${size} 111 0 00 1 0 1 11111 1 100 00 rn rt           |> ldapr${suffix} ${letter}t [base]
      ${atomics.join("\n")}`;
  })
  .join("");

/** Loads and stores (Arm ARM, C4.1.94), written as the data-processing rows are. */
export const memoryRows = `
  ${transfers}
  ${pairs}
  ${ordered}
  00 011 0 00 imm19 rt      |> ldr Wt label
  01 011 0 00 imm19 rt      |> ldr Xt label
  10 011 0 00 imm19 rt      |> ldrsw Xt label
`;
