import * as core from "@cmodx/core/schema";
import { Ajv, type ValidateFunction } from "ajv";
import { schemaFiles } from "../../../tooling/scripts/json-schemas.mjs";
import { documents } from "../src/json-schemas.js";

/** The JSON Schema files of the documents by their names. */
export const files: ReadonlyMap<string, string> = schemaFiles(documents, core);
const ajv = new Ajv({ allErrors: true });
const validators = new Map<string, ValidateFunction>(
  [...files].map(([name, schema]) => [name.replace(".json", ""), ajv.compile(JSON.parse(schema))]),
);

/** What the published schema of a document finds wrong with it. */
export const wrongWith = (document: { readonly schema: string }): unknown => {
  const [, name = ""] = /^cmodx\/([a-z]+)\/1$/.exec(document.schema) ?? [];
  const validate = validators.get(name);
  if (validate === undefined) return `no schema of ${document.schema}`;
  validate(document);
  return validate.errors ?? [];
};
