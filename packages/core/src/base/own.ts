/**
 * The value of a name in a table, or undefined where the table has none: names from outside may be those that every object has, such as
 * `constructor`.
 */
export const own = <T>(table: { readonly [name: string]: T }, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;
