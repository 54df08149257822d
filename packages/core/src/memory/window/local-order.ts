import { own } from "../../base/own.js";
import type { AccessKind, TagMeaning, WaitingKind, WindowModel } from "./model.js";
import type { SeenEntry, WindowState } from "./state.js";
import type { WindowView } from "./view.js";

/*
 * The order that one CPU keeps among its own events. What is looked at here is the program order of the window; what others did
 * meanwhile is looked at when an access takes place.
 */

/** Which entries of a window may take place now, as far as barriers, dependencies and tags go. */
export type LocalOrder = {
  /** By entry: nothing before it holds back its access, its synchronisation, or the completion that it asks for. */
  readonly free: readonly boolean[];
  /** By entry, of an atomic access: nothing before it holds back its store. */
  readonly freeStore: readonly boolean[];
  /** By entry: a barrier that has to complete invalidations in a step of its own. */
  readonly completing: readonly boolean[];
};

const hasTag = (tags: readonly string[], meaning: TagMeaning, model: WindowModel): boolean =>
  tags.some((tag) => own(model.tags, tag) === meaning);

const NO_KINDS: readonly AccessKind[] = [];
const BOTH: readonly AccessKind[] = ["read", "write"];
const kindsOf = ({ access }: SeenEntry): readonly AccessKind[] =>
  access === undefined ? NO_KINDS : access === "atomic" ? BOTH : [access];

/** A load that keeps nothing of what it read is none for what orders loads alone, and acquires nothing. */
const isSilent = ({ is }: SeenEntry, model: WindowModel): boolean =>
  model.atomics === "load-and-store" && is.kind === "atomic" && is.outputs.length === 0;

/** R23, R24: what barriers and tags, and branches and addresses that are not known, hold back. */
export const localOrderOf = (view: WindowView, window: WindowState, model: WindowModel): LocalOrder => {
  const blocked = new Set<WaitingKind>();
  const block = (kinds: readonly WaitingKind[]): void => {
    for (const kind of kinds) blocked.add(kind);
  };
  const waiting: { [kind in AccessKind]: number } = { read: 0, write: 0, clean: 0, invalidate: 0 };
  let silent = 0;
  let releases = 0;
  const waitsFor = (from: readonly AccessKind[]): boolean =>
    from.some((kind) => waiting[kind] > 0) || (silent > 0 && BOTH.every((kind) => from.includes(kind)));
  const free: boolean[] = [];
  const freeStore: boolean[] = [];
  const completing: boolean[] = [];

  for (const seen of view.entries) {
    const { is } = seen;
    const kinds = kindsOf(seen);
    let completes = false;
    let storeFree = false;
    if (kinds.length > 0) {
      const isAtomic = seen.access === "atomic";
      const halves = isAtomic && model.atomics === "load-and-store";
      const isQuiet = isSilent(seen, model);
      const release = hasTag(isAtomic ? is.storeTags : is.tags, "release", model);
      const acquire = !isQuiet && hasTag(is.tags, "acquire", model);
      const held = (kind: AccessKind): boolean =>
        blocked.has(kind) ||
        (release && !(halves && kind === "read") && waitsFor(BOTH)) ||
        (acquire && kind === "read" && releases > 0);
      free.push(!kinds.some((kind) => (!halves || kind === "read") && held(kind)));
      storeFree = halves && !held("write");
      if (!seen.begun && kinds.includes("read")) {
        if (isQuiet) silent++;
        else waiting.read++;
      }
      if (!seen.begun && (acquire || hasTag(is.tags, "acquire-pc", model))) block(BOTH);
      if (!seen.performed) {
        for (const kind of kinds) if (kind !== "read") waiting[kind]++;
        if (release) releases++;
        if (release && acquire) block(BOTH);
      }
      const toMemory = kinds[0] === "read" || kinds[0] === "write";
      if (toMemory && (seen.accesses === undefined || !seen.addressFirm)) block(model.afterAddresses);
    } else if (is.order?.is === "barrier") {
      const begun = is.order.completes === true && window.begun.length > 0;
      completes = !seen.performed && is.order.completes === true && (begun || waiting.invalidate > 0);
      free.push(completes && waiting.read + waiting.write + waiting.clean + waiting.invalidate + silent === 0);
      for (const { from, to } of is.order.orders) if (completes || waitsFor(from)) block(to);
    } else {
      const after = is.order?.is === "synchronise" ? (is.order.after ?? NO_KINDS) : NO_KINDS;
      free.push(!blocked.has("synchronise") && seen.firm && after.every((kind) => waiting[kind] === 0));
    }
    if (seen.undecided) block(model.afterBranches);
    completing.push(completes);
    freeStore.push(storeFree);
  }
  return { free, freeStore, completing };
};
