import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assign, emit, setup } from 'xstate';
import { chainHash, chainStart, eventIdOfHash } from '../../src/core/hash-chain.ts';
import { recordedOf, type StoredEvent } from '../../src/core/journal-codec.ts';
import { isConsequenceType } from '../../src/core/journal-events.ts';
import { Replay, ReplayDiverged, type Divergence } from '../../src/core/replay.ts';
import { asDurable, given, Lab, replayed, signal, visible } from './kit.ts';
import { play, randomConfig, randomPicks } from './random-run.ts';

/** The same events with a chain that holds, as one who rewrote the journal would leave them. */
const rechained = (events: readonly StoredEvent[]): StoredEvent[] => {
  let prev = chainStart;
  return events.map((event, revision) => {
    const { metadata, stream, type, data } = event;
    const text = (name: string): string => String(metadata[name]);
    const chained = {
      prev,
      stream,
      revision,
      type,
      schema: 1,
      at: text('at'),
      writer: text('writer'),
      correlation: text('$correlationId'),
      causation: text('$causationId'),
      data,
    };
    const hash = chainHash(chained);
    const again = {
      ...event,
      revision,
      id: eventIdOfHash(hash),
      metadata: { ...metadata, prev, hash },
    };
    prev = hash;
    return again;
  });
};

const divergenceOf = (lab: Lab, stored: readonly StoredEvent[]): Divergence | undefined => {
  try {
    replayed(lab.id, stored, { machine: lab.machine, blobs: lab.blobs });
    return undefined;
  } catch (error) {
    if (error instanceof ReplayDiverged) return error.divergence;
    throw error;
  }
};

/** Another text for the first text or number in the data. */
const otherData = (text: string): string => {
  let done = false;
  const change = (_: string, value: unknown): unknown => {
    if (done || (typeof value !== 'string' && typeof value !== 'number')) return value;
    done = true;
    return typeof value === 'string' ? `${value}x` : value + 1;
  };
  const data: unknown = JSON.parse(text, change);
  return JSON.stringify(done ? data : { output: 'x' });
};

/** Places of consequences, those aside that tell of a fact which the machine could not take. */
const comparedIn = (stored: readonly StoredEvent[]): number[] =>
  stored.flatMap((event, revision) => (isConsequenceType(event.type) ? [revision] : []));

describe('any run', () => {
  test('goes on the same way live, after a replay and after a snapshot', () => {
    fc.assert(
      fc.property(randomConfig, randomPicks, (config, picks) => {
        play(config, picks);
      }),
      { numRuns: 150 },
    );
  });

  test('diverges at the consequence that was changed, with both sides', () => {
    fc.assert(
      fc.property(randomConfig, randomPicks, fc.nat(), (config, picks, pick) => {
        const lab = play(config, picks);
        const places = comparedIn(lab.stored);
        const revision = places[pick % places.length]!;
        const event = lab.stored[revision]!;
        const changed = rechained(
          lab.stored.with(revision, { ...event, data: otherData(event.data) }),
        );
        const divergence = divergenceOf(lab, changed);
        expect(divergence).toMatchObject({ revision, type: event.type });
        expect(divergence?.expected).toMatchObject({ type: event.type });
        expect(divergence?.got).toMatchObject({ type: event.type });
      }),
      { numRuns: 100 },
    );
  });

  test('diverges where a consequence was dropped or added', () => {
    fc.assert(
      fc.property(randomConfig, randomPicks, fc.nat(), (config, picks, pick) => {
        const lab = play(config, picks);
        const places = comparedIn(lab.stored);
        const revision = places[pick % places.length]!;
        const [event, next] = lab.stored.slice(revision, revision + 2);
        fc.pre(event!.type !== next?.type || event!.data !== next.data);
        expect(divergenceOf(lab, rechained(lab.stored.toSpliced(revision, 1)))?.revision).toBe(
          revision,
        );
        const added = {
          ...lab.stored[revision]!,
          type: 'EventEmitted',
          data: '{"event":{"type":"forged"}}',
        };
        expect(
          divergenceOf(lab, rechained(lab.stored.toSpliced(revision, 0, added)))?.revision,
        ).toBe(revision);
      }),
      { numRuns: 60 },
    );
  });

  test('replays from any snapshot to where the whole journal leads', () => {
    fc.assert(
      fc.property(randomConfig, randomPicks, fc.nat(), (config, picks, pick) => {
        const cut = picks.length === 0 ? 0 : pick % picks.length;
        const early = play(config, picks.slice(0, cut));
        const late = play(config, picks);
        const from = early.bySnapshot();
        const tail = late.stored.slice(early.stored.length);
        const state = replayed(late.id, tail, { machine: late.machine, from })!;
        expect(visible(state)).toEqual(visible(late.byReplay()));
      }),
      { numRuns: 60 },
    );
  });
});

