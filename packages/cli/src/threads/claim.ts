import type { PropertyId } from "@cmodx/core";

/** A command line of cmodx, without the name of the program, and what the machine has to answer. */
export type Question = {
  readonly command: string;
  /** `refused`: the command ends with a sentence about its input; `complete`: it answers with figures, not with a verdict. */
  readonly verdict: "safe" | "unsafe" | "vacuous" | "refused" | "complete";
  /** What breaks where it is unsafe. */
  readonly property?: PropertyId;
};

/** A disputed sentence of a thread, in our words. */
export type Claim = {
  readonly id: string;
  /** Who says it, by role. */
  readonly by: string;
  readonly says: string;
  /** `asked`: commands settle it; `beyond`: no question for this machine; `unsaid`: a word is missing with which it could be asked. */
  readonly status: "asked" | "beyond" | "unsaid";
  /** None where it is not asked. */
  readonly questions: readonly Question[];
  /** What the answer means, and where it contradicts whoever said it; or why it is not asked. Empty where the verdict says all. */
  readonly why: string;
};

/** A public thread of mails. */
export type Thread = {
  readonly id: string;
  readonly title: string;
  /** Where it can be read. */
  readonly source: string;
  readonly date: string;
  readonly claims: readonly Claim[];
};

/** Roles that several threads have. */
export const AUTHOR = "the patch's author";
/** See {@link AUTHOR}. */
export const REVIEWER = "a reviewer";

/** A claim that commands settle. */
export const asked = (id: string, by: string, says: string, questions: readonly Question[], why = ""): Claim => ({
  id,
  by,
  says,
  status: "asked",
  questions,
  why,
});

/** A claim that is no question for this machine. */
export const beyond = (id: string, by: string, says: string, why: string): Claim => ({
  id,
  by,
  says,
  status: "beyond",
  questions: [],
  why,
});

/** A claim that cannot be asked yet. `why`: what is missing. */
export const unsaid = (id: string, by: string, says: string, why: string): Claim => ({
  id,
  by,
  says,
  status: "unsaid",
  questions: [],
  why,
});

/** A command that has to be answered with safe. */
export const safe = (command: string): Question => ({ command, verdict: "safe" });
/** A command that has to find this property broken; of a gallery entry, with a fix that is safe. */
export const unsafe = (command: string, property: PropertyId): Question => ({ command, verdict: "unsafe", property });
/** A command of whose question nothing could have answered no. */
export const vacuous = (command: string): Question => ({ command, verdict: "vacuous" });
/** A command that has to be refused. */
export const refused = (command: string): Question => ({ command, verdict: "refused" });
/** A command that answers with figures. */
export const figures = (command: string): Question => ({ command, verdict: "complete" });
