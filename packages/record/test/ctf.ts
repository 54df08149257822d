/** An event as it is read from a folder of CTF. */
export type CtfEvent = {
  readonly time: bigint;
  readonly cpu: number;
  readonly name: string;
  readonly values: { readonly [field: string]: number | bigint | string };
};

type Reader = (view: DataView, at: number) => readonly [value: number | bigint | string, next: number];

const readText: Reader = (view, at) => {
  let end = at;
  while (view.getUint8(end) !== 0) end++;
  return [new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at, end - at)), end + 1];
};

const readers: { readonly [type: string]: Reader } = {
  uint32_t: (view, at) => [view.getUint32(at, true), at + 4],
  address_t: (view, at) => [view.getBigUint64(at, true), at + 8],
  string: readText,
};

/** Reads what `ctf` writes, by its `metadata`: all events in the order of their times. */
export const readCtf = (files: ReadonlyMap<string, Uint8Array>): readonly CtfEvent[] => {
  const metadata = new TextDecoder().decode(files.get("metadata"));
  const types = [...metadata.matchAll(/event \{\n\tname = "(\w+)";\n\tid = (\d+);[^{]*\{\n([^}]*)\}/g)].map(
    ([, name = "", id, fields = ""]) => ({
      id: Number(id),
      name,
      fields: [...fields.matchAll(/(\w+) _(\w+);/g)].map(([, type = "", field = ""]) => ({ type, field })),
    }),
  );
  const events: CtfEvent[] = [];
  for (const [file, bytes] of files) {
    if (file === "metadata") continue;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (view.getUint32(0, true) !== 0xc1fc1fc1) throw new Error(`${file} is no packet`);
    const size = Number(view.getBigUint64(24, true)) / 8;
    const cpu = view.getUint32(40, true);
    for (let at = 44; at < size; ) {
      const type = types.find(({ id }) => id === view.getUint32(at, true));
      if (type === undefined) throw new Error(`${file}: no type at ${at}`);
      const time = view.getBigUint64(at + 4, true);
      [, at] = readText(view, at + 16);
      const values: { [field: string]: number | bigint | string } = {};
      for (const { type: kind, field } of type.fields) {
        const [value, next] = (readers[kind] as Reader)(view, at);
        values[field] = value;
        at = next;
      }
      events.push({ time, cpu, name: type.name, values });
    }
  }
  return events.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
};
