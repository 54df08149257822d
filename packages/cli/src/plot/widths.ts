/** Advances of the printable ASCII characters in Helvetica, from the blank on, in thousandths of the size (Adobe's AFM file); Arial has the same. */
const HELVETICA = [
  278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
  556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
  722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
  556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
  260, 334, 584,
];

/** What a character takes that the table does not have: as much as the size. */
const UNKNOWN = 1000;

/** Where Helvetica and Arial are not, another font stands in, which may be wider by so much. */
const WIDER = 1.2;

/** The fonts that texts of plots are set in. */
export const FONTS = "Helvetica, Arial, 'Liberation Sans', sans-serif";

/** How wide a text of a size is at most, in the unit of the size. */
export const widthOf = (text: string, size: number): number =>
  ([...text].reduce((sum, each) => sum + (HELVETICA[(each.codePointAt(0) ?? 0) - 0x20] ?? UNKNOWN), 0) * size * WIDER) /
  1000;

/** The text, cut short by an ellipsis where it would be wider than that. */
export const fitted = (text: string, size: number, width: number): string => {
  if (widthOf(text, size) <= width) return text;
  const characters = [...text];
  while (characters.length > 0 && widthOf(`${characters.join("")}…`, size) > width) characters.pop();
  return `${characters.join("").trimEnd()}…`;
};
