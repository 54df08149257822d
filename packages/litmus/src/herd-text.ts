import type { LitmusResult } from "./run.js";

const asked = { exists: "Allowed", "~exists": "Forbidden", forall: "Required" } as const;

/** A result as herd7 prints it; the numbers of the witnesses are of final states, not of executions. */
export const herdText = (result: LitmusResult): string => {
  const { name, quantifier, states, ok, decided, positive, negative, observation, flags, condition, seconds } = result;
  return [
    `Test ${name} ${asked[quantifier]}`,
    `States ${states.length}`,
    ...states,
    !decided ? "Undecided: more states could be reached than were to be explored" : ok ? "Ok" : "No",
    "Witnesses",
    `Positive: ${positive} Negative: ${negative}`,
    ...flags.map((flag) => `Flag ${flag}`),
    `Condition ${condition}`,
    `Observation ${name} ${observation} ${positive} ${negative}`,
    `Time ${name} ${seconds.toFixed(2)}`,
    "",
    "",
  ].join("\n");
};
