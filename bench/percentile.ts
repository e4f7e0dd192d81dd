/** What stands for many figures. */

/** The p-th percentile of samples in order, in their unit; NaN where there is none. */
export function percentile(sorted: ArrayLike<number>, p: number): number {
  return sorted.length === 0 ? NaN : sorted[Math.ceil(sorted.length * p / 100) - 1];
}

/** The middle one of figures in any order. */
export function median(values: number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)];
}
