/** Columns of a state's row: the shared parts, then one for each CPU. */
export const MEMORY = 0;
/** Column of the services. */
export const SERVICES = 1;
/** Column of the parked tasks. */
export const PARKED = 2;
/** Column of CPU 0. */
export const CPU0 = 3;

/** Sorts the CPUs of a row by their parts. */
export const sortCpus = (row: Int32Array): void => {
  for (let i = CPU0 + 1; i < row.length; i++) {
    const part = row[i] as number;
    let at = i;
    for (; at > CPU0 && (row[at - 1] as number) > part; at--) row[at] = row[at - 1] as number;
    row[at] = part;
  }
};
