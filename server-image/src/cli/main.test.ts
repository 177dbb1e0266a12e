import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, it } from 'mocha';
import { modelDigest } from '../model/digest.ts';
import { denseFiles, temporaryFolder } from '../model/test-support/tiny-models.ts';
import { runCli } from './main.ts';

describe('server.js digest', () => {
  it('prints the digest of a folder, a file and a URI', async () => {
    await using folder = await temporaryFolder({ ...denseFiles(), 'task.json': '{}', 'README.md': 'not of the model' });
    const files = { ...denseFiles(), 'task.json': '{}' };
    const digest = modelDigest(
      Object.entries(files).map(([path, content]) => ({
        path,
        sha256: createHash('sha256').update(content).digest('hex'),
      })),
    );
    for (const given of [folder.path, join(folder.path, 'model.json'), pathToFileURL(folder.path).href]) {
      assert.deepEqual(await run('digest', given), { code: 0, out: `${digest}\n`, err: '' });
    }
    const both = await run('digest', folder.path, join(folder.path, 'model.json'));
    assert.equal(both.out, `${digest}  ${folder.path}\n${digest}  ${join(folder.path, 'model.json')}\n`);
  });

  it('says what is wrong, and how it is used', async () => {
    const missing = await run('digest', '/nowhere/at/all');
    assert.deepEqual([missing.code, missing.out], [1, '']);
    assert.match(missing.err, /there is no \/nowhere\/at\/all here/);
    assert.match((await run('digest')).err, /^Usage: digest URI\|DIR\|FILE/);
    assert.equal((await run('digest', '--help')).code, 0);
    assert.deepEqual(await run('digset'), {
      code: 2,
      out: '',
      err: 'There is no command "digset": use one of digest\n',
    });
  });
});

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runCli(args, {
    env: {},
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
  });
  return { code, out, err };
}
