import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'mocha';
import { liveOutput } from './live-output.ts';
import { readableLogLine } from './log-line.ts';
import { onStopSignals } from './stop-signals.ts';

describe('onStopSignals', () => {
  it('takes signals of one keystroke as one, and a later one as the wish to end at once', () => {
    const source = new EventEmitter();
    const heard: string[] = [];
    let now = 1000;
    const release = onStopSignals(
      source,
      () => now,
      () => heard.push('first'),
      () => heard.push('second'),
    );
    for (const [at, signal] of [
      [1000, 'SIGINT'],
      [1010, 'SIGINT'],
      [1400, 'SIGTERM'],
      [3000, 'SIGINT'],
    ] as const) {
      now = at;
      source.emit(signal);
    }
    assert.deepEqual(heard, ['first', 'second']);
    release();
    assert.equal(source.listenerCount('SIGINT'), 0);
  });
});

describe('liveOutput', () => {
  const written = (isTTY: boolean) => {
    const parts: string[] = [];
    const out = liveOutput({ isTTY, columns: 10, write: (text) => parts.push(text) });
    out.draw(['a', 'b']);
    out.print('stays');
    out.draw(['0123456789012']);
    out.draw([]);
    return parts.join('');
  };

  it('draws below what stays on a terminal', () => {
    const up2 = '\x1b[2A\x1b[J';
    assert.equal(written(true), `a\nb\n${up2}stays\na\nb\n${up2}012345678\n\x1b[1A\x1b[J`);
  });

  it('does not cut lines on a terminal that says it has 0 columns', () => {
    let text = '';
    liveOutput({ isTTY: true, columns: 0, write: (part) => (text += part) }).draw(['mnist  loading']);
    assert.equal(text, 'mnist  loading\n');
  });

  it('writes only what stays elsewhere', () => assert.equal(written(false), 'stays\n'));
});

describe('readableLogLine', () => {
  const cases: { line: string; is: string | undefined }[] = [
    { line: 'I0000 00:00:1795363232.622123   24745 port.cc:153] oneDNN custom operations are on.', is: undefined },
    { line: 'WARNING: All log messages before absl::InitializeLog() are written to STDERR', is: undefined },
    { line: '{"level":60,"msg":"Port 80 is taken","reason":"PortInUse"}', is: undefined },
    { line: 'no JSON', is: 'no JSON' },
    { line: '{broken', is: '{broken' },
    { line: '{"level":40,"time":"x","msg":"Ignored a field"}', is: 'Warning: Ignored a field' },
    {
      line: '{"level":50,"msg":"Could not infer","model":"mnist","rows":2,"err":{"message":"no memory","stack":"…"}}',
      is: 'Error: Could not infer: no memory (model=mnist rows=2)',
    },
  ];
  for (const { line, is } of cases) it(`shows ${line} as ${is}`, () => assert.equal(readableLogLine(line), is));
});
