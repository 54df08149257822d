import { fromHex } from "../../base/hex.js";
import { own } from "../../base/own.js";
import type { Access, Instruction, Registers } from "../../contract/instruction-set.js";
import type { World } from "../../contract/world.js";
import type { AccessKind, Alternatives, WindowModel, WindowStep } from "./model.js";

/** What an instruction is to the window whatever its registers hold. */
export type WindowInstruction = {
  readonly insn: Instruction | undefined;
  /** The exception that it raises instead of an effect. */
  readonly trap: { readonly vector: string; readonly resume: bigint } | undefined;
  readonly kind: Exclude<AccessKind, "clean" | "invalidate"> | "atomic" | "step" | "trap" | "plain";
  /** The tags of its accesses; of an atomic access those of its load. */
  readonly tags: readonly string[];
  /** Of an atomic access the tags of its store. */
  readonly storeTags: readonly string[];
  /** Of an atomic access: what it stores does not depend on what it loads. */
  readonly exchanges: boolean;
  /** Of an atomic access: it stores only where it finds what it compares with. */
  readonly compares: boolean;
  /** The machine step that it asks for, and what that is to the order. */
  readonly step: string | undefined;
  readonly order: WindowStep | undefined;
  readonly inputs: ReturnType<World["instructionSet"]["inputs"]>;
  readonly outputs: readonly string[];
  /** It reserves a place, or stores to a reserved one. */
  readonly exclusive: "load" | "store" | undefined;
  /** It may have no effect, as its `data` inputs tell. */
  readonly conditional: boolean;
  /** It may go on elsewhere than behind itself. */
  readonly branches: boolean;
  /** Ways it may turn out while its `branch` inputs are not known; empty where it has no such inputs. */
  readonly alternatives: Alternatives;
  /** Where it goes on if it does not branch. */
  readonly behind: bigint;
};

const NONE: readonly string[] = [];
const WAYS: readonly Registers[] = [];

const known = new WeakMap<World, Map<string, WindowInstruction>>();

/** What the instruction of these bytes (hex) is to the window at an address; worked out once for each. */
export const instructionOf = (
  at: bigint,
  bytes: string,
  mode: string,
  model: WindowModel,
  machine: World,
): WindowInstruction => {
  let byText = known.get(machine);
  if (byText === undefined) {
    byText = new Map();
    known.set(machine, byText);
  }
  const key = `${at} ${bytes} ${mode}`;
  let found = byText.get(key);
  if (found === undefined) {
    found = look(at, bytes, mode, model, machine);
    byText.set(key, found);
  }
  return found;
};

const look = (at: bigint, bytes: string, mode: string, model: WindowModel, machine: World): WindowInstruction => {
  const { instructionSet } = machine;
  const decoded = bytes === "" ? "unmapped" : machine.decode(fromHex(bytes), at, mode);
  const nothing = {
    tags: NONE,
    storeTags: NONE,
    exchanges: false,
    compares: false,
    exclusive: undefined,
    step: undefined,
    order: undefined,
    inputs: [],
    outputs: NONE,
    conditional: false,
    branches: false,
    alternatives: WAYS,
  };
  const behind = at + BigInt(bytes.length / 2);
  if (typeof decoded === "string") {
    const vector = decoded === "undefined" ? (instructionSet.undefinedVector ?? "ud") : decoded;
    const trap = { vector, resume: at };
    return { ...nothing, insn: undefined, trap, kind: "trap", behind };
  }
  const inputs = instructionSet.inputs(decoded);
  const outputs = model.outputs(decoded);
  const decides = inputs.some(({ role }) => role === "branch");
  const alternatives = decides ? model.alternatives(decoded) : WAYS;
  const given = model.conditional?.(decoded);
  const exclusive = model.exclusive?.(decoded);
  const common = {
    insn: decoded,
    trap: undefined,
    inputs,
    outputs,
    alternatives,
    exclusive,
    conditional: given !== undefined && exclusive === undefined,
    behind,
    tags: NONE,
    storeTags: NONE,
    exchanges: false,
    compares: false,
    step: undefined,
    order: undefined,
  };
  const outcome = instructionSet.execute(decoded, at, given ?? {});
  const turnsInto = (to: ReturnType<typeof instructionSet.execute>): boolean =>
    (to.do === "retire" || to.do === "operate") && to.next !== behind;
  const branches =
    alternatives === "indirect" ||
    // A branch to what is behind it anyway is one too.
    (decides && outcome.do === "retire" && outputs.length === 0 && (outcome.stores ?? []).length === 0) ||
    alternatives.some((way) => turnsInto(instructionSet.execute(decoded, at, way)));
  switch (outcome.do) {
    case "load": {
      const after = (value: bigint): ReturnType<typeof instructionSet.execute> =>
        instructionSet.execute(
          decoded,
          at,
          given ?? {},
          outcome.from.map(({ size }) => BigInt.asUintN(8 * size, value)),
        );
      const storesOf = (to: ReturnType<typeof after>): readonly Access[] =>
        to.do === "retire" ? (to.stores ?? []) : [];
      const then = after(0n);
      const stores = storesOf(then);
      const others = storesOf(after(-1n));
      const tags = outcome.from.flatMap((access) => access.tags);
      return {
        ...common,
        branches: branches || turnsInto(then),
        tags,
        storeTags: stores.flatMap((access) => access.tags),
        exchanges: stores.length > 0 && stores.every(({ value }, i) => value === others[i]?.value),
        compares: stores.length > 0 && others.length === 0,
        kind: stores.length > 0 ? "atomic" : "read",
      };
    }
    case "operate":
      return { ...common, branches, kind: "step", step: outcome.step, order: own(model.steps, outcome.step) };
    case "trap":
      return { ...common, branches, trap: { vector: outcome.vector, resume: outcome.resume }, kind: "trap" };
    case "retire":
      return {
        ...common,
        branches: branches || (!decides && outcome.next !== behind),
        tags: (outcome.stores ?? []).flatMap((access) => access.tags),
        kind: (outcome.stores ?? []).length > 0 ? "write" : "plain",
      };
  }
};
