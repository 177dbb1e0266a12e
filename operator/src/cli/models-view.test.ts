import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ModelProgressMessage } from './control.generated.ts';
import { isSettled, progressLines, servedTable, statesAfter, statesFor } from './models-view.ts';

const URL = 'http://127.0.0.1:8080';
const MNIST = { name: 'mnist', uri: 'file:///m' };
const says = (news: Partial<ModelProgressMessage>): ModelProgressMessage => ({
  type: 'model',
  model: 'mnist',
  version: '1',
  phase: 'Ready',
  ...news,
});
const waiting = statesFor(new Map(), [], [MNIST]);
const ready = statesAfter(waiting, says({ format: 'LayersModel', engine: 'Wasm' }));

describe('the view of the models', () => {
  it('shows how much is fetched, of how much where that is known', () => {
    const lines = (news: Partial<ModelProgressMessage>) => progressLines(statesAfter(waiting, says(news)));
    assert.deepEqual(lines({ phase: 'Fetching' }), ['  mnist  fetching']);
    assert.deepEqual(lines({ phase: 'Fetching', bytesDone: 1.5e6 }), ['  mnist  fetching 1.5 MB']);
    assert.deepEqual(lines({ phase: 'Fetching', bytesDone: 1.5e6, bytesTotal: 6e6 }), [
      '  mnist  fetching 1.5 MB of 6.0 MB (25 %)',
    ]);
    assert.deepEqual(progressLines(ready), []);
  });

  it('is settled when each model is ready or failed', () => {
    assert.deepEqual([isSettled(waiting), isSettled(ready), isSettled(new Map())], [false, true, true]);
    assert.ok(isSettled(statesAfter(waiting, says({ phase: 'Failed' }))));
  });

  it('tabulates what is served', () => {
    assert.equal(
      servedTable(ready, URL),
      [
        'MODEL  VERSION  FORMAT       ENGINE  URL',
        'mnist  1        LayersModel  Wasm    http://127.0.0.1:8080/v2/models/mnist',
      ].join('\n'),
    );
  });

  it('names the reason for what is not', () => {
    const failed = statesAfter(waiting, says({ phase: 'Failed', reason: 'ModelNotFound', message: 'no /m' }));
    assert.equal(servedTable(failed, URL), 'No model is served\nmnist cannot be served, ModelNotFound: no /m');
  });

  it('goes on with the former model where the change of it cannot be served', () => {
    const changed = statesFor(ready, [MNIST], [{ ...MNIST, uri: 'file:///n', version: '2' }]);
    const failed = statesAfter(
      changed,
      says({ version: '2', phase: 'Failed', reason: 'ModelNotFound', message: 'no /n' }),
    );
    assert.match(
      servedTable(failed, URL),
      /^mnist +1 +LayersModel.*\nmnist is served as before.*ModelNotFound: no \/n$/m,
    );
  });

  it('waits only for what changed, and forgets what was removed', () => {
    const other = { name: 'other', uri: 'file:///o' };
    const states = statesFor(ready, [MNIST], [MNIST, other]);
    assert.deepEqual(
      [...states.values()].map(({ name, phase }) => [name, phase]),
      [
        ['mnist', 'Ready'],
        ['other', 'Waiting'],
      ],
    );
    assert.deepEqual([...statesFor(states, [MNIST, other], [other]).keys()], ['other']);
  });

  it('hears nothing from a version or a model that is not wanted any more', () => {
    assert.equal(statesAfter(waiting, says({ version: '7' })), waiting);
    assert.equal(statesAfter(waiting, says({ model: 'gone' })), waiting);
    assert.equal(statesAfter(ready, says({ phase: 'Removed' })), ready);
  });
});
