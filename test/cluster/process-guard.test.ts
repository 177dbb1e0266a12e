import assert from 'node:assert/strict';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { ProcessGuard } from './process-guard.ts';

describe('ProcessGuard', () => {
  it('collects the output of a process and says how it ended', async () => {
    await using guard = await ProcessGuard.start();
    const logFile = join(guard.folder, 'log');
    const { exited } = guard.run({ command: 'sh', args: ['-c', 'echo out; echo err >&2; exit 3'], logFile });
    assert.equal(await exited, 'exit status 3');
    assert.equal(await readFile(logFile, 'utf8'), 'out\nerr\n');
  });

  it('says why a process could not start', async () => {
    await using guard = await ProcessGuard.start();
    const { exited } = guard.run({ command: '/nowhere/etcd', args: [], logFile: join(guard.folder, 'log') });
    assert.match(await exited, /ENOENT/);
  });

  it('ends its processes and removes its folder when it stops', async () => {
    const guard = await ProcessGuard.start();
    const { exited } = guard.run({ command: 'sleep', args: ['600'], logFile: join(guard.folder, 'log') });
    await guard.stop();
    await exited;
    await assert.rejects(access(guard.folder));
  });

  it('ends them too when the process that started them is killed', async () => {
    await using guard = await ProcessGuard.start();
    const logFile = join(guard.folder, 'log');
    const module = new URL('process-guard.ts', import.meta.url).href;
    const script = `
      const { ProcessGuard } = await import(${JSON.stringify(module)});
      const guard = await ProcessGuard.start();
      guard.run({ command: 'sh', args: ['-c', 'echo $$ > pid; exec sleep 600'], cwd: guard.folder, logFile: guard.folder + '/log' });
      console.log(guard.folder);
      setInterval(() => {}, 1000);
    `;
    const run = guard.run({ command: process.execPath, args: ['--input-type=module', '-e', script], logFile });
    const inner = await poll(async () => (await readFile(logFile, 'utf8')).trim() || undefined);
    const pid = Number(await poll(async () => (await readFile(join(inner, 'pid'), 'utf8')).trim() || undefined));
    run.kill('SIGKILL');
    await poll(async () => (isAlive(pid) ? undefined : true));
    await poll(async () =>
      access(inner).then(
        () => undefined,
        () => true,
      ),
    );
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function poll<T>(probe: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const value = await probe().catch(() => undefined);
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
