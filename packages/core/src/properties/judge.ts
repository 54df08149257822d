import { InputError } from "../base/errors.js";
import type { Observation } from "../contract/events.js";
import type { Property, PropertyId } from "../contract/property.js";

/** A property that was broken; `causes`: those of which this is a consequence, where they count ({@link Property.consequenceOf}). */
export type Judged = { readonly property: PropertyId; readonly why: string; readonly causes?: readonly PropertyId[] };

/** The instruction that an observation is about; undefined where it is about none. */
const atOf = ({ detail }: Observation): bigint | null | undefined => ("at" in detail ? detail.at : undefined);

/** What a property says of an observation. Throws {@link InputError} where it answers anything but a sentence or undefined: that would decide nothing. */
const sentenceOf = (property: Property, observation: Observation): string | undefined => {
  const why: unknown = property.judge(observation);
  if (why === undefined || (typeof why === "string" && why.trim() !== "")) return why;
  const answer = why instanceof Promise ? "a promise" : typeof why === "string" ? "an empty text" : String(why);
  throw new InputError(
    `The property ${property.id} answers ${answer} to the event ${observation.what}; it answers a sentence, or undefined where nothing breaks.`,
    { place: property.id, code: "wrong-type" },
  );
};

/** What the observations of one step break. */
export const judge = (observed: readonly Observation[], properties: readonly Property[]): readonly Judged[] => {
  const judged = properties.flatMap((property) =>
    observed.flatMap((observation) => {
      const why = sentenceOf(property, observation);
      return why === undefined ? [] : [{ property, why, at: atOf(observation) }];
    }),
  );
  return judged.map(({ property, why, at }) => {
    const { id, consequenceOf = [] } = property;
    const causes = judged.flatMap((other) =>
      other.at === at && consequenceOf.includes(other.property.id) ? [other.property.id] : [],
    );
    return { property: id, why, ...(causes.length === 0 ? {} : { causes }) };
  });
};

/** What was broken of the properties that count, apart from what is only a consequence of others that count. */
export const countedOf = (
  judged: readonly Judged[],
  counts: (id: PropertyId) => boolean,
): { readonly broken: readonly Judged[]; readonly consequences: readonly Judged[] } => {
  const all = judged.filter(({ property }) => counts(property));
  const isConsequence = ({ causes = [] }: Judged): boolean => causes.some(counts);
  return { broken: all.filter((each) => !isConsequence(each)), consequences: all.filter(isConsequence) };
};
