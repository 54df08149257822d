// Writes the JSON Schema of every document that `--json` prints: node tooling/scripts/json-schemas.mjs
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { toJsonSchema } from "@valibot/to-json-schema";

/** Where the files lie, in the tarball of the command line too. */
export const folder = fileURLToPath(new URL("../../packages/cli/schemas", import.meta.url));

/** The text of a bigint in a document. */
const HEXADECIMAL = { type: "string", pattern: "^0x[0-9a-f]+$" };

/**
 * The JSON Schema files by their names.
 *
 * `documents`: schemas of the documents. `core`: the schemas of a program's lines, which hold others.
 */
export const schemaFiles = (documents, { lineSchema, lineForms }) => {
  const convert = (schema) => {
    // What it makes of lines is in their own definition.
    const { $defs: _, ...converted } = toJsonSchema(schema, {
      typeMode: "output",
      errorMode: "ignore",
      ignoreActions: ["raw_check"],
      overrideSchema({ valibotSchema, jsonSchema }) {
        if (valibotSchema === lineSchema) return { $ref: "#/definitions/line" };
        if (valibotSchema.type === "bigint") return HEXADECIMAL;
        // Of these nothing is asked.
        if (valibotSchema.type === "custom") return {};
        return jsonSchema;
      },
      overrideAction: ({ valibotAction, jsonSchema }) =>
        typeof valibotAction.requirement === "bigint" ? HEXADECIMAL : jsonSchema,
    });
    return converted;
  };
  return new Map(
    Object.entries(documents).map(([name, schema]) => {
      const { $schema, ...converted } = convert(schema);
      const text = JSON.stringify(converted);
      const { $schema: _, ...line } = convert(lineForms);
      const definitions = text.includes("#/definitions/line") ? { definitions: { line } } : {};
      const whole = { $schema, $id: `urn:cmodx:${name}:1`, ...converted, ...definitions };
      return [`${name}.json`, `${JSON.stringify(whole, null, 2)}\n`];
    }),
  );
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { documents } = await import("../../packages/cli/dist/json-schemas.js");
  const core = await import("../../packages/core/dist/schema.js");
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of schemaFiles(documents, core)) writeFileSync(`${folder}/${name}`, text);
}
