/** Figures for Prometheus: what they count, that they come whatever is away, and that docs/observability.md names all. */
import { readFileSync } from 'node:fs';
import pino from 'pino';
import { afterEach, describe, expect, test } from 'vitest';
import { createEcl, serial, step, TerminalError, workflow, type Ecl, type Model } from 'ecl';
import { setup } from 'xstate';
import { z } from 'zod';
import { createMemoryArtifactStore } from '../../src/adapters/memory/artifact-store.ts';
import { createMemoryEventStore } from '../../src/adapters/memory/event-store.ts';
import { createMemoryReadStore } from '../../src/adapters/memory/read-store.ts';
import { EclError } from '../../src/core/errors.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { decorated } from '../runtime/kit.ts';

/** Answers each time as another model, which costs what the first one does. */
class Changing implements Model {
  readonly id = 'test:model';
  readonly isLanguageModel = true;
  asked = 0;

  complete(): ReturnType<Model['complete']> {
    const usage = { inputTokens: 100, outputTokens: 20, cacheReadTokens: 7 };
    const model = `model-${(this.asked += 1)}`;
    return Promise.resolve({ model, text: 'yes', toolCalls: [], stopReason: 'end', usage });
  }

  async *stream(): ReturnType<Model['stream']> {
    yield { kind: 'reply', reply: await this.complete() };
  }
}

const ask = step({
  name: 'ask',
  input: z.object({ times: z.number() }),
  execute: async ({ input, model }) => {
    for (let n = 0; n < input.times; n += 1) await model.text(`number ${n}`);
    return { text: 'done' };
  },
});
const fail = step({
  name: 'fail',
  execute: () => {
    throw new TerminalError('no');
  },
});
const asking = serial({ id: 'asking', version: '1.0.0', steps: [ask] });
const failing = serial({ id: 'failing', version: '1.0.0', steps: [fail] });
const waiting = workflow({
  machine: setup({}).createMachine({
    id: 'waiting',
    version: '1.0.0',
    initial: 'open',
    states: { open: { on: { approved: 'done' } }, done: { type: 'final' } },
  }),
});

const opened: Ecl[] = [];
afterEach(async () => {
  for (const ecl of opened.splice(0)) await ecl.close({ graceMs: 0 });
});

const open = async (events: EventStore = createMemoryEventStore()): Promise<Ecl> => {
  const ecl = await createEcl({
    store: { events, artifacts: createMemoryArtifactStore(), reads: createMemoryReadStore() },
    model: new Changing(),
    prices: { 'test:model': { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 } },
    logger: pino({ level: 'silent' }),
    metrics: true,
    workflows: [asking, failing, waiting],
  });
  opened.push(ecl);
  return ecl;
};

interface Sample {
  readonly name: string;
  readonly labels: string;
  readonly value: number;
}

const samplesOf = async (ecl: Ecl): Promise<Sample[]> => {
  const text = await ecl.metrics!.text();
  return Array.from(
    text.matchAll(/^(\w+)(?:\{([^}]*)\})? (\S+)$/gm),
    ([, name, labels, value]) => ({
      name: name!,
      labels: labels ?? '',
      value: Number(value),
    }),
  );
};

/** The value of one sample; undefined when there is none. */
const valueOf = (samples: readonly Sample[], name: string, labels = ''): number | undefined =>
  samples.find((sample) => sample.name === name && sample.labels === labels)?.value;

