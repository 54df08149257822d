/** Longer names are not compared letter by letter. */
const LONGEST = 60;

/** The strings nearest to one by their edit distance, the nearest first; those too far off are left out. */
export const nearest = (wanted: string, known: Iterable<string>): readonly string[] => {
  const off = (name: string): number => Math.abs(name.length - wanted.length);
  return wanted === "" || wanted.length > LONGEST
    ? []
    : [...known]
        .map((name) => ({
          name,
          distance: name.includes(wanted) || wanted.includes(name) ? 1 : lettersOff(wanted, name),
        }))
        // Of what is near something is left: at least one letter.
        .filter(({ name, distance }) => distance <= Math.max(2, name.length / 2) && distance < name.length)
        .sort((a, b) => a.distance - b.distance || off(a.name) - off(b.name))
        .slice(0, 3)
        .map(({ name }) => name);
};

/** Capitals are no other letters. */
const lettersOff = (a: string, b: string): number =>
  Math.min(editDistance(a, b), 1 + editDistance(a.toLowerCase(), b.toLowerCase()));

const editDistance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
};

/** Names are listed up to so many. */
const LISTED = 24;

/** The end of a sentence about a name that is not known: the nearest ones, or else all there are. */
export const didYouMean = (wanted: string, known: Iterable<string>): string => {
  const all = [...new Set(known)];
  const near = nearest(wanted, all);
  if (near.length > 0) return `; did you mean ${near.join(" or ")}?`;
  if (all.length === 0) return "; there are none.";
  const rest = all.length > LISTED ? `, … (${all.length} in all)` : "";
  return `; there ${all.length === 1 ? "is" : "are"} ${all.slice(0, LISTED).join(", ")}${rest}.`;
};
