import { costNames, costParameters, costPresets } from "@cmodx/core";
import type { Command } from "commander";
import { costModelOf } from "../cost-file.js";
import { colors, type Exit, exit, type Io } from "../io.js";
import { type CostJson, toJson } from "../json.js";
import { options } from "../options.js";
import { columns, prose } from "../text.js";

const HELP = `
A cost model has a value for every parameter, each with its source; what nobody measured is marked assumed. A file of one's own names a model
that it begins with, and the parameters that differ: {"base": "vm", "parameters": {"ipiDeliver": 5000}}. docs/cost.md has what each means.

  $ cmodx cost show vm
  $ cmodx patch --sites 20000 --strategy int3-batch --cpus 64 --cost vm`;

/** `cmodx cost`: the cost models of `cmodx patch`. */
export const addCost = (program: Command, io: Io, leave: (code: Exit) => void): void => {
  const cost = program.command("cost").summary("show the cost models of `cmodx patch`");
  cost
    .command("show")
    .summary("show every parameter of a cost model with its source")
    .argument("[model]", `a file, or one of ${costPresets.map(({ id }) => id).join(", ")}`)
    .addOption(options.json)
    .addHelpText("after", `\n${prose(HELP)}\n`)
    .action(async (name: string | undefined, asked: { readonly json?: boolean }) => {
      const { id, summary, values } = await costModelOf(name, io.cwd);
      const document: CostJson = {
        schema: "cmodx/cost/1",
        id,
        summary,
        parameters: costNames.map((each) => ({ name: each, ...costParameters[each], ...values[each] })),
      };
      io.out(asked.json ? toJson(document) : textOf(document, io));
      leave(exit.complete);
    });
};

const textOf = ({ id, summary, parameters }: CostJson, io: Io): string => {
  const rows = parameters.map((each) => [
    `  ${each.name}`,
    `${each.value} ${each.unit}`,
    `${each.summary} — ${each.source}`,
  ]);
  return `${[colors(io.color).bold(`${id}: ${summary}`), ...columns(rows)].join("\n")}\n`;
};