describe('a journal', () => {
  const machine = setup({
    types: { context: {} as { n: number } },
    actions: { count: assign({ n: ({ context }) => context.n + 1 }) },
  }).createMachine({
    id: 'm',
    version: '1',
    context: { n: 0 },
    on: { go: { actions: ['count', emit({ type: 'one' }), emit({ type: 'two' })] } },
  });
  const lab = given(machine, signal('go'), signal('go'));

  test('that is empty is no run', () => {
    expect(replayed('m.k', [], { machine: lab.machine })).toBe(undefined);
  });

  test('cut within a decision diverges: an append is all or nothing', () => {
    expect(divergenceOf(lab, lab.stored.slice(0, 5))).toMatchObject({
      revision: 5,
      type: 'EventEmitted',
      reason: 'the machine now draws EventEmitted, recorded is nothing',
      got: null,
    });
  });

  test('with a consequence too many says so', () => {
    const extra = { ...lab.stored[5]!, data: '{"event":{"type":"three"}}' };
    expect(divergenceOf(lab, rechained([...lab.stored.slice(0, 6), extra]))).toMatchObject({
      revision: 6,
      reason: 'recorded is EventEmitted, the machine now draws nothing',
      expected: null,
    });
  });

  test('with a consequence of another type says which', () => {
    const other = { ...lab.stored[4]!, type: 'TimerCancelled', data: '{"id":"t"}' };
    expect(divergenceOf(lab, rechained(lab.stored.with(4, other)))).toMatchObject({
      revision: 4,
      reason: 'recorded is TimerCancelled, the machine now draws EventEmitted',
    });
  });

  test('whose keys stand in another order is the same journal', () => {
    const { from, ...rest } = JSON.parse(lab.stored[3]!.data) as { from: unknown };
    const turned = { ...lab.stored[3]!, data: JSON.stringify({ ...rest, from }) };
    expect(divergenceOf(lab, rechained(lab.stored.with(3, turned)))).toBe(undefined);
  });

  test.each<[string, (stored: StoredEvent[]) => StoredEvent[], Partial<Divergence>]>([
    [
      'does not begin with RunStarted',
      (stored) => rechained(stored.slice(2)),
      { revision: 0, reason: 'a journal begins with RunStarted' },
    ],
    [
      'begins with a consequence',
      (stored) => rechained(stored.slice(1)),
      { revision: 0, reason: 'it has no fact before it' },
    ],
    [
      'has a gap',
      (stored) => stored.toSpliced(3, 1),
      { revision: 4, reason: 'revision 3 is missing' },
    ],
    [
      'holds an unknown type',
      (stored) => rechained(stored.with(2, { ...stored[2]!, type: 'Unheard' })),
      { revision: 2, type: 'Unheard' },
    ],
    [
      'holds data that is no JSON',
      (stored) => rechained(stored.with(2, { ...stored[2]!, data: '{' })),
      { revision: 2, reason: expect.stringMatching(/damaged/) as string },
    ],
    [
      'holds data of another shape',
      (stored) => rechained(stored.with(2, { ...stored[2]!, data: '{}' })),
      { revision: 2, reason: expect.stringMatching(/does not fit its schema/) as string },
    ],
    [
      'was changed under its hash',
      (stored) => stored.with(2, { ...stored[2]!, data: '{}' }),
      { revision: 2, reason: 'its content does not have the recorded hash' },
    ],
  ])('that %s diverges there', (_, damage, divergence) => {
    expect(divergenceOf(lab, damage([...lab.stored]))).toMatchObject(divergence);
  });

  test('is replayed up to the decision that diverges, and no further', () => {
    const replay = new Replay({
      id: lab.id,
      machineOf: () => lab.machine,
      blobText: () => undefined,
    });
    const forged = { ...lab.stored[8]!, data: '{"event":{"type":"forged"}}' };
    const events = rechained(lab.stored.with(8, forged));
    expect(() => {
      for (const event of events) replay.add(event);
      replay.finish();
    }).toThrow(ReplayDiverged);
    expect(replay.agreed?.revision).toBe(5);
    expect(replay.agreed?.snapshot.context).toEqual({ n: 1 });
    expect(replay.head.revision).toBe(9);
  });

  test('whose machine cannot be found says why, and is not called damaged', () => {
    const replay = new Replay({
      id: lab.id,
      machineOf: () => {
        throw new Error('blocked');
      },
      blobText: () => undefined,
    });
    for (const event of lab.stored.slice(0, 2)) replay.add(event);
    expect(() => replay.finish()).toThrow('blocked');
  });
});

