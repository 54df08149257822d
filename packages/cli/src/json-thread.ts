import type { PropertyId } from "@cmodx/core";
import type { Claim, Question } from "./threads/claim.js";

/** A command that settles a claim, and its answer. */
export type QuestionJson = {
  /** Without the name of the program. */
  readonly command: string;
  readonly expected: Question["verdict"];
  /** What has to break; null where nothing has to. */
  readonly expectedProperty: PropertyId | null;
  /** What the machine said; null where it was not asked. */
  readonly verdict: Question["verdict"] | "inconclusive" | null;
  readonly property: PropertyId | null;
  /** Why it is unsafe, or refused. */
  readonly why: string | null;
  readonly status: "as expected" | "not as expected" | "undecided" | "not asked";
};

/** One claim of a thread. */
export type ClaimJson = {
  readonly id: string;
  readonly by: string;
  readonly says: string;
  /** `asked`: commands settle it; `beyond`: no question for this machine; `unsaid`: not yet sayable. */
  readonly status: Claim["status"];
  readonly questions: readonly QuestionJson[];
  readonly why: string;
};

/** One thread of `cmodx thread --json`. */
export type ThreadEntryJson = {
  readonly id: string;
  readonly title: string;
  readonly source: string;
  readonly date: string;
  readonly claims: readonly ClaimJson[];
};

/** `cmodx thread --json`: the thread of that id, or all, of which nothing is asked. */
export type ThreadJson = {
  readonly schema: "cmodx/thread/1";
  readonly threads: readonly ThreadEntryJson[];
  /** The user, or a limit, ended the run before all commands were run. */
  readonly interrupted: boolean;
};
