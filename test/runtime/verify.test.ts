import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { setup } from 'xstate';
import { EclError, step, workflow, type Ecl } from 'ecl';
import { createTestEcl } from 'ecl/testing';
import { z } from 'zod';
import type { EventStore, RecordedEvent } from '../../src/ports/event-store.ts';
import { Registry } from '../../src/runtime/registry.ts';
import type { Services } from '../../src/runtime/services.ts';
import { verify } from '../../src/runtime/verify.ts';

const write = step({
  name: 'write',
  output: z.object({ text: z.string() }),
  execute: async ({ artifacts }) => {
    await artifacts.write({ name: 'note.txt', content: 'a note' });
    return { text: 'done' };
  },
});

const machineOf = (isLong: (length: number) => boolean) =>
  setup({
    actors: { write },
    guards: {
      isLong: ({ event }) =>
        isLong((event as never as { output: { text: string } }).output.text.length),
    },
  }).createMachine({
    id: 'note',
    version: '1.0.0',
    initial: 'writing',
    states: {
      writing: {
        invoke: { src: 'write', onDone: [{ guard: 'isLong', target: 'done' }, 'asking'] },
      },
      asking: { on: { 'note.ok': 'done' } },
      done: { type: 'final' },
    },
  });

const flow = workflow({ machine: machineOf((length) => length > 3) });

let ecl: Ecl;
let services: Services;

beforeEach(async () => {
  ecl = await createTestEcl({ workflows: [flow] });
  ({ services } = ecl.system);
  for (const key of ['a', 'b']) await (await ecl.spawn(flow, { key })).result();
});
afterEach(() => ecl.close());

/** The same store, with something else in the place of its events. */
const tampered = (
  change: (events: RecordedEvent[], stream: string) => RecordedEvent[],
  only = 'run-default.note.a',
): Services => {
  const { store } = services;
  const changed: Partial<EventStore> = {
    async *readStream(stream, options = {}) {
      const events: RecordedEvent[] = [];
      for await (const event of store.readStream(stream)) events.push(event);
      const all = stream === only ? change(events, stream) : events;
      if (options.direction === 'backwards') yield* all.slice(-1);
      else yield* all.filter(({ revision }) => revision >= (options.from ?? 0));
    },
    lastRevision: async (stream) =>
      stream === only
        ? change(await all(store, stream), stream).at(-1)?.revision
        : store.lastRevision(stream),
  };
  return {
    ...services,
    store: Object.assign(Object.create(store) as EventStore, bound(store), changed),
  };
};

const all = async (store: EventStore, stream: string): Promise<RecordedEvent[]> => {
  const events: RecordedEvent[] = [];
  for await (const event of store.readStream(stream)) events.push(event);
  return events;
};

const bound = (store: EventStore): Partial<EventStore> => ({
  readAll: (options) => store.readAll(options),
});

describe('a journal as it was written', () => {
  test('is proven, and gives a head that can be kept', async () => {
    const { ok, runs } = await ecl.verify();
    expect(ok).toBe(true);
    expect(runs).toMatchObject([
      { run: 'note.a', result: 'proven' },
      { run: 'note.b', result: 'proven' },
    ]);
    expect(runs[0]!.head).toMatch(/^note\.a@\d+:[0-9a-f]{64}$/);
    const heads = runs.map(({ head }) => head);
    expect(await ecl.verify('note.a', { heads })).toMatchObject({
      ok: true,
      heads: [{ ok: true }, { ok: true }],
    });
  });

  test('of a workflow that is not here is proven by its chain only, and says so', async () => {
    const { ok, runs } = await verify({ ...services, registry: new Registry() });
    expect(ok).toBe(true);
    expect(runs[0]).toMatchObject({
      result: 'chain-only',
      reason: expect.stringContaining('note@1.0.0 is not registered') as string,
    });
    expect(runs[0]!.head).toBe((await ecl.verify('note.a')).runs[0]!.head);
  });

  test('of a workflow that can be found is replayed', async () => {
    const findWorkflow: Services['findWorkflow'] = async (_, registry) => {
      registry.register(flow);
    };
    const { runs } = await verify({ ...services, registry: new Registry(), findWorkflow });
    expect(runs.map(({ result }) => result)).toEqual(['proven', 'proven']);
  });

  test('tells of its progress', async () => {
    const told: number[][] = [];
    await ecl.verify(undefined, { onRun: (_, done, total) => told.push([done, total]) });
    expect(told).toEqual([
      [1, 2],
      [2, 2],
    ]);
  });
});

