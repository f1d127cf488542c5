import { describe, expect, test } from 'vitest';
import { EclError, type Model, type PublicEvent } from 'ecl';
import { randomOf } from '../random.ts';
import { addOne, jsonOf, offer, startServer, type Served } from './kit.ts';

interface Frame {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
  readonly comment?: string;
}

const frameOf = (text: string): Frame =>
  Object.fromEntries(
    text.split('\n').map((line) => {
      const [, name, value] = /^(\w*): ?(.*)$/.exec(line)!;
      return [name === '' ? 'comment' : name!, value];
    }),
  );

/** Frames of a stream, until the reader leaves. */
async function* framesOf(
  server: Served,
  path: string,
  headers: Record<string, string> = {},
): AsyncGenerator<Frame> {
  const controller = new AbortController();
  const answer = await server.fetch(path, {
    headers: { accept: 'text/event-stream', ...headers },
    signal: controller.signal,
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const bytes of answer.body as unknown as AsyncIterable<Uint8Array>) {
      rest += decoder.decode(bytes, { stream: true });
      const parts = rest.split('\n\n');
      rest = parts.pop()!;
      for (const part of parts) yield frameOf(part);
    }
  } finally {
    controller.abort();
  }
}

/** The next events of a stream. */
const take = async (
  server: Served,
  path: string,
  { count, after }: { count: number; after?: string },
): Promise<PublicEvent[]> => {
  const events: PublicEvent[] = [];
  if (count === 0) return events;
  const headers: Record<string, string> = after === undefined ? {} : { 'last-event-id': after };
  for await (const { id, data, event } of framesOf(server, path, headers)) {
    if (data === undefined || event !== undefined) continue;
    const parsed = JSON.parse(data) as PublicEvent;
    expect(id).toBe(parsed.position);
    events.push(parsed);
    if (events.length === count) break;
  }
  return events;
};

const allOf = async (server: Served): Promise<PublicEvent[]> => {
  const events: PublicEvent[] = [];
  for await (const event of server.ecl.events()) events.push(event);
  return events;
};

describe('a stream of events', () => {
  test.each(['/api/v1/events', '/api/v1/runs/offer.o/events'])(
    'of %s that is cut and resumed 100 times has no gap and no repetition',
    async (path) => {
      const server = await startServer();
      const run = await server.ecl.spawn(offer, { key: 'o' });
      const random = randomOf(7);
      const signals = 150;
      const sending = (async () => {
        for (let id = 0; id < signals; id += 1) {
          await run.send({ type: 'noted' }, { id: String(id) });
          if (id % 10 === 0) await server.ecl.spawn(addOne, { input: { value: id } });
        }
        await run.send({ type: 'approved' });
      })();
      const seen: PublicEvent[] = [];
      for (let cut = 0; cut < 100; cut += 1) {
        const after = seen.at(-1)?.position;
        const count = Math.floor(random() * 4);
        const options = after === undefined ? { count } : { count, after };
        seen.push(...(await take(server, path, options)));
      }
      await sending;
      const all = (await allOf(server)).filter(
        ({ stream }) => path === '/api/v1/events' || stream === 'run-default.offer.o',
      );
      const rest = await take(server, path, {
        count: all.length - seen.length,
        after: seen.at(-1)!.position,
      });
      expect([...seen, ...rest].map(({ position }) => position)).toEqual(
        all.map(({ position }) => position),
      );
    },
  );

  test('begins at the end when that is asked for, and says where that is', async () => {
    const server = await startServer();
    const run = await server.ecl.spawn(offer, { key: 'o' });
    const frames = framesOf(server, '/api/v1/runs/offer.o/events?from=end');
    const { value: first } = await frames.next();
    expect(first).toMatchObject({ event: 'start', id: (await allOf(server)).at(-1)!.position });
    await run.send({ type: 'noted' });
    const { value: second } = await frames.next();
    expect(JSON.parse((second as Frame).data!)).toMatchObject({ type: 'SignalReceived' });
    await frames.return(undefined);
  });

  test('shows a sign of life when nothing happens', async () => {
    const server = await startServer({ serve: { limits: { heartbeatMs: 20 } } });
    await server.ecl.spawn(offer, { key: 'o' });
    for await (const { comment } of framesOf(server, '/api/v1/events?from=end')) {
      if (comment === 'heartbeat') break;
    }
  });

  test('has only the types and workflows that are asked for', async () => {
    const server = await startServer();
    await (await server.ecl.spawn(addOne, { input: { value: 1 } })).result();
    await server.ecl.spawn(offer, { key: 'o' });
    const path = '/api/v1/events?types=RunStarted,RunCompleted&workflow=add-one';
    const events = await take(server, path, { count: 2 });
    expect(events.map(({ type }) => type)).toEqual(['RunStarted', 'RunCompleted']);
    expect((await server.fetch('/api/v1/events?types=Nothing')).status).toBe(400);
    expect((await server.fetch('/api/v1/runs/offer.x/events')).status).toBe(404);
  });

  test('ends when the server does, and leaves nothing behind when its reader goes', async () => {
    const server = await startServer({ serve: { limits: { concurrentStreams: 1 } } });
    await server.ecl.spawn(offer, { key: 'o' });
    const first = framesOf(server, '/api/v1/events');
    await first.next();
    const headers = { accept: 'text/event-stream' };
    const second = await server.fetch('/api/v1/events', { headers });
    expect(second.status).toBe(429);
    expect(second.headers.get('retry-after')).toBe('1');
    await first.return(undefined);
    // The server hears of it as soon as its socket does.
    let third = await server.fetch('/api/v1/events', { headers });
    for (; third.status === 429; third = await server.fetch('/api/v1/events', { headers })) {
      await third.text();
    }
    expect(third.status).toBe(200);
    const text = third.text();
    const began = Date.now();
    await server.serving.close();
    await text;
    expect(Date.now() - began).toBeLessThan(2_000);
  });
});

