/** Breaks a text into lines of at most `width` columns; lines after the first are indented. Longer words are cut. */
export const wrap = (text: string, width: number, indent = ""): readonly string[] => {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const start = (): string => (lines.length === 0 ? "" : indent);
    if (line !== "" && line.trim() !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? start() + word : line === indent ? line + word : `${line} ${word}`;
    if (line.length <= width) continue;
    // A word that fits on no line is cut where lines end.
    const [step, long] = [Math.max(1, width - indent.length), line];
    lines.push(long.slice(0, width));
    let at = width;
    for (; long.length - at > step; at += step) lines.push(indent + long.slice(at, at + step));
    line = indent + long.slice(at);
  }
  return line === "" && lines.length > 0 ? lines : [...lines, line];
};
