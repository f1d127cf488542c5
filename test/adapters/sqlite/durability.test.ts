import { describe, expect, test } from 'vitest';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import type { Append } from '../../../src/ports/event-store.ts';
import { all, code, event, events, idsOf } from '../../contracts/event-store/kit.ts';
import { drivenBy, sqliteError, temporary } from './temporary.ts';

const { folder } = temporary();

const appendTo = (stream: string, count = 1): Append => ({
  stream,
  expectedRevision: 'no-stream',
  events: events(count),
});

describe('the store starts durable or not at all', () => {
  test('it says what was read back from the engine', async () => {
    const store = await openSqliteEventStore({ folder: folder() });
    expect((await store.describe()).durability).toBe('WAL, synchronous=FULL');
    await store.close();
  });

  test('an engine that stays at synchronous=NORMAL is refused', async () => {
    const at = folder();
    const lying = drivenBy((sql) => sql.replace('synchronous = FULL', 'synchronous = NORMAL'));
    const opening = openSqliteEventStore({ folder: at, openDatabase: lying });
    await expect(opening).rejects.toThrow(/WAL, synchronous=NORMAL/);
    await expect(openSqliteEventStore({ folder: at, openDatabase: lying })).rejects.toThrow(
      code('store.not-durable'),
    );
    const honest = await openSqliteEventStore({ folder: at });
    await honest.close();
  });

  test('an engine that has no write-ahead log is refused', async () => {
    const lying = drivenBy((sql) => sql.replace('journal_mode = WAL', 'journal_mode = DELETE'));
    const opening = openSqliteEventStore({ folder: folder(), openDatabase: lying });
    await expect(opening).rejects.toThrow(code('store.not-durable'));
  });
});