describe('a page of events', () => {
  test('follows on the one before, of one run and of all', async () => {
    const server = await startServer();
    const run = await server.ecl.spawn(offer, { key: 'o' });
    for (let note = 0; note < 6; note += 1) await run.send({ type: 'noted' });
    await server.ecl.spawn(offer, { key: 'p' });
    for (const path of ['/api/v1/events', '/api/v1/runs/offer.o/events']) {
      const positions: string[] = [];
      let cursor: string | undefined;
      do {
        const query = new URLSearchParams({ limit: '4', ...(cursor ? { cursor } : {}) });
        const page = await jsonOf(server.fetch(`${path}?${query.toString()}`));
        positions.push(...page.items.map(({ position }: PublicEvent) => position));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      const all = (await allOf(server)).filter(
        ({ stream }) => path === '/api/v1/events' || stream === 'run-default.offer.o',
      );
      expect(positions).toEqual(all.map(({ position }) => position));
    }
  });

  test('is a batch of CloudEvents where that is asked for', async () => {
    const server = await startServer();
    await server.ecl.spawn(offer, { key: 'o' });
    const answer = await server.fetch('/api/v1/runs/offer.o/events?limit=1', {
      headers: { accept: 'application/cloudevents-batch+json' },
    });
    expect(answer.headers.get('content-type')).toBe('application/cloudevents-batch+json');
    expect(answer.headers.get('link')).toMatch(
      /^<\/api\/v1\/runs\/offer\.o\/events\?.*>; rel="next"$/,
    );
    const [first] = await allOf(server);
    expect(await jsonOf(answer)).toEqual([
      {
        specversion: '1.0',
        id: first!.id,
        source: '/api/v1/runs/offer.o',
        type: 'ecl.RunStarted.v1',
        subject: 'offer.o',
        time: first!.metadata.at,
        datacontenttype: 'application/json',
        data: first!.data,
        sequence: '00000000000000000000',
        position: first!.position,
        tenant: 'default',
        correlationid: 'offer.o',
      },
    ]);
  });
});

/** Its first stream breaks off, the next one is whole. */
const breakingOff = (): Model => {
  let streams = 0;
  return {
    id: 'test:model',
    isLanguageModel: true,
    complete: () => Promise.reject(new Error('it only streams')),
    async *stream() {
      streams += 1;
      yield { kind: 'text', text: 'Once ' };
      if (streams === 1) {
        throw new EclError('model.unavailable', { model: 'test', reason: 'cut', retryAfterMs: 1 });
      }
      yield { kind: 'text', text: 'more.' };
      const reply = { model: 'test', text: 'Once more.', toolCalls: [], usage: undefined } as const;
      yield { kind: 'reply', reply: { ...reply, stopReason: 'end' } };
    },
  };
};

describe('what a model gives', () => {
  test('is shown piece by piece, marked so that the text of an attempt that failed can be taken back', async () => {
    const server = await startServer({ model: breakingOff() });
    const frames = framesOf(server, '/api/v1/events');
    await frames.next();
    await server.ecl.spawn('tell', { key: 't', input: { topic: 'the sea' } });
    const texts = new Map<string, string>();
    const marks: unknown[] = [];
    for await (const { id, event, data } of frames) {
      if (data === undefined) continue;
      const value = JSON.parse(data);
      if (event === 'model.text') {
        const { run, invocation, attempt, call, offset, text } = value;
        expect({ id, run }).toEqual({ id: undefined, run: 'tell.t' });
        const key = `${invocation}/${attempt}`;
        expect(offset).toBe(texts.get(key)?.length ?? 0);
        texts.set(key, (texts.get(key) ?? '') + text);
        marks.push({ attempt, call });
      } else if (value.type === 'StepAttemptFailed') {
        texts.delete(`${value.data.invocation}/${value.data.attempt}`);
        marks.push('failed');
      } else if (value.type === 'ModelReplied') {
        expect(texts.get(`${value.data.invocation}/${value.data.attempt}`)).toBe(value.data.text);
        break;
      }
    }
    expect([...texts.values()]).toEqual(['Once more.']);
    expect(marks).toContain('failed');
    expect(marks[0]).toMatchObject({ attempt: 1 });
    expect(marks.at(-1)).toMatchObject({ attempt: 2 });
  });
});
