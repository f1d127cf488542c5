import { describe, expect, it } from 'vitest';
import { assign, setup } from 'xstate';
import { step } from 'ecl';
import { snapshotStream } from '../../src/core/ids.ts';
import { eventIdOfHash } from '../../src/core/hash-chain.ts';
import { sha256 } from '../../src/core/sha256.ts';
import { deferred, decorated, replays, World } from './kit.ts';
import { ask, notes, oneStep, outputOf } from './machines.ts';

const often = { snapshotEveryEvents: 3 };
const never = { snapshotEveryEvents: 1_000_000 };

/** Everything that a snapshot holds: context, timers, a step in flight, a child, an outbox, seen signals. */
const rich = setup({ actors: { ask, notes } }).createMachine({
  id: 'rich',
  version: '1.0.0',
  type: 'parallel',
  context: { noted: [] as unknown[], answers: [] as unknown[] },
  invoke: { id: 'child', src: 'notes' },
  states: {
    signals: {
      initial: 'open',
      states: {
        open: {
          on: {
            note: {
              actions: assign({
                noted: ({ context, event }) => [
                  ...context.noted,
                  (event as { what?: unknown }).what,
                ],
              }),
            },
            end: 'closed',
          },
        },
        closed: { type: 'final' },
      },
    },
    asking: {
      initial: 'on',
      states: {
        on: {
          invoke: {
            src: 'ask',
            onDone: {
              target: 'pausing',
              actions: assign({
                answers: ({ context, event }) => [...context.answers, outputOf({ event })],
              }),
            },
          },
        },
        pausing: {
          after: {
            1000: [
              { guard: ({ context }) => context.answers.length < 5, target: 'on' },
              { target: 'off' },
            ],
          },
        },
        off: { type: 'final' },
      },
    },
  },
  output: ({ context }) => ({ noted: context.noted, answers: context.answers }),
});

const live = async (
  world: World,
  limits: object,
  between: (world: World) => Promise<void>,
): Promise<{ result: unknown; types: string[] }> => {
  let ecl = await world.open({ workflows: [rich], limits });
  await ecl.spawn(rich, { key: 'a' });
  for (let n = 0; n < 12; n += 1) {
    await world.pass(400, 2);
    await (await ecl.get('rich.a')).send({ type: 'note', what: n }, { id: `note-${n}` });
    await world.settle(3);
    world.kill(ecl);
    await between(world);
    ecl = await world.open({ workflows: [rich], limits });
    await world.settle(3);
    await (await ecl.get('rich.a')).send({ type: 'note', what: n }, { id: `note-${n}` });
  }
  await (await ecl.get('rich.a')).send({ type: 'end' });
  await world.pass(10_000);
  const result = await (await ecl.get('rich.a')).result();
  await replays(ecl, 'rich.a');
  return { result, types: await world.types('rich.a') };
};

const snapshotsOf = async (world: World, run: string): Promise<number> => {
  let count = 0;
  for await (const _ of world.events.readStream(snapshotStream(run))) count += 1;
  return count;
};

const nothing = (): Promise<void> => Promise.resolve();

describe('snapshots', () => {
  it('change nothing but time: with them, without them, and with all of them deleted, runs are the same', async () => {
    const withThem = new World();
    const expected = await live(withThem, often, nothing);
    expect(await snapshotsOf(withThem, 'rich.a')).toBe(1);
    const without = new World();
    expect(await live(without, never, nothing)).toEqual(expected);
    expect(await snapshotsOf(without, 'rich.a')).toBe(0);
    const deleting = await live(new World(), often, async (world) => {
      await world.events.deleteStream(snapshotStream('rich.a'), 'any').catch(() => {});
    });
    expect(deleting).toEqual(expected);
    expect(expected.result).toMatchObject({ noted: Array.from({ length: 12 }, (_, n) => n) });
  });

  it('are what a long journal is loaded from', async () => {
    const world = new World();
    const first = await world.open({ workflows: [notes], limits: often });
    const run = await first.spawn(notes, { key: 'a' });
    for (let n = 0; n < 100; n += 1) await run.send({ type: 'note', what: n });
    const read: number[] = [];
    const { events } = world;
    world.events = decorated(events, {
      readStream: async function* (stream, options) {
        for await (const event of events.readStream(stream, options)) {
          if (stream === 'run-default.notes.a') read.push(event.revision);
          yield event;
        }
      },
    });
    const second = await world.restart(first, { workflows: [notes], limits: often });
    read.length = 0;
    expect((await (await second.get('notes.a')).document()).revision).toBe(201);
    expect(read.length).toBeLessThan(10);
  });

  it('that the journal does not confirm are not believed', async () => {
    const world = new World();
    const always = { snapshotEveryEvents: 1 };
    const first = await world.open({ workflows: [notes], limits: always });
    const run = await first.spawn(notes, { key: 'a' });
    for (let n = 0; n < 10; n += 1) await run.send({ type: 'note', what: n });
    await world.settle();
    const stream = snapshotStream('notes.a');
    const forge = async (change: (snapshot: Record<string, unknown>) => void): Promise<void> => {
      for await (const event of world.events.readStream(stream, {
        direction: 'backwards',
        limit: 1,
      })) {
        const snapshot = JSON.parse(event.data) as Record<string, unknown>;
        change(snapshot);
        const data = JSON.stringify(snapshot);
        const id = eventIdOfHash(sha256(data));
        const { type, metadata } = event;
        await world.events.append({
          stream,
          expectedRevision: 'any',
          events: [{ id, type, data, metadata }],
        });
      }
    };
    const forgeries: ((snapshot: Record<string, unknown>) => void)[] = [
      (snapshot) => (snapshot['hash'] = '0'.repeat(64)),
      (snapshot) => (snapshot['revision'] = 2),
      (snapshot) => ((snapshot['machine'] as { context: object }).context = { noted: ['forged'] }),
      (snapshot) => (snapshot['books'] = null),
      (snapshot) => (snapshot['structure'] = 'another'),
    ];
    let ecl = first;
    let taken = 0;
    for (const change of forgeries) {
      world.kill(ecl);
      await forge(change);
      ecl = await world.open({ workflows: [notes], limits: always });
      const again = await ecl.get('notes.a');
      expect((again.getSnapshot().context as { noted: unknown }).noted).toEqual(
        Array.from({ length: 10 + taken }, (_, n) => n),
      );
      // What is chained to it shows whether its hash was believed.
      await again.send({ type: 'note', what: 10 + taken });
      taken += 1;
      await world.settle();
      await replays(ecl, 'notes.a');
    }
  });

  it('keep what a step recorded, a value that is undefined among it', async () => {
    const world = new World();
    const hang = deferred<string>();
    const work = step({
      name: 'work',
      execute: async (scope) => {
        const given = await scope.once('nothing', () => undefined);
        const asked = await scope.model.text('one');
        return `${String(given)} ${asked} ${await hang.promise}`;
      },
    });
    const machine = oneStep(work);
    const limits = { snapshotEveryEvents: 1 };
    const first = await world.open({ workflows: [machine], limits });
    await first.spawn(machine, { key: 'a' });
    await world.settle();
    expect(await snapshotsOf(world, 'one-step.a')).toBe(1);
    const second = await world.restart(first, { workflows: [machine], limits });
    hang.resolve('end');
    expect(await (await second.get('one-step.a')).result()).toBe('undefined yes end');
    expect(world.model.asked).toEqual(['one']);
  });
});
