import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'mocha';
import { openControlChannel } from './control-channel.ts';

function open(send?: (message: object) => boolean) {
  const process = Object.assign(new EventEmitter(), { send });
  const seen: unknown[] = [];
  const tell = openControlChannel(process, {
    onReload: (config) => seen.push(['reload', config]),
    onDisconnect: () => seen.push(['disconnect']),
    onUnknown: (message) => seen.push(['unknown', message]),
  });
  return { process, seen, tell };
}

describe('control channel', () => {
  it('tells a reload from what is none', () => {
    const { process, seen } = open(() => true);
    const reload = { type: 'reload', config: { version: 1, models: [] } };
    const others = [{ type: 'reload' }, { type: 'reload', config: [] }, { type: 'stop' }, 'reload', null];
    for (const message of [reload, ...others]) process.emit('message', message);
    process.emit('disconnect');
    assert.deepEqual(seen, [
      ['reload', { version: 1, models: [] }],
      ...others.map((message) => ['unknown', message]),
      ['disconnect'],
    ]);
  });

  it('sends to the process that started this one, and nowhere where there is none', () => {
    const sent: object[] = [];
    const message = { type: 'listening', url: 'http://a', metricsUrl: 'http://b' } as const;
    open((sending) => sent.push(sending) > 0).tell(message);
    open().tell(message);
    assert.deepEqual(sent, [message]);
  });
});
