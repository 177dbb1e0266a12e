/** How well a classifier did on examples that it had not seen. */
export interface ClassificationReport {
  /** Share of all examples that were classified right, 0 to 1. */
  readonly accuracy: number;
  /** For each class, the share of its examples that were found, 0 to 1; NaN for a class without examples. */
  readonly recall: readonly number[];
}

/** Compares what was predicted with what is true; both hold class numbers below `classes`, in the same order. */
export function classificationReport(
  predicted: ArrayLike<number>,
  actual: ArrayLike<number>,
  classes: number,
): ClassificationReport {
  const found = new Array<number>(classes).fill(0);
  const present = new Array<number>(classes).fill(0);
  for (let index = 0; index < actual.length; index += 1) {
    const label = actual[index] ?? 0;
    present[label] = (present[label] ?? 0) + 1;
    if (predicted[index] === label) found[label] = (found[label] ?? 0) + 1;
  }
  const right = found.reduce((sum, count) => sum + count, 0);
  return { accuracy: right / actual.length, recall: found.map((count, label) => count / (present[label] ?? 0)) };
}

/** A share as a percentage with two digits, such as `98.31 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}
