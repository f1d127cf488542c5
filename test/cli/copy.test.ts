/** `ecl copy`: what is in one store stands in another, provably the same, however often it was begun. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { createEcl, step, type Ecl } from 'ecl';
import { createMemoryArtifactStore } from '../../src/adapters/memory/artifact-store.ts';
import { createMemoryEventStore } from '../../src/adapters/memory/event-store.ts';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { copyStores } from '../../src/composition/copying.ts';
import type { EventStore, RecordedEvent } from '../../src/ports/event-store.ts';
import { copyJournals } from '../../src/runtime/copy-journals.ts';
import { notes, oneStep } from '../runtime/machines.ts';
import { decorated } from '../runtime/kit.ts';
import { startGateway } from '../kurrent-gateway/start-gateway.ts';

const folders: string[] = [];
const opened: Ecl[] = [];
afterEach(async () => {
  for (const ecl of opened.splice(0)) await ecl.close();
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'ecl-copy-'));
  folders.push(made);
  return made;
};

/** Writes a document, and gives more than an event holds. */
const writes = step({
  name: 'writes',
  execute: async (scope) => {
    const { sha256 } = await scope.artifacts.write({ name: 'page.md', content: '# A page' });
    return { sha256, text: 'long '.repeat(30_000) };
  },
});
const flow = oneStep(writes, 'writes');

const open = async (store: string): Promise<Ecl> => {
  const logger = pino({ level: 'silent' });
  const ecl = await createEcl({ store, model: 'rules', workflows: [flow, notes], logger });
  opened.push(ecl);
  return ecl;
};

/** A store with runs that are over, and one that waits. @returns its folder */
const filled = async (): Promise<string> => {
  const at = folder();
  const ecl = await open(`sqlite:${at}`);
  for (const key of ['a', 'b']) await (await ecl.spawn(flow, { key })).result();
  const waiting = await ecl.spawn(notes as never, { key: 'w' });
  await waiting.send({ type: 'note', what: 1 });
  await ecl.close();
  opened.pop();
  return at;
};

const headsOf = async (store: string): Promise<readonly string[]> => {
  const ecl = await open(store);
  const { ok, runs } = await ecl.verify();
  expect(ok).toBe(true);
  await ecl.close();
  opened.pop();
  return runs.map(({ head }) => head).toSorted();
};

const options = (from: string, to: string): Parameters<typeof copyStores>[0] => ({
  from,
  to,
  dataFolder: folder(),
});

describe('a copy', () => {
  test('has the same heads, its artifacts, and goes on where the source was', async () => {
    const source = `sqlite:${await filled()}`;
    const to = `sqlite:${folder()}`;
    const copied = await copyStores(options(source, to));
    expect(copied).toMatchObject({ ok: true, runs: 3, faults: [], events: { present: 0 } });
    expect(copied.artifacts).toEqual({ copied: 2, present: 0 });
    expect(await headsOf(to)).toEqual(await headsOf(source));
    const ecl = await open(to);
    const run = await ecl.get('notes.w');
    await run.send({ type: 'end' });
    expect(await run.result()).toEqual([1]);
  });

  test('that is made again copies what came since, and nothing twice', async () => {
    const at = await filled();
    const to = `sqlite:${folder()}`;
    const { events } = await copyStores(options(`sqlite:${at}`, to));
    const source = await open(`sqlite:${at}`);
    await (await source.get('notes.w')).send({ type: 'lock' });
    await source.close();
    opened.pop();
    const again = await copyStores(options(`sqlite:${at}`, to));
    expect(again.events).toEqual({ copied: 2, present: events.copied });
    expect(again.artifacts).toEqual({ copied: 0, present: 0 });
    expect(await headsOf(to)).toEqual(await headsOf(`sqlite:${at}`));
  });

  test('into KurrentDB and back has the same heads', async () => {
    const source = `sqlite:${await filled()}`;
    const gateway = await startGateway();
    try {
      const dataFolder = folder();
      const server = gateway.connectionString;
      expect(await copyStores({ from: source, to: server, dataFolder })).toMatchObject({
        ok: true,
      });
      const back = `sqlite:${folder()}`;
      const returned = await copyStores({ from: server, to: back, dataFolder });
      expect(returned).toMatchObject({ ok: true, runs: 3, artifacts: { copied: 2 } });
      expect(await headsOf(back)).toEqual(await headsOf(source));
    } finally {
      await gateway.close();
    }
  });
});

