import { type AccessKind, type Architecture, type WaitingKind, type WindowModel, window } from "../../src/index.js";
import { type ToyOptions, toy } from "./architecture.js";
import type { ToyInstruction } from "./instruction-set.js";

const written: { readonly [op: string]: readonly string[] } = {
  ret: ["sp"],
  call: ["sp"],
  add: ["acc"],
  load: ["acc"],
};

const barrier = (from: readonly AccessKind[], to: readonly WaitingKind[]): WindowModel["steps"][string] => ({
  is: "barrier",
  orders: [{ from, to }],
});

const everything = ["read", "write", "clean", "invalidate"] as const;

/** What the toy's steps and the orderings of its programs are to the window. */
export const steps: WindowModel["steps"] = {
  mb: barrier(["read", "write"], ["read", "write", "request"]),
  wmb: barrier(["write"], ["write"]),
  rmb: barrier(["read"], ["read"]),
  // Stores before requests to others, and nothing else.
  "before-requests": barrier(["write"], ["request"]),
  // Keeps stores and cache maintenance apart, and waits for nothing.
  apart: barrier(["write", "clean", "invalidate"], ["write", "clean", "invalidate"]),
  // Stores among each other and cleans among each other.
  alike: {
    is: "barrier",
    orders: [
      { from: ["write"], to: ["write"] },
      { from: ["clean"], to: ["clean"] },
    ],
  },
  finish: { is: "barrier", orders: [{ from: everything, to: [...everything, "request"] }], completes: true },
  "context-synchronisation": { is: "synchronise" },
  isb: { is: "synchronise" },
  serialise: { is: "synchronise", after: ["write"] },
  clean: { is: "clean" },
  invalidate: { is: "invalidate" },
};

/** The toy with the order of the fetch-ahead window. */
export const windowed = (more: Partial<WindowModel> = {}, options: ToyOptions = {}): Architecture => ({
  ...toy(options),
  memory: window({
    id: "window",
    source: "the toy's manual",
    steps,
    tags: {},
    afterBranches: ["write", "clean", "invalidate", "synchronise"],
    afterAddresses: ["write", "synchronise"],
    outputs: (insn) => written[(insn as unknown as ToyInstruction).op] ?? [],
    selected: () => [],
    alternatives: () => [],
    ahead: { instructions: 64, same: 3 },
    ...more,
  }),
});