describe('a journal that was changed', () => {
  test('names stream, revision, type and reason, and stops no other run', async () => {
    const changed = tampered((events) =>
      events.map((event) =>
        event.type === 'StepSucceeded'
          ? { ...event, data: event.data.replace('done', 'fake') }
          : event,
      ),
    );
    const { ok, runs } = await verify(changed);
    expect(ok).toBe(false);
    expect(runs).toMatchObject([
      {
        run: 'note.a',
        result: 'fault',
        fault: {
          stream: 'run-default.note.a',
          type: 'StepSucceeded',
          reason: expect.stringContaining('hash') as string,
        },
      },
      { run: 'note.b', result: 'proven' },
    ]);
  });

  test('by leaving an event out breaks its chain', async () => {
    const { runs } = await verify(
      tampered((events) => events.filter(({ revision }) => revision !== 2)),
    );
    expect(runs[0]).toMatchObject({ result: 'fault', fault: { revision: 3 } });
  });

  test('by cutting its tail keeps a valid chain, and is found against a head', async () => {
    const [{ head } = { head: '' }] = (await ecl.verify('note.a')).runs;
    const cut = tampered((events) => events.filter(({ revision }) => revision < 3));
    const { ok, heads } = await verify(cut, { run: 'note.a', heads: [head] });
    expect([ok, heads]).toMatchObject([
      false,
      [{ ok: false, reason: expect.stringContaining('cut') as string }],
    ]);
  });

  test('by writing it anew is found against a head', async () => {
    const other = (await ecl.verify('note.b')).runs[0]!;
    const { heads } = await ecl.verify('note.a', {
      heads: [`note.a@${other.revision}:${other.hash}`],
    });
    expect(heads).toMatchObject([
      { ok: false, reason: expect.stringContaining('changed') as string },
    ]);
  });

  test('by taking the run away is found against a head', async () => {
    const { heads } = await verify(services, {
      run: 'note.a',
      heads: [`note.gone@1:${'0'.repeat(64)}`],
    });
    expect(heads).toMatchObject([{ ok: false, reason: 'there is no run note.gone' }]);
  });

  test('a head that is none is refused', async () => {
    await expect(ecl.verify(undefined, { heads: ['note.a@x'] })).rejects.toThrow(/is not a head/);
  });
});

describe('what does not replay', () => {
  test('a machine of the same structure that decides otherwise is shown with both sides', async () => {
    const registry = new Registry();
    registry.register(workflow({ machine: machineOf(() => false) }));
    const { runs } = await verify({ ...services, registry }, { run: 'note.a' });
    expect(runs[0]).toMatchObject({
      result: 'fault',
      fault: {
        type: 'StateChanged',
        expected: { data: { to: 'asking' } },
        got: { data: { to: 'done' } },
      },
    });
  });

  test('a file that is gone or damaged is a fault of its run', async () => {
    const artifacts = {
      ...services.artifacts,
      get: (sha256: string) => Promise.reject(new EclError('artifact.not-found', { sha256 })),
    };
    const { ok, runs } = await verify({ ...services, artifacts }, { run: 'note.a' });
    expect(ok).toBe(false);
    expect(runs[0]).toMatchObject({
      result: 'fault',
      fault: { type: 'artifact', reason: expect.stringMatching(/^There is no artifact/) as string },
    });
  });

  test('a part of the store that cannot be read is a fault, and what lies on both sides of it is verified', async () => {
    const damaged: EventStore = Object.assign(Object.create(services.store) as EventStore, {
      readStream: (...args: Parameters<EventStore['readStream']>) =>
        services.store.readStream(...args),
      async *readAll({ direction }: { direction?: string } = {}) {
        const stream = direction === 'backwards' ? 'run-default.note.b' : 'run-default.note.a';
        yield* await all(services.store, stream);
        throw new EclError('store.corrupt', { stream: '$all', revision: 7, reason: 'torn page' });
      },
    });
    const { ok, runs, faults } = await verify({ ...services, store: damaged });
    expect(ok).toBe(false);
    expect(runs.map(({ run }) => run)).toEqual(['note.a', 'note.b']);
    expect(faults).toMatchObject([
      { revision: 7, reason: expect.stringContaining('torn page') as string },
    ]);
  });
});
