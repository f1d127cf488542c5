/** What is asked about runs, over the real runtime: own writes, costs, and who waits. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEcl, gate, serial, step, type Ecl } from 'ecl';
import { createTestEcl } from 'ecl/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { modelUsage, runSummaries } from '../../projections/index.ts';
import { randomOf } from '../random.ts';

const opened: Ecl[] = [];
const folders: string[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((ecl) => ecl.close()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const kept = async (made: Promise<Ecl>): Promise<Ecl> => {
  const ecl = await made;
  opened.push(ecl);
  return ecl;
};

const Topic = z.object({ topic: z.string() });
const Text = z.object({ text: z.string() });

const draft = step({
  name: 'draft',
  input: Topic,
  output: Text,
  execute: async ({ input, model }) => ({ text: await model.text(`Write about ${input.topic}`) }),
});

const critique = step({
  name: 'critique',
  input: Text,
  output: Text,
  execute: async ({ input, model }) => {
    const [one, other] = await Promise.all([
      model.text(`Criticise ${input.text}`),
      model.text(`Praise ${input.text}`),
    ]);
    return { text: `${one} ${other}` };
  },
});

const flow = serial({ id: 'flow', version: '1.0.0', steps: [draft, critique] });
const plain = step({ name: 'plain', input: Topic, output: Text, execute: () => ({ text: 'x' }) });
const asking = serial({ id: 'asking', version: '1.0.0', steps: [plain, gate({ name: 'ok' })] });

describe('an answer', () => {
  test('shows all that the asker has just done, without a word about positions', async () => {
    const ecl = await kept(createTestEcl({ workflows: [asking] }));
    for (const key of ['a', 'b', 'c']) {
      const run = await ecl.spawn(asking, { key, input: { topic: key } });
      await run.rest();
      const [{ items }, gates, page, runs] = [
        await ecl.timeline(run.id),
        await ecl.gates(),
        await ecl.list({ counts: true }),
        await ecl.query(runSummaries),
      ];
      expect(items.at(-1)).toMatchObject({ kind: 'wait', name: 'ok', outcome: 'waiting' });
      expect(gates.items.map((each) => each.run)).toContain(run.id);
      expect(page.counts?.waiting).toBe(page.items.length);
      expect(runs.details(run.id)?.revision).toBe((await run.document()).revision);
    }
  });

  test('after a position shows what another process has done up to it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ecl-after-'));
    folders.push(folder);
    const options = { store: `sqlite:${folder}`, workflows: [asking], model: 'rules' } as const;
    const writer = await kept(createEcl(options));
    const reader = await kept(createEcl({ ...options, access: 'read' }));
    for (const key of ['a', 'b', 'c', 'd']) {
      const run = await writer.spawn(asking, { key, input: { topic: key } });
      await run.rest();
      const after = await writer.positionOf(run.id);
      const { items } = await reader.gates({ after });
      expect(items.map((each) => each.run)).toContain(run.id);
      const story = await reader.timeline(run.id, { after });
      expect(story.items.at(-1)).toMatchObject({ kind: 'wait' });
    }
  });

  test('after a position that never comes is an error in time, and harms no other', async () => {
    const ecl = await kept(createEcl({ store: 'memory:', workflows: [asking], model: 'rules' }));
    const run = await ecl.spawn(asking, { key: 'a', input: { topic: 'x' } });
    await run.rest();
    const started = performance.now();
    const late = ecl.list({ after: '999999999', waitMs: 100 });
    await expect(late).rejects.toMatchObject({
      code: 'read-model.behind',
      details: { name: 'run-summaries', position: '999999999', waitedMs: 100 },
    });
    expect(performance.now() - started).toBeLessThan(2_000);
    await expect(ecl.list({ after: 'soon' })).rejects.toMatchObject({ code: 'usage.invalid' });
    expect((await ecl.list()).items).toHaveLength(1);
  });

  test('about a run that is not there is an error, and about one without any is empty', async () => {
    const ecl = await kept(createTestEcl({ workflows: [asking] }));
    const run = await ecl.spawn(asking, { key: 'a', input: { topic: 'x' } });
    await run.rest();
    for (const ask of [
      ecl.timeline('asking.b'),
      ecl.artifacts('asking.b'),
      ecl.positionOf('asking.b'),
    ]) {
      await expect(ask).rejects.toMatchObject({ code: 'run.not-found' });
    }
    expect(await ecl.artifacts(run.id)).toEqual([]);
    expect((await ecl.usage({ run: run.id })).total.calls).toBe(0);
  });
});

/** A provider that keeps its own books: billionths of a dollar, by the model's price. */
const startProvider = async () => {
  const books = { calls: 0, nanoUsd: 0, inputTokens: 0, outputTokens: 0, refused: 0 };
  const chance = randomOf(7);
  const random = (below: number): number => Math.floor(chance() * below);
  const answer = (response: ServerResponse): void => {
    if (books.calls % 9 === 4 && books.refused < books.calls / 9) {
      books.refused += 1;
      response.writeHead(529, { 'content-type': 'application/json', 'retry-after': '0' });
      response.end('{"type":"error","error":{"type":"overloaded_error","message":"busy"}}');
      return;
    }
    const usage = {
      input_tokens: random(5_000),
      output_tokens: random(900),
      cache_read_input_tokens: random(3) === 0 ? random(10_000) : 0,
      cache_creation_input_tokens: random(3) === 0 ? random(2_000) : 0,
    };
    books.calls += 1;
    books.inputTokens += usage.input_tokens;
    books.outputTokens += usage.output_tokens;
    books.nanoUsd += usage.input_tokens * 3_000 + usage.output_tokens * 15_000;
    books.nanoUsd += usage.cache_read_input_tokens * 300;
    books.nanoUsd += usage.cache_creation_input_tokens * 3_750;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({
        id: `msg_${books.calls}`,
        type: 'message',
        role: 'assistant',
        model: 'claude-test',
        content: [{ type: 'text', text: `answer ${books.calls}` }],
        stop_reason: 'end_turn',
        stop_sequence: null,
        usage,
      }),
    );
  };
  const server = createServer((request, response) => {
    request.resume().on('end', () => answer(response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    books,
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

test('what models cost is what the provider has in its own books, to the last billionth, also after a rebuild', async () => {
  const provider = await startProvider();
  const price = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 };
  const ecl = await kept(
    createEcl({
      store: 'memory:',
      model: 'anthropic:claude-test',
      anthropic: { apiKey: 'key', baseUrl: provider.url },
      prices: { 'claude-test': price },
      workflows: [flow],
    }),
  );
  const runs = await Promise.all(
    Array.from({ length: 12 }, (_, n) =>
      ecl.spawn(flow, { key: `k${n}`, input: { topic: `topic ${n}` } }),
    ),
  );
  await Promise.all(runs.map((run) => run.result()));
  const { books } = provider;
  const compare = async (): Promise<void> => {
    const { total, items } = await ecl.usage({ by: ['run'] });
    const { calls, inputTokens, outputTokens, refused } = books;
    expect(total).toMatchObject({ calls, inputTokens, outputTokens, unpriced: 0, errors: refused });
    expect(Math.round(total.usd * 1e9)).toBe(books.nanoUsd);
    expect(items).toHaveLength(12);
    const byStep = await ecl.usage({ by: ['step', 'model'] });
    expect(byStep.total).toEqual(total);
    expect(byStep.items.map(({ step: name, model, calls: own }) => [name, model, own])).toEqual([
      ['critique', 'claude-test', 24],
      ['draft', 'claude-test', 12],
    ]);
  };
  expect(books.refused).toBeGreaterThan(0);
  await compare();
  await ecl.readModels.rebuild(modelUsage.definition.name);
  await compare();
  await provider.stop();
});