describe('the figures', () => {
  test('count runs, steps, calls, tokens and cost, as the read models have them', async () => {
    const ecl = await open();
    const run = await ecl.spawn(asking, { key: 'a', input: { times: 3 } });
    await run.result();
    await (await ecl.spawn(failing, { key: 'a' })).result().catch(() => {});
    await (await ecl.spawn(waiting, { key: 'a' })).rest();
    await ecl.readModels.caughtUp();
    const samples = await samplesOf(ecl);
    const value = (name: string, labels?: string): number | undefined =>
      valueOf(samples, name, labels);
    expect(value('ecl_runs', 'status="completed"')).toBe(1);
    expect(value('ecl_runs', 'status="failed"')).toBe(1);
    expect(value('ecl_runs', 'status="waiting"')).toBe(1);
    expect(value('ecl_runs', 'status="paused"')).toBe(0);
    expect(value('ecl_runs_started_total', 'workflow="asking"')).toBe(1);
    expect(value('ecl_runs_ended_total', 'workflow="failing",status="failed"')).toBe(1);
    const step = 'workflow="asking",step="ask",outcome="ok"';
    expect(value('ecl_step_duration_seconds_count', step)).toBe(1);
    const failed = 'workflow="failing",step="fail",outcome="failed"';
    expect(value('ecl_step_duration_seconds_count', failed)).toBe(1);
    const call = 'model="test:model",outcome="ok"';
    expect(value('ecl_model_call_duration_seconds_count', call)).toBe(3);
    expect(value('ecl_decisions_total', 'fact="ModelReplied"')).toBe(3);
    const sum = (name: string, part = ''): number =>
      samples
        .filter((sample) => sample.name === name && sample.labels.includes(part))
        .reduce((total, sample) => total + sample.value, 0);
    const { total } = await ecl.usage();
    expect(sum('ecl_model_cost_usd_total')).toBeCloseTo(total.usd, 9);
    expect(total.usd).toBeGreaterThan(0);
    expect(sum('ecl_model_tokens_total', 'kind="input"')).toBe(300);
    expect(sum('ecl_model_tokens_total', 'kind="output"')).toBe(60);
    expect(sum('ecl_model_tokens_total', 'kind="cache-read"')).toBe(21);
    let decisions = 0;
    for (const { value: count } of samples.filter(({ name }) => name === 'ecl_decisions_total')) {
      decisions += count;
    }
    expect(sum('ecl_append_duration_seconds_count', 'outcome="ok"')).toBe(decisions);
    expect(value('ecl_projection_lag_positions', 'projection="run-summaries"')).toBe(0);
    expect(value('ecl_store_up')).toBe(1);
    expect(value('ecl_queue_depth', 'queue="mailboxes"')).toBe(0);
    expect(value('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
  });

  test('show what is under way, and what waits in line', async () => {
    const events = createMemoryEventStore();
    const ecl = await open(events);
    let goOn = (): void => {};
    const held = new Promise<void>((resolve) => (goOn = resolve));
    const hold = step({ name: 'hold', execute: () => held.then(() => ({ text: '' })) });
    const holding = serial({ id: 'holding', version: '1.0.0', steps: [hold] });
    const runs = await Promise.all(
      Array.from({ length: 300 }, (_, n) => ecl.spawn(holding, { key: `${n}` })),
    );
    const samples = await samplesOf(ecl);
    expect(valueOf(samples, 'ecl_actors')).toBe(300);
    // 256 steps execute at a time in one process.
    expect(valueOf(samples, 'ecl_queue_depth', 'queue="steps"')).toBe(44);
    goOn();
    await Promise.all(runs.map((run) => run.result()));
  });

  test('come while the store is away, without those of it, and are whole again when it is back', async () => {
    let isAway = false;
    const memory = createMemoryEventStore();
    const gone = (): never => {
      throw new EclError('store.unavailable', { store: 'test', reason: 'away' });
    };
    const events = decorated(memory, {
      lastPosition: async () => (isAway ? gone() : memory.lastPosition()),
      append: async (append) => (isAway ? gone() : memory.append(append)),
    });
    const ecl = await open(events);
    await (await ecl.spawn(waiting, { key: 'a' })).rest();
    await ecl.readModels.caughtUp();
    isAway = true;
    await expect(ecl.spawn(waiting, { key: 'b' })).rejects.toThrow('away');
    const away = await samplesOf(ecl);
    expect(valueOf(away, 'ecl_store_up')).toBe(0);
    expect(away.filter(({ name }) => name === 'ecl_projection_lag_positions')).toEqual([]);
    expect(valueOf(away, 'ecl_runs', 'status="waiting"')).toBe(1);
    expect(valueOf(away, 'ecl_append_duration_seconds_count', 'outcome="failed"')).toBe(1);
    isAway = false;
    const back = await samplesOf(ecl);
    expect(valueOf(back, 'ecl_store_up')).toBe(1);
    expect(valueOf(back, 'ecl_projection_lag_positions', 'projection="run-summaries"')).toBe(0);
  });

  test('tell apart a bounded number of models, whatever names a provider comes up with', async () => {
    const ecl = await open();
    await (await ecl.spawn(asking, { key: 'a', input: { times: 230 } })).result();
    const samples = await samplesOf(ecl);
    const costs = samples.filter(({ name }) => name === 'ecl_model_cost_usd_total');
    expect(costs.length).toBe(201);
    const one = valueOf(samples, 'ecl_model_cost_usd_total', 'model="model-1"')!;
    expect(valueOf(samples, 'ecl_model_cost_usd_total', 'model="other"')).toBeCloseTo(one * 30, 9);
  });

  test('of two in one process are counted apart', async () => {
    const [one, other] = [await open(), await open()];
    await (await one.spawn(asking, { key: 'a', input: { times: 1 } })).result();
    const started = 'ecl_runs_started_total';
    expect(valueOf(await samplesOf(one), started, 'workflow="asking"')).toBe(1);
    expect(valueOf(await samplesOf(other), started, 'workflow="asking"')).toBeUndefined();
  });

  test('are none where nobody asked for them', async () => {
    const ecl = await createEcl({ store: 'memory:', model: 'rules' });
    opened.push(ecl);
    expect(ecl.metrics).toBeUndefined();
    expect(ecl.system.services.telemetry).toBeUndefined();
  });
});

describe('docs/observability.md', () => {
  const page = readFileSync(new URL('../../docs/observability.md', import.meta.url), 'utf8');

  test('names every figure with its type and its labels, and no other', async () => {
    const ecl = await open();
    await (await ecl.spawn(asking, { key: 'a', input: { times: 1 } })).result();
    await (await ecl.spawn(failing, { key: 'a' })).result().catch(() => {});
    const text = await ecl.metrics!.text();
    const kept = Array.from(
      text.matchAll(/^# TYPE (ecl_\w+) (\w+)$/gm),
      ([, name, type]) => `${name} ${type}`,
    );
    const rows = Array.from(page.matchAll(/^\| `(ecl_\w+)` +\| (\w+) +\| ([^|]*)\|/gm));
    expect(rows.map(([, name, type]) => `${name} ${type}`).toSorted()).toEqual(kept.toSorted());
    for (const [, name, , documented] of rows) {
      const labels = new Set(
        Array.from(text.matchAll(new RegExp(`^${name}(?:_count)?\\{([^}]*)\\}`, 'gm'))).flatMap(
          ([, pairs]) => Array.from(pairs!.matchAll(/(\w+)="/g), ([, label]) => label!),
        ),
      );
      // One that has counted nothing yet shows no labels.
      if (labels.size === 0) continue;
      const named = Array.from(documented!.matchAll(/`(\w+)`/g), ([, label]) => label!);
      expect([name, ...named.toSorted()]).toEqual([name, ...[...labels].toSorted()]);
    }
  });

  test('names figures of Node that are there', async () => {
    const text = await (await open()).metrics!.text();
    const named = Array.from(page.matchAll(/`((?:nodejs|process)_\w+)`/g), ([, name]) => name!);
    expect(named.length).toBeGreaterThan(2);
    for (const name of named) expect(text).toContain(`# TYPE ${name} `);
  });
});
