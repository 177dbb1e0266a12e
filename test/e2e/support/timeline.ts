/** When each step of a story came true, counted from the first. */
export class Timeline {
  readonly #begin = performance.now();
  readonly #steps: { readonly what: string; readonly atMs: number }[] = [];

  mark(what: string): void {
    this.#steps.push({ what, atMs: performance.now() - this.#begin });
  }

  /** One line a step: seconds since the beginning, seconds since the step before, the step. */
  toString(): string {
    let before = 0;
    const lines = this.#steps.map(({ what, atMs }) => {
      const line = `${seconds(atMs)} s  +${seconds(atMs - before)} s  ${what}`;
      before = atMs;
      return line;
    });
    return lines.join('\n');
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1).padStart(6);
}