describe('appends of one turn are committed together', () => {
  const commitsOf = async (store: Awaited<ReturnType<typeof openSqliteEventStore>>) =>
    (await store.describe()).details['commits'];

  test('a hundred appends of one turn are one commit', async () => {
    const store = await openSqliteEventStore({ folder: folder() });
    await Promise.all(
      Array.from({ length: 100 }, (_, index) => store.append(appendTo(`a${index}`, 3))),
    );
    expect(await commitsOf(store)).toBe(1);
    await store.append(appendTo('b'));
    await store.append(appendTo('c'));
    expect(await commitsOf(store)).toBe(3);
    await store.close();
  });

  test('a refusal fails alone, and costs no commit where it stands alone', async () => {
    const store = await openSqliteEventStore({ folder: folder() });
    const outcomes = await Promise.allSettled([
      store.append(appendTo('a')),
      store.append(appendTo('a')),
      store.append(appendTo('b')),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await commitsOf(store)).toBe(1);
    await expect(store.append(appendTo('a'))).rejects.toThrow();
    expect(await commitsOf(store)).toBe(1);
    await store.close();
  });

  test('more appends than one transaction takes are all committed', async () => {
    const store = await openSqliteEventStore({ folder: folder() });
    const appends = Array.from({ length: 2_500 }, (_, index) => appendTo(`a${index % 2_400}`));
    const outcomes = await Promise.allSettled(appends.map((append) => store.append(append)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2_400);
    expect(await commitsOf(store)).toBe(3);
    await store.close();
  });

  test('nobody is answered before the commit, not even with a refusal', async () => {
    let commits = 0;
    const counting = drivenBy((sql) => {
      if (sql === 'COMMIT') commits += 1;
      return sql;
    });
    const store = await openSqliteEventStore({ folder: folder(), openDatabase: counting });
    const seen = await Promise.all([
      store.append(appendTo('a')).then(() => commits),
      store.append(appendTo('a')).catch(() => commits),
    ]);
    expect(seen).toEqual([1, 1]);
    await store.close();
  });
});

describe('a write that fails is reported as what it is', () => {
  /** A store whose next COMMIT fails so. */
  const failing = async () => {
    let failure: Error | undefined;
    const driver = drivenBy((sql) => {
      const error = failure;
      if (sql !== 'COMMIT' || error === undefined) return sql;
      failure = undefined;
      throw error;
    });
    const at = folder();
    const store = await openSqliteEventStore({ folder: at, openDatabase: driver });
    return {
      at,
      store,
      failNext: (error: Error) => {
        failure = error;
      },
    };
  };

  test('a full disk rejects the group, and what is appended later is stored', async () => {
    const { store, failNext } = await failing();
    await store.append({ ...appendTo('a'), events: [event({ id: 'kept' })] });
    failNext(sqliteError('database or disk is full', 13));
    const next = { stream: 'a', expectedRevision: 0, events: events(2) };
    const other = appendTo('b');
    const outcomes = await Promise.allSettled([store.append(next), store.append(other)]);
    expect(outcomes).toMatchObject([
      { status: 'rejected', reason: { code: 'store.unavailable', retryable: true } },
      { status: 'rejected', reason: { code: 'store.unavailable' } },
    ]);
    expect(await store.lastRevision('a')).toBe(0);
    expect(await store.lastRevision('b')).toBeUndefined();
    expect((await store.append(next)).revision).toBe(2);
    expect((await store.append(other)).revision).toBe(0);
    const positions = (await all(store.readAll())).map(({ position }) => position);
    expect(positions).toEqual([1n, 2n, 3n, 4n]);
    await store.close();
  });

  test('an I/O error at the commit leaves the outcome in doubt, and the retry settles it', async () => {
    const { store, failNext } = await failing();
    const append = appendTo('a', 2);
    failNext(sqliteError('disk I/O error', 1034));
    await expect(store.append(append)).rejects.toThrow(
      expect.objectContaining({ name: 'OutcomeUnknown', details: expect.anything() }),
    );
    expect((await store.append(append)).revision).toBe(1);
    expect((await store.append(append)).revision).toBe(1);
    expect(idsOf(await all(store.readStream('a')))).toEqual(idsOf(append.events));
    await store.close();
  });

  test('a database that may not grow takes appends again once it may', async () => {
    let raise = (): void => {};
    let isFull = false;
    const limited = drivenBy(
      (sql) => sql,
      (database, path) => {
        if (!path.endsWith('events.db')) return;
        database.exec('PRAGMA max_page_count = 30');
        raise = () => database.exec('PRAGMA max_page_count = 100000');
      },
    );
    const store = await openSqliteEventStore({ folder: folder(), openDatabase: limited });
    const data = JSON.stringify('x'.repeat(20_000));
    let stored = 0;
    while (!isFull) {
      const append = store.append({
        stream: 'a',
        expectedRevision: stored === 0 ? 'no-stream' : stored - 1,
        events: [event({ data })],
      });
      try {
        await append;
        stored += 1;
      } catch (error) {
        expect(error).toEqual(code('store.unavailable'));
        isFull = true;
      }
    }
    expect(stored).toBeGreaterThan(2);
    expect(await store.lastRevision('a')).toBe(stored - 1);
    raise();
    const next = { stream: 'a', expectedRevision: stored - 1, events: [event({ data })] };
    expect((await store.append(next)).revision).toBe(stored);
    expect(await all(store.readStream('a'))).toHaveLength(stored + 1);
    await store.close();
  });

  test('an append that failed is not seen by subscribers', async () => {
    const { store, failNext } = await failing();
    const items = store.subscribe()[Symbol.asyncIterator]();
    await items.next();
    const next = items.next();
    failNext(sqliteError('disk I/O error', 10));
    await expect(store.append(appendTo('a', 3))).rejects.toThrow();
    const { events: written } = appendTo('b');
    await store.append({ ...appendTo('b'), events: written });
    expect((await next).value).toMatchObject({ event: { id: written[0]!.id, position: 1n } });
    await store.close();
  });
});
