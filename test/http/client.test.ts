import { describe, expect, expectTypeOf, test } from 'vitest';
import { waitFor, toPromise, type AnyActorRef } from 'xstate';
import { createEclClient, type EclClient } from 'ecl/client';
import { addOne, offer, startServer, type Served } from './kit.ts';

const clientOf = ({ url, serving }: Served): EclClient =>
  createEclClient({ url, token: serving.token });

test('a server whose port is taken says so, and what to choose', async () => {
  const { url } = await startServer();
  await expect(startServer({ serve: { port: Number(new URL(url).port) } })).rejects.toMatchObject({
    code: 'server.no-address',
    message: expect.stringContaining('something listens there already; choose another --port'),
  });
});

describe('a client', () => {
  test('starts a run and gets its result, typed as in process', async () => {
    const ecl = clientOf(await startServer());
    const run = await ecl.spawn(addOne, { key: 'a', input: { value: 1 } });
    const result = await run.result();
    expectTypeOf(result).toEqualTypeOf<{ value: number }>();
    expect(result).toEqual({ value: 2 });
    expect((await ecl.list()).items.map(({ id }) => id)).toEqual(['add-one.a']);
  });

  test('throws the errors that are thrown in process', async () => {
    const ecl = clientOf(await startServer());
    await ecl.spawn(addOne, { key: 'a', input: { value: 1 } });
    await expect(ecl.spawn(addOne, { key: 'a', input: { value: 2 } })).rejects.toMatchObject({
      name: 'EclError',
      code: 'run.key-conflict',
      kind: 'conflict',
    });
    // A list waits for the rows that the guess at a mistyped id is taken from.
    await ecl.list();
    await expect(ecl.get('add-one.b')).rejects.toMatchObject({
      code: 'run.not-found',
      details: { candidates: ['add-one.a'] },
    });
    const stranger = createEclClient({ url: (await startServer()).url, token: 'ecl_none' });
    await expect(stranger.list()).rejects.toMatchObject({ code: 'access.unauthenticated' });
    const nobody = createEclClient({ url: 'http://127.0.0.1:1' });
    await expect(nobody.list()).rejects.toMatchObject({ code: 'server.unavailable' });
  });

  test('sends, waits for rest, resumes and cancels', async () => {
    const ecl = clientOf(await startServer());
    const run = await ecl.spawn(offer, { key: 'o' });
    expect(await run.rest()).toMatchObject({ status: 'waiting', state: 'open' });
    await run.send({ type: 'noted' }, { id: 'one' });
    await run.send({ type: 'noted' }, { id: 'one' });
    await expect(run.send({ type: 'reopened' })).rejects.toMatchObject({
      code: 'signal.not-now',
      details: { events: ['approved', 'noted'] },
    });
    await expect(run.resume()).rejects.toMatchObject({ code: 'run.not-paused' });
    expect(await run.cancel('enough')).toMatchObject({ status: 'cancelled' });
    await expect(run.result()).rejects.toMatchObject({ code: 'run.cancelled' });
  });

  test('is an actor ref for waitFor and toPromise of xstate', async () => {
    const ecl = clientOf(await startServer());
    const run = await ecl.spawn(offer, { key: 'o' });
    const ref = run as unknown as AnyActorRef;
    const done = waitFor(ref, (snapshot) => snapshot.value === 'done', { timeout: 20_000 });
    const output = toPromise(ref);
    await run.send({ type: 'noted' });
    await run.send({ type: 'approved' });
    await done;
    expect(await output).toEqual({ notes: 1 });
  });

  test('follows events from the end over a restart of the server, without a gap or a repetition', async () => {
    const first = await startServer();
    const port = Number(new URL(first.url).port);
    const ecl = createEclClient({
      url: first.url,
      // The token of a server goes with it; this one stays.
      token: first.token({ tenant: '*', scope: 'admin' }),
    });
    await ecl.spawn(offer, { key: 'before' });
    const seen: string[] = [];
    const stop = new AbortController();
    let heard = (): void => {};
    const following = (async () => {
      for await (const event of ecl.events({ live: true, from: 'end', signal: stop.signal })) {
        if (event.type === 'SignalReceived') seen.push((event.data as { id: string }).id);
        heard();
      }
    })();
    const has = (count: number): Promise<void> =>
      new Promise((resolve) => {
        heard = () => seen.length >= count && resolve();
        heard();
      });
    const run = await ecl.get('offer.before');
    for (let id = 0; seen.length === 0; id += 1) {
      await run.send({ type: 'noted' }, { id: `first-${id}` });
      await Promise.race([has(1), new Promise((resolve) => setTimeout(resolve, 50))]);
    }
    const before = seen.length;
    await first.stop();
    const second = await startServer({ folder: first.folder, serve: { port } });
    for (const id of ['a', 'b', 'c']) await run.send({ type: 'noted' }, { id });
    await has(before + 3);
    stop.abort();
    await following;
    expect(seen.slice(-3)).toEqual(['a', 'b', 'c']);
    expect(new Set(seen).size).toBe(seen.length);
    expect(second.url).toBe(first.url);
  });

  test('brings files, and reads artifacts', async () => {
    const ecl = clientOf(await startServer());
    const content = new TextEncoder().encode('# Notes');
    const reference = await ecl.upload(content, { name: 'notes.md', mediaType: 'text/markdown' });
    expect(reference).toMatchObject({ name: 'notes.md', bytes: 7, mediaType: 'text/markdown' });
    expect(await ecl.artifact(reference.sha256)).toEqual(content);
  });
});
