const OPENING = "[{(";
const CLOSING = "]})";

/** The parts of a text between the commas that stand in no brackets, braces or parentheses, as they are written. */
export const partsAtCommas = (text: string): readonly string[] => {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const letter = text.charAt(i);
    if (OPENING.includes(letter)) depth++;
    else if (CLOSING.includes(letter)) depth = Math.max(0, depth - 1);
    else if (letter === "," && depth === 0) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  return [...parts, text.slice(from)];
};
