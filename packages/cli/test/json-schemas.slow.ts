import { expect, test } from "vitest";
import { cmodx, root } from "./harness.js";
import { wrongWith } from "./json-schema.js";

// Each instruction into each: many checks, however short.
test("what cmodx matrix --pairs prints is valid by its schema", async () => {
  const { out } = await cmodx("matrix --arch armv7 --pairs --cpus 2 --max-states 2 --json", { cwd: root });
  const document = JSON.parse(out) as { readonly schema: string };
  expect(document.schema).toBe("cmodx/pairs/1");
  expect(wrongWith(document)).toEqual([]);
});
