/** Plain data: compared by structure, deep-frozen in development. Anything a state holds is Data. */
export type Data =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Data[]
  | { readonly [key: string]: Data };

/** Bytes in address order, each 0 to 255. */
export type Bytes = readonly number[];