const journalsOf = async (at: string): Promise<EventStore> =>
  openSqliteEventStore({ folder: at, access: 'read' });

describe('a copy that is ended', () => {
  test('at any append is completed by the next one', async () => {
    const events = await journalsOf(await filled());
    const artifacts = createMemoryArtifactStore();
    const { createFilesystemArtifactStore } =
      await import('../../src/adapters/filesystem/artifact-store.ts');
    const from = {
      events,
      artifacts: createFilesystemArtifactStore({ folder: join(folders.at(-1)!, 'artifacts') }),
    };
    for (let nth = 1; ; nth += 1) {
      const store = createMemoryEventStore();
      let appends = 0;
      const ending = <Append extends (...args: never[]) => Promise<unknown>>(append: Append) =>
        (async (...args: Parameters<Append>) => {
          appends += 1;
          if (appends === nth) throw new Error('ended');
          return append(...args);
        }) as Append;
      const cut = decorated(store, {
        append: ending(store.append.bind(store)),
        appendAll: ending(store.appendAll.bind(store)),
      });
      const isEnded = await copyJournals({ from, to: { events: cut, artifacts } }).then(
        () => false,
        () => true,
      );
      const copied = await copyJournals({ from, to: { events: store, artifacts } });
      expect(copied).toMatchObject({ ok: true, runs: 3 });
      if (!isEnded) break;
      expect(nth).toBeLessThan(20);
    }
    await events.close();
  });
});

describe('a journal that cannot be copied', () => {
  const damaged = (
    store: EventStore,
    change: (event: RecordedEvent) => RecordedEvent,
  ): EventStore =>
    decorated(store, {
      readAll: async function* (query) {
        for await (const event of store.readAll(query)) yield change(event);
      },
    });

  test('because it is damaged is named, and the others are copied', async () => {
    const events = await journalsOf(await filled());
    const artifacts = createMemoryArtifactStore();
    const from = damaged(events, (event) =>
      event.stream.endsWith('notes.w') && event.revision === 1 ? { ...event, data: '{}' } : event,
    );
    const to = createMemoryEventStore();
    const copied = await copyJournals({
      from: { events: from, artifacts },
      to: { events: to, artifacts },
    });
    expect(copied.ok).toBe(false);
    expect(copied.faults).toContainEqual({
      stream: 'run-default.notes.w',
      revision: 1,
      reason: 'its content does not have the recorded hash',
    });
    expect(await to.lastRevision('run-default.writes.a')).toBe(
      await events.lastRevision('run-default.writes.a'),
    );
    await events.close();
  });

  test('because the other store went another way is named, and left as it is', async () => {
    const at = await filled();
    const to = `sqlite:${folder()}`;
    await copyStores(options(`sqlite:${at}`, to));
    for (const store of [`sqlite:${at}`, to]) {
      const ecl = await open(store);
      await (await ecl.get('notes.w')).send({ type: 'note', what: store });
      await ecl.close();
      opened.pop();
    }
    const before = await headsOf(to);
    const again = await copyStores(options(`sqlite:${at}`, to));
    expect(again.ok).toBe(false);
    expect(again.faults.map(({ stream }) => stream)).toEqual(['run-default.notes.w']);
    expect(await headsOf(to)).toEqual(before);
  });

  test('because processes work there is refused before anything is copied', async () => {
    const source = `sqlite:${await filled()}`;
    const gateway = await startGateway();
    const working = await open(gateway.connectionString);
    try {
      const copying = copyStores(options(source, gateway.connectionString));
      await expect(copying).rejects.toThrow('Processes work on the store');
      expect(await gateway.store.lastRevision('run-default.notes.w')).toBeUndefined();
    } finally {
      await working.close();
      opened.pop();
      await gateway.close();
    }
  });
});
