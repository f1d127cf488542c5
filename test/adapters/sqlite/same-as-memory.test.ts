/** Whatever is asked for, in whatever order: the store in SQLite answers as the reference in memory does. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMemoryEventStore } from '../../../src/adapters/memory/event-store.ts';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import type {
  Append,
  EventStore,
  ExpectedRevision,
  StreamCheck,
} from '../../../src/ports/event-store.ts';
import { all } from '../../contracts/event-store/kit.ts';
import { temporary } from './temporary.ts';

const { folder } = temporary();

type Step =
  | {
      readonly do: 'append';
      readonly appends: readonly Append[];
      readonly checks: readonly StreamCheck[];
    }
  | { readonly do: 'delete'; readonly stream: string; readonly expected: ExpectedRevision }
  | { readonly do: 'restart' };

const stream = fc.constantFrom('a', 'b', 'a-c');
const expectedRevision: fc.Arbitrary<ExpectedRevision> = fc.oneof(
  fc.constantFrom('any' as const, 'no-stream' as const, 'stream-exists' as const),
  fc.integer({ min: 0, max: 5 }),
);
// Few ids, so that appends repeat each other wholly and in part.
const events = fc.array(
  fc.record({
    id: fc.constantFrom('1', '2', '3'),
    type: fc.constantFrom('Noted', 'Told'),
    data: fc.constantFrom('{}', '{"n":1}'),
    metadata: fc.constantFrom({}, { schema: 1 }, { schema: 2, hash: 'x' }),
  }),
  { minLength: 1, maxLength: 3 },
);
const append = fc.record({ stream, expectedRevision, events });
const appends = fc.oneof(
  { weight: 5, arbitrary: append.map((one) => [one]) },
  { weight: 1, arbitrary: fc.array(append, { minLength: 1, maxLength: 3 }) },
);
const checks = fc.oneof(
  { weight: 2, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.array(fc.record({ stream, revision: fc.nat({ max: 4 }) })) },
);
const appending: fc.Arbitrary<Step> = fc
  .record({ appends, checks })
  .map((parts) => ({ do: 'append' as const, ...parts }));
const deleting: fc.Arbitrary<Step> = fc
  .record({ stream, expected: expectedRevision })
  .map((parts) => ({ do: 'delete' as const, ...parts }));
const restarting: fc.Arbitrary<Step> = fc.constant({ do: 'restart' as const });

/** What came of a step, errors included. */
const outcomeOf = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    return await work;
  } catch (error) {
    const { code, details } = error as { code: string; details: unknown };
    return { code, details };
  }
};

const perform = (store: EventStore, step: Exclude<Step, { do: 'restart' }>): Promise<unknown> => {
  if (step.do === 'delete') return outcomeOf(store.deleteStream(step.stream, step.expected));
  const [first, ...others] = step.appends;
  return outcomeOf(
    others.length === 0 ? store.append(first!, step) : store.appendAll(step.appends, step),
  );
};

const contentOf = async (store: EventStore): Promise<unknown> => ({
  forwards: await all(store.readAll()),
  backwards: await all(store.readAll({ direction: 'backwards', limit: 7 })),
  filtered: await all(
    store.readAll({ filter: { streamPrefixes: ['a'], types: ['Told'] }, from: 3n }),
  ),
  streams: await Promise.all(
    ['a', 'b', 'a-c', 'd'].map(async (name) => ({
      last: await store.lastRevision(name),
      forwards: await all(store.readStream(name, { from: 1 })),
      backwards: await all(store.readStream(name, { direction: 'backwards', limit: 3 })),
    })),
  ),
  last: await store.lastPosition(),
});

const compare = async (steps: readonly Step[]): Promise<void> => {
  const at = folder();
  const memory = createMemoryEventStore();
  let sqlite = await openSqliteEventStore({ folder: at });
  for (const step of steps) {
    if (step.do === 'restart') {
      await sqlite.close();
      sqlite = await openSqliteEventStore({ folder: at });
    } else {
      expect(await perform(sqlite, step)).toEqual(await perform(memory, step));
    }
  }
  expect(await contentOf(sqlite)).toEqual(await contentOf(memory));
  await sqlite.close();
};

const steps = (...step: fc.Arbitrary<Step>[]): fc.Arbitrary<Step[]> =>
  fc.array(fc.oneof(...step), { minLength: 1, maxLength: 12 });

test('appends and deletions have the same outcome', async () => {
  await fc.assert(fc.asyncProperty(steps(appending, appending, appending, deleting), compare), {
    numRuns: 60,
  });
});

test('appends have the same outcome over restarts', async () => {
  await fc.assert(fc.asyncProperty(steps(appending, appending, appending, restarting), compare), {
    numRuns: 25,
  });
});
