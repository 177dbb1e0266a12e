/** A text stream, such as stdout. */
export interface Output {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** Lines that stay, and below them on a terminal lines that are drawn anew. */
export interface LiveOutput {
  /** Writes text that stays. */
  print(text: string): void;
  /** Draws these lines in place of the last ones; elsewhere than on a terminal nothing. */
  draw(lines: readonly string[]): void;
}

export function liveOutput(output: Output): LiveOutput {
  let drawn: readonly string[] = [];
  const erase = () => (drawn.length > 0 ? `\x1b[${drawn.length}A\x1b[J` : '');
  // Some terminals say they have 0 columns. A line that wraps would be two, and the next erasure one short.
  const shown = (lines: readonly string[]) =>
    lines.map((line) => `${line.slice(0, (output.columns || 80) - 1)}\n`).join('');
  return {
    print(text) {
      output.write(`${erase()}${text}\n${shown(drawn)}`);
    },
    draw(lines) {
      if (!output.isTTY || (lines.length === 0 && drawn.length === 0)) return;
      output.write(`${erase()}${shown(lines)}`);
      drawn = lines;
    },
  };
}