describe('a machine that decides otherwise than it did', () => {
  test('is found at the first consequence that differs', () => {
    const noisy = (noise: () => number) =>
      setup({}).createMachine({
        id: 'm',
        version: '1',
        context: { x: 0 },
        on: { go: { actions: assign({ x: noise }) }, calm: { actions: emit({ type: 'calm' }) } },
      });
    let n = 0;
    const lab = new Lab(noisy(() => 7));
    for (const type of ['calm', 'go', 'calm']) lab.take(signal(type));
    const { machine } = new Lab(noisy(() => (n += 1)));
    const other = Object.assign(Object.create(Lab.prototype) as Lab, {
      id: lab.id,
      machine,
      blobs: lab.blobs,
    });
    expect(divergenceOf(other, lab.stored)).toMatchObject({
      revision: 5,
      type: 'StateChanged',
      reason: 'the machine now draws another StateChanged than the recorded one',
    });
  });
});

test('a machine that does not even start any more diverges at the start', () => {
  const starting = (context: () => object) =>
    setup({}).createMachine({ id: 'm', version: '1', context });
  const lab = new Lab(starting(() => ({})));
  const broken = starting(() => {
    throw new Error('boom');
  });
  const other = Object.assign(Object.create(Lab.prototype) as Lab, {
    id: lab.id,
    machine: asDurable(broken),
    blobs: lab.blobs,
  });
  expect(divergenceOf(other, lab.stored)).toMatchObject({
    revision: 0,
    type: 'RunStarted',
    reason: 'The workflow m cannot start with this input: boom',
  });
});

describe('large payloads', () => {
  const machine = setup({}).createMachine({
    id: 'm',
    version: '1',
    context: { text: '' },
    on: {
      go: {
        actions: [
          assign({ text: ({ event }) => event['text'] as string }),
          emit(({ event }) => event),
        ],
      },
    },
  } as never);
  const large = { type: 'go', text: 'x'.repeat(100_000) };

  test('are asked for by address when a fact needs them, and go on when they are there', () => {
    const lab = given(machine, signal(large));
    const texts = new Map<string, string>();
    const replay = new Replay({
      id: lab.id,
      machineOf: () => lab.machine,
      blobText: (at) => texts.get(at),
    });
    const asked: string[] = [];
    for (const event of lab.stored) {
      const missing = replay.add(event);
      for (const address of missing ?? []) {
        asked.push(address);
        texts.set(address, lab.blobs.get(address)!);
      }
      if (missing !== undefined) expect(replay.add(event)).toBe(undefined);
    }
    expect(replay.finish()?.snapshot.context).toEqual({ text: large.text });
    expect(new Set(asked)).toEqual(new Set(lab.blobs.keys()));
  });
});

test('the head is where the last decision stands', () => {
  const lab = new Lab(setup({}).createMachine({ id: 'm', version: '1' }));
  expect(recordedOf(lab.stored.at(-1)!)).toMatchObject({ revision: 1, hash: lab.state.hash });
});
