import { describe, expect, test } from 'vitest';
import { jsonOf, startServer } from './kit.ts';

const input = { value: 1 };

describe('POST /api/v1/runs', () => {
  test('starts a run, durably, and names it', async () => {
    const server = await startServer();
    const answer = await server.post('/api/v1/runs', { workflow: 'add-one', key: 'a', input });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe('/api/v1/runs/add-one.a');
    expect(await jsonOf(answer)).toMatchObject({ id: 'add-one.a', tenant: 'default', input });
    const run = await jsonOf(server.fetch('/api/v1/runs/add-one.a?until=end'));
    expect(run).toMatchObject({ status: 'completed', output: { value: 2 } });
  });

  test('finds the run that has the same key and input, and refuses the key for another', async () => {
    const server = await startServer();
    const start = (body: object) => server.post('/api/v1/runs', { workflow: 'add-one', ...body });
    expect((await start({ key: 'a', input })).status).toBe(201);
    expect((await start({ key: 'a', input })).status).toBe(200);
    const other = await start({ key: 'a', input: { value: 2 } });
    expect(other.status).toBe(409);
    expect(other.headers.get('content-type')).toBe('application/problem+json');
    expect(await jsonOf(other)).toMatchObject({ status: 409, code: 'run.key-conflict' });
  });

  test('50 times at once with one Idempotency-Key is one run and 50 equal answers, also after a restart', async () => {
    const first = await startServer();
    const headers = { 'idempotency-key': 'order 7/a' };
    const start = (server: typeof first, value: number) =>
      server.post('/api/v1/runs', { workflow: 'add-one', input: { value } }, { headers });
    const answers = await Promise.all(Array.from({ length: 50 }, () => start(first, 1)));
    const bodies = await Promise.all(answers.map((answer) => answer.text()));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(49);
    expect(new Set(bodies).size).toBe(1);
    expect((await start(first, 2)).status).toBe(409);
    expect((await jsonOf(first.fetch('/api/v1/runs'))).items).toHaveLength(1);
    const { id } = JSON.parse(bodies[0]!) as { id: string };
    await first.fetch(`/api/v1/runs/${id}?until=end`);
    await first.stop();

    const second = await startServer({ folder: first.folder });
    const again = await Promise.all(Array.from({ length: 50 }, () => start(second, 1)));
    expect(again.every(({ status }) => status === 200)).toBe(true);
    expect(new Set(await Promise.all(again.map((answer) => answer.text())))).toEqual(
      new Set(bodies),
    );
    expect((await start(second, 2)).status).toBe(409);
    expect((await jsonOf(second.fetch('/api/v1/runs'))).items).toHaveLength(1);
  });

  test('reads no file of the server that an input names', async () => {
    const server = await startServer();
    const answer = await server.post('/api/v1/runs', { workflow: '/etc/passwd', input });
    expect(answer.status).toBe(404);
    const token = server.token();
    const refused = await server.post('/api/v1/runs', { workflow: './flow.ts', input }, { token });
    expect(refused.status).toBe(403);
  });

  test('says where an input does not fit', async () => {
    const server = await startServer();
    const answer = await server.post('/api/v1/runs', {
      workflow: 'add-one',
      input: { value: 'x' },
    });
    expect(answer.status).toBe(400);
    expect(await jsonOf(answer)).toMatchObject({
      code: 'input.invalid',
      details: { list: [{ path: 'value' }] },
    });
  });
});

