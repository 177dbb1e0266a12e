import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const LAUNCHER = fileURLToPath(new URL('../../bin/modelservice.js', import.meta.url));

/** For tests: the real `modelservice` as a child process. */
export interface ModelserviceProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  /** What it printed so far. */
  output(): string;
  /** Resolves with the match when what was printed since the last call matches; rejects when it ends before. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with the exit code. */
  ended(): Promise<number | null>;
}

export function startModelservice(args: readonly string[]): ModelserviceProcess {
  const child = fork(LAUNCHER, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let output = '';
  let read = 0;
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      child.emit('printed');
    });
  }
  const closed = once(child, 'close').then(([code]: (number | null)[]) => code ?? null);
  return {
    child,
    output: () => output,
    async printed(pattern) {
      for (;;) {
        const match = pattern.exec(output.slice(read));
        if (match !== null) {
          read += match.index + match[0].length;
          return match;
        }
        const ended = await Promise.race([once(child, 'printed').then(() => false), closed.then(() => true)]);
        if (ended && !pattern.test(output.slice(read)))
          throw new Error(`It ended and never printed ${pattern}:\n${output}`);
      }
    },
    ended: () => closed,
    async [Symbol.asyncDispose]() {
      // Not SIGKILL, which would leave its temporary folder behind.
      if (child.exitCode === null) child.kill('SIGTERM');
      await closed;
    },
  };
}
