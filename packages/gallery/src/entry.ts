import type { Architecture, Plugin, PropertyId, Scenario } from "@cmodx/core";

/** A bug that was, or was feared, in real code: the scenario that shows it, and the one with its fix. */
export type GalleryEntry = {
  /** The item's number; a second side of the same change has a word behind it. */
  readonly id: string;
  /** One line, at most 60 characters, without a full stop. */
  readonly title: string;
  /** The commit or mail that it is known from. */
  readonly source: string;
  /** What was wrong, and how it went wrong: a few sentences. */
  readonly bug: string;
  /** What the fix does: a sentence or two. */
  readonly fix: string;
  /** The machine that it happens on, with the fetch model it needs. */
  architecture(): Architecture;
  /** Parts beside those of core and of the architecture, for both scenarios. */
  readonly plugins?: readonly Plugin[];
  /** The smallest scenario that has the bug. */
  readonly wrong: Scenario;
  /** What the bug breaks: of all that its shortest counterexample breaks, the first in the order of `propertyIds`. */
  readonly property: PropertyId;
  /** The same scenario with the fix, and with nothing else. */
  readonly fixed: Scenario;
};
