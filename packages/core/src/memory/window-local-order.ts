import type { AccessKind, TagMeaning, WaitingKind, WindowModel } from "./window-model.js";
import type { WindowState } from "./window-state.js";
import type { SeenEntry, WindowView } from "./window-view.js";

/*
 * The order that one CPU keeps among its own events. What is looked at here is the program order of the window; what others did
 * meanwhile is looked at when an access takes place.
 */

/** Which entries of a window may take place now, as far as barriers, dependencies and tags go. */
export type LocalOrder = {
  /** By entry: nothing before it holds back its access, its synchronisation, or the completion that it asks for. */
  readonly free: readonly boolean[];
  /** By entry: a barrier that has to complete invalidations in a step of its own. */
  readonly completing: readonly boolean[];
};

const tagged = ({ is }: SeenEntry, meaning: TagMeaning, model: WindowModel): boolean =>
  is.tags.some((tag) => model.tags[tag] === meaning);

const NO_KINDS: readonly AccessKind[] = [];
const kindsOf = ({ access }: SeenEntry): readonly AccessKind[] =>
  access === undefined ? NO_KINDS : access === "atomic" ? ["read", "write"] : [access];

/** R23, R24: what barriers and tags, and branches and addresses that are not known, hold back. */
export const localOrderOf = (view: WindowView, window: WindowState, model: WindowModel): LocalOrder => {
  const blocked = new Set<WaitingKind>();
  const block = (kinds: readonly WaitingKind[]): void => {
    for (const kind of kinds) blocked.add(kind);
  };
  const waiting: { [kind in AccessKind]: number } = { read: 0, write: 0, clean: 0, invalidate: 0 };
  let releases = 0;
  const free: boolean[] = [];
  const completing: boolean[] = [];

  for (const seen of view.entries) {
    const { is } = seen;
    const kinds = kindsOf(seen);
    let completes = false;
    if (kinds.length > 0) {
      const release = tagged(seen, "release", model);
      const acquire = tagged(seen, "acquire", model);
      const after = release && waiting.read + waiting.write > 0;
      free.push(!after && !(acquire && releases > 0) && !kinds.some((kind) => blocked.has(kind)));
      if (!seen.performed) {
        for (const kind of kinds) waiting[kind]++;
        if (release) releases++;
        if (acquire || tagged(seen, "acquire-pc", model)) block(["read", "write"]);
      }
      const toMemory = kinds[0] === "read" || kinds[0] === "write";
      if (toMemory && (seen.accesses === undefined || !seen.addressFirm)) block(model.afterAddresses);
    } else if (is.order?.is === "barrier") {
      const begun = is.order.completes === true && window.begun.length > 0;
      completes = !seen.performed && is.order.completes === true && (begun || waiting.invalidate > 0);
      free.push(completes && waiting.read + waiting.write + waiting.clean + waiting.invalidate === 0);
      for (const { from, to } of is.order.orders) if (completes || from.some((kind) => waiting[kind] > 0)) block(to);
    } else {
      const after = is.order?.is === "synchronise" ? (is.order.after ?? NO_KINDS) : NO_KINDS;
      free.push(!blocked.has("synchronise") && seen.firm && after.every((kind) => waiting[kind] === 0));
    }
    if (seen.undecided) block(model.afterBranches);
    completing.push(completes);
  }
  return { free, completing };
};
