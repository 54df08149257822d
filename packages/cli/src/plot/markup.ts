// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML cannot have
const NOT_XML = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** A text as it stands in XML and HTML; characters that XML cannot have become U+FFFD. */
export const escaped = (text: string): string =>
  text
    .replace(NOT_XML, "\ufffd")
    .replace(LONE, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");

/** An element with what it holds, which is markup already; nothing by default. */
export const element = (
  name: string,
  attributes: { readonly [name: string]: string | number },
  inside = "",
): string => {
  const said = Object.entries(attributes).map(([key, value]) => {
    const shown = typeof value === "number" ? String(Math.round(100 * value) / 100) : escaped(value);
    return ` ${key}="${shown}"`;
  });
  return inside === "" ? `<${name}${said.join("")}/>` : `<${name}${said.join("")}>${inside}</${name}>`;
};
