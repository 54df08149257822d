/** What is fitted: where it begins, and what it predicts with other values, of which none is below 0. */
export type Problem = {
  readonly start: readonly number[];
  readonly measured: readonly number[];
  /** The predictions; undefined where the user has ended the run. */
  predict(values: readonly number[]): Promise<readonly number[] | undefined>;
};

/** The best values; `complete`: the user let it come to its end. `untold`: a parameter that the measurements do not tell. */
export type Solution = { readonly values: readonly number[]; readonly complete: boolean; readonly untold?: number };

/** Rounds of Levenberg's and Marquardt's method at most; what is linear needs two or three. */
const ROUNDS = 40;
/** Values are moved by this part of themselves to see what depends on them. */
const STEP = 0.05;
/** A value of 0 is moved as one of so many nanoseconds. */
const LEAST = 100;
const DONE = 1e-10;
/** What is left of a column beside the columns before it, of its square, when it says nothing that they do not. */
const SAME = 1e-9;

const sum = (values: readonly number[]): number => values.reduce((all, each) => all + each, 0);

/** Solves symmetric equations by elimination; a number is the unknown that they do not tell. */
const solve = (matrix: readonly (readonly number[])[], right: readonly number[]): number[] | number => {
  const rows = matrix.map((row, i) => [...row, right[i] as number]);
  const of = (i: number, j: number): number => (rows[i] as number[])[j] as number;
  const n = right.length;
  for (let i = 0; i < n; i++) {
    if (!(of(i, i) > SAME * (matrix[i]?.[i] ?? 0))) return i;
    for (let k = i + 1; k < n; k++) {
      const part = of(k, i) / of(i, i);
      rows[k] = (rows[k] as number[]).map((value, j) => value - part * of(i, j));
    }
  }
  const found: number[] = [];
  for (let i = n - 1; i >= 0; i--)
    found[i] = (of(i, n) - sum(found.map((value, j) => (j > i ? value * of(i, j) : 0)))) / of(i, i);
  return found;
};

/**
 * The values whose predictions are nearest to what was measured: the sum of the squares of relative deviations is least, so that a short
 * time counts as much as a long one.
 */
export const leastSquares = async ({ start, measured, predict }: Problem): Promise<Solution> => {
  const off = async (values: readonly number[]): Promise<readonly number[] | undefined> =>
    (await predict(values))?.map((predicted, i) => predicted / (measured[i] as number) - 1);
  const squares = (deviations: readonly number[]): number => sum(deviations.map((each) => each * each));
  let values = start;
  let now = await off(values);
  let damping = 0;
  // The first round tells whether the measurements tell each value, also where all are as they should be already.
  for (let round = 0; now !== undefined && round < ROUNDS && (round === 0 || squares(now) > DONE); round++) {
    // Each column: how the deviations change with one value, in units of how far it is moved.
    const moves = values.map((value) => STEP * Math.max(value, LEAST));
    const columns: (readonly number[])[] = [];
    for (const [i, move] of moves.entries()) {
      const moved = await off(values.map((value, j) => (i === j ? value + move : value)));
      if (moved === undefined) return { values, complete: false };
      columns.push(moved.map((each, row) => each - ((now as readonly number[])[row] as number)));
    }
    const product = (a: readonly number[], b: readonly number[]): number =>
      sum(a.map((each, i) => each * (b[i] as number)));
    const normal = columns.map((a) => columns.map((b) => product(a, b)));
    const right = columns.map((column) => -product(column, now as readonly number[]));
    const told = solve(normal, right);
    if (typeof told === "number") return { values, complete: true, untold: told };
    let better: readonly number[] | undefined;
    for (let tries = 0; tries < 8 && better === undefined; tries++) {
      const damped = normal.map((row, i) => row.map((each, j) => (i === j ? each * (1 + damping) : each)));
      const by = solve(damped, right) as number[];
      const next = values.map((value, i) => Math.max(0, value + (by[i] as number) * (moves[i] as number)));
      const then = await off(next);
      if (then === undefined) return { values, complete: false };
      if (squares(then) < squares(now) * (1 - DONE)) [values, now, better] = [next, then, next];
      damping = better === undefined ? Math.max(0.1, 4 * damping) : damping < 0.1 ? 0 : damping / 4;
    }
    if (better === undefined) break;
  }
  return { values, complete: now !== undefined };
};