describe('GET /api/v1/runs', () => {
  test('gives pages that follow on each other, by what is asked for', async () => {
    const server = await startServer();
    for (let value = 0; value < 5; value += 1) {
      await server.post('/api/v1/runs', {
        workflow: 'add-one',
        key: `k${value}`,
        input: { value },
      });
      await server.fetch(`/api/v1/runs/add-one.k${value}?until=end`);
    }
    await server.post('/api/v1/runs', { workflow: 'offer', key: 'o' });
    const ids: string[] = [];
    for (let cursor: string | undefined, first = true; first || cursor !== undefined;) {
      first = false;
      const page = await jsonOf(
        server.fetch(
          `/api/v1/runs?workflow=add-one&limit=2${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
        ),
      );
      expect(page.items.length).toBeLessThanOrEqual(2);
      ids.push(...page.items.map(({ id }: { id: string }) => id));
      cursor = page.nextCursor;
    }
    expect(ids).toEqual(['add-one.k4', 'add-one.k3', 'add-one.k2', 'add-one.k1', 'add-one.k0']);
    const startedSince = async (since: string): Promise<number> =>
      (await server.fetch(`/api/v1/runs?since=${since}`)).status;
    expect(await startedSince('2026-01-31')).toBe(200);
    expect(await startedSince('2026-02-31')).toBe(400);
    const counted = await jsonOf(server.fetch('/api/v1/runs?status=waiting&counts=true'));
    expect(counted.items).toMatchObject([{ id: 'offer.o', waitingFor: ['approved', 'noted'] }]);
  });

  test('shows what was written up to a position', async () => {
    const server = await startServer();
    await server.post('/api/v1/runs', { workflow: 'offer', key: 'o' });
    const { items } = await jsonOf(server.fetch('/api/v1/runs/offer.o/events'));
    const { position } = items.at(-1);
    const shown = await jsonOf(server.fetch(`/api/v1/runs?after=${position}`));
    expect(shown.items).toHaveLength(1);
  });
});

describe('GET /api/v1/runs/{id}', () => {
  test('has an ETag, and nothing to say while it holds', async () => {
    const server = await startServer();
    await server.post('/api/v1/runs', { workflow: 'offer', key: 'o' });
    const first = await server.fetch('/api/v1/runs/offer.o');
    const etag = first.headers.get('etag')!;
    const headers = { 'if-none-match': etag };
    expect((await server.fetch('/api/v1/runs/offer.o', { headers })).status).toBe(304);
    await server.post('/api/v1/runs/offer.o/signals', { type: 'noted' });
    const moved = await server.fetch('/api/v1/runs/offer.o', { headers });
    expect(moved.status).toBe(200);
    expect(moved.headers.get('etag')).not.toBe(etag);
  });

  test('waits until the run rests or ends, and says whether it did', async () => {
    const server = await startServer();
    await server.post('/api/v1/runs', { workflow: 'offer', key: 'o' });
    const rests = await server.fetch('/api/v1/runs/offer.o?until=rest');
    expect(rests.headers.get('ecl-reached')).toBe('true');
    const open = await server.fetch('/api/v1/runs/offer.o?until=end&wait=0');
    expect(open.headers.get('ecl-reached')).toBe('false');
    const ended = server.fetch('/api/v1/runs/offer.o?until=end');
    await server.post('/api/v1/runs/offer.o/signals', { type: 'approved' });
    expect(await jsonOf(ended)).toMatchObject({ status: 'completed' });
  });

  test('has the steps of the run', async () => {
    const server = await startServer();
    await server.post('/api/v1/runs', { workflow: 'add-one', key: 'a', input });
    await server.fetch('/api/v1/runs/add-one.a?until=end');
    const steps = await jsonOf(server.fetch('/api/v1/runs/add-one.a/steps'));
    expect(steps.items).toMatchObject([{ kind: 'step', name: 'add', outcome: 'done' }]);
    const all = await jsonOf(server.fetch('/api/v1/runs/add-one.a/steps?kinds=all'));
    expect(all.items.length).toBeGreaterThan(2);
  });
});

describe('a command to a run', () => {
  test('is answered with 202 and the state that it led to', async () => {
    const server = await startServer();
    await server.post('/api/v1/runs', { workflow: 'offer', key: 'o' });
    const answer = await server.post('/api/v1/runs/offer.o/signals', { type: 'approved' });
    expect(answer.status).toBe(202);
    expect(await jsonOf(answer)).toMatchObject({ status: 'completed', output: { notes: 0 } });
  });

  test('that is not possible now is a 409 with the events that are', async () => {
    const server = await startServer();
    await server.post('/api/v1/runs', { workflow: 'offer', key: 'o' });
    const answer = await server.post('/api/v1/runs/offer.o/signals', { type: 'reopened' });
    expect(answer.status).toBe(409);
    expect(await jsonOf(answer)).toMatchObject({
      code: 'signal.not-now',
      details: { events: ['approved', 'noted'] },
    });
    const never = await server.post('/api/v1/runs/offer.o/signals', { type: 'exploded' });
    expect(never.status).toBe(400);
  });

  test('with an Idempotency-Key has one effect, however often it is sent', async () => {
    const server = await startServer();
    await server.post('/api/v1/runs', { workflow: 'offer', key: 'o' });
    const headers = { 'idempotency-key': 'note-1' };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        server.post('/api/v1/runs/offer.o/signals', { type: 'noted' }, { headers }),
      ),
    );
    expect(answers.every(({ status }) => status === 202)).toBe(true);
    const done = await server.post('/api/v1/runs/offer.o/signals', { type: 'approved' });
    expect(await jsonOf(done)).toMatchObject({ output: { notes: 1 } });
  });

  test('with If-Match holds only at that revision', async () => {
    const server = await startServer();
    await server.post('/api/v1/runs', { workflow: 'offer', key: 'o' });
    const etag = (await server.fetch('/api/v1/runs/offer.o')).headers.get('etag')!;
    const send = () =>
      server.post(
        '/api/v1/runs/offer.o/signals',
        { type: 'noted' },
        { headers: { 'if-match': etag } },
      );
    expect((await send()).status).toBe(202);
    const late = await send();
    expect(late.status).toBe(412);
    expect(await jsonOf(late)).toMatchObject({ code: 'run.moved-on' });
  });

  test('cancels, once and for good', async () => {
    const server = await startServer();
    await server.post('/api/v1/runs', { workflow: 'offer', key: 'o' });
    const path = '/api/v1/runs/offer.o/cancel';
    expect(await jsonOf(server.fetch(path, { method: 'POST' }))).toMatchObject({
      status: 'cancelled',
    });
    expect((await server.post(path, { reason: 'again' })).status).toBe(202);
    expect((await server.post('/api/v1/runs/offer.o/resume', {})).status).toBe(409);
    const over = await server.post('/api/v1/runs/offer.o/signals', { type: 'noted' });
    expect(await jsonOf(over)).toMatchObject({ status: 409, code: 'run.over' });
  });

  test('to a run that is not there is a 404', async () => {
    const server = await startServer();
    for (const command of ['signals', 'cancel', 'resume']) {
      const answer = await server.post(`/api/v1/runs/offer.none/${command}`, { type: 'noted' });
      expect(answer.status).toBe(command === 'signals' ? 404 : 400);
    }
    expect((await server.post('/api/v1/runs/offer.none/cancel', {})).status).toBe(404);
  });
});
