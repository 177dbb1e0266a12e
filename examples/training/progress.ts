/** Shows how far a long loop is. */
export interface Progress {
  update(title: string, done: number, total: number, detail: string): void;
  /** Ends the line and leaves it standing. */
  end(line: string): void;
}

interface Output {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const BAR_WIDTH = 30;

/** One line that is drawn anew on a terminal; elsewhere, such as in a log, only the line at the end. */
export function progressOn(output: Output): Progress {
  return {
    update(title, done, total, detail) {
      if (!output.isTTY) return;
      const filled = Math.round((done / total) * BAR_WIDTH);
      const line = `${title} ${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${detail}`;
      output.write(`\r\x1b[K${line.slice(0, (output.columns || 80) - 1)}`);
    },
    end(line) {
      output.write(`${output.isTTY ? '\r\x1b[K' : ''}${line}\n`);
    },
  };
}
