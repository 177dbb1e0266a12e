import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { FakeClock, settle } from '../runtime/fake-clock.ts';
import { WaitingRoom, type WaitingRoomOptions } from './waiting-room.ts';

const never = new AbortController().signal;

/** A room whose pods have `places` free, and what became of each request in order. */
function roomWith(change: Partial<WaitingRoomOptions<string>> = {}) {
  const clock = new FakeClock();
  const places = new Map<string, number>();
  const events: string[] = [];
  const room = new WaitingRoom<string>({
    clock,
    maxHeld: 100,
    maxHeldPerService: 100,
    timeoutMs: 1000,
    take: (service) => {
      const free = places.get(service) ?? 0;
      if (free === 0) return undefined;
      places.set(service, free - 1);
      return `pod of ${service}`;
    },
    refusal: (service, cause) => new Error(`${service} ${cause}`),
    onHeld: () => undefined,
    onLeft: () => undefined,
    ...change,
  });
  return {
    clock,
    room,
    events,
    free: (service: string, count: number) => places.set(service, count),
    ask(name: string, service = 'a', signal = never): void {
      room.place(room.arrive(service), signal).then(
        () => events.push(name),
        (error: unknown) => events.push(`${name}: ${error instanceof Error ? error.message : String(error)}`),
      );
    },
  };
}

describe('the waiting room', () => {
  it('lets through what finds a place', async () => {
    const { room, events, free, ask } = roomWith();
    free('a', 1);
    ask('first');
    await settle();
    assert.deepEqual(events, ['first']);
    assert.equal(room.held, 0);
  });

  it('holds the others, and serves them in the order in which they came', async () => {
    const { room, events, free, ask } = roomWith();
    for (const name of ['1', '2', '3']) ask(name);
    assert.equal(room.heldFor('a'), 3);
    free('a', 2);
    room.serve('a');
    await settle();
    assert.deepEqual(events, ['1', '2']);
    // Nobody overtakes who waits, not even while there is a place.
    free('a', 1);
    ask('4');
    room.serve('a');
    await settle();
    assert.deepEqual(events, ['1', '2', '3']);
    assert.equal(room.held, 1);
  });

  it('keeps the turn of who got a place of no use', async () => {
    const { room, events, free, ask } = roomWith();
    const early = room.arrive('a');
    ask('late');
    const again = room.place(early, never, true).then(() => events.push('early'));
    free('a', 2);
    room.serve('a');
    await again;
    await settle();
    assert.deepEqual(events, ['early', 'late']);
  });

  it('refuses what is too much for a service or in all, and nothing that was let in before', async () => {
    const { room, events, ask } = roomWith({ maxHeld: 3, maxHeldPerService: 2 });
    for (const name of ['1', '2', '3']) ask(name);
    ask('other', 'b');
    ask('third', 'c');
    await settle();
    assert.deepEqual(events, ['3: a full', 'third: c full']);
    room.place(room.arrive('a'), never, true).catch(() => undefined);
    assert.equal(room.held, 4);
  });

  it('sends away who has waited too long since the arrival', async () => {
    const { clock, room, events, ask } = roomWith();
    const ticket = room.arrive('a');
    await clock.advance(400);
    ask('later');
    room.place(ticket, never, true).catch(() => events.push('sooner'));
    await clock.advance(600);
    assert.deepEqual(events, ['sooner']);
    await clock.advance(400);
    assert.deepEqual(events, ['sooner', 'later: a deadline']);
    assert.equal(clock.pending, 0);
  });

  it('frees the place of who leaves at once', async () => {
    const { clock, room, events, ask } = roomWith({ maxHeld: 1 });
    const client = new AbortController();
    ask('leaves', 'a', client.signal);
    client.abort('gone');
    assert.equal(room.held, 0);
    ask('next');
    await settle();
    assert.deepEqual(events, ['leaves: gone']);
    assert.equal(room.held, 1);
    await clock.advance(1000);
    assert.equal(clock.pending, 0);
  });

  it('sends away all of a service, or everybody', async () => {
    const { room, events, ask } = roomWith();
    ask('1');
    ask('2');
    ask('other', 'b');
    room.refuse('a', new Error('deleted'));
    await settle();
    assert.deepEqual(events, ['1: deleted', '2: deleted']);
    room.refuseAll((service) => new Error(`${service} stops`));
    await settle();
    assert.deepEqual(events.slice(2), ['other: b stops']);
    assert.equal(room.held, 0);
  });

  it('tells how long each waited, and how it ended', async () => {
    const left: string[] = [];
    const { clock, room, free, ask } = roomWith({
      onLeft: (service, heldMs, error) => left.push(`${service} ${heldMs} ${error === undefined ? 'served' : error}`),
    });
    ask('served');
    ask('late');
    await clock.advance(300);
    free('a', 1);
    room.serve('a');
    await clock.advance(700);
    assert.deepEqual(left, ['a 300 served', 'a 1000 Error: a deadline']);
  });

  it('loses nobody, whatever happens in whichever order', async () => {
    const step = fc.record({
      kind: fc.constantFrom('ask', 'free', 'leave', 'wait', 'refuse'),
      service: fc.constantFrom('a', 'b'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { clock, room, events, free, ask } = roomWith({ maxHeld: 5, maxHeldPerService: 3 });
        const clients: AbortController[] = [];
        for (const { kind, service } of steps) {
          if (kind === 'ask') {
            clients.push(new AbortController());
            ask(String(clients.length), service, clients.at(-1)?.signal);
          }
          if (kind === 'leave') clients[events.length]?.abort('gone');
          if (kind === 'wait') await clock.advance(250);
          if (kind === 'refuse') room.refuse(service, new Error('refused'));
          if (kind === 'free') {
            free(service, 1);
            room.serve(service);
            free(service, 0);
          }
          assert.ok(room.held <= 5 && room.heldFor('a') <= 3 && room.heldFor('b') <= 3);
          assert.equal(room.held, room.heldFor('a') + room.heldFor('b'));
        }
        await clock.advance(1000);
        assert.equal(events.length, clients.length);
        assert.equal(room.held, 0);
        assert.equal(clock.pending, 0);
      }),
    );
  });
});
