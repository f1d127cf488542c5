import pino from 'pino';
import { describe, expect, test } from 'vitest';
import { artifacts, modelUsage } from '../../projections/index.ts';
import { createMemoryReadStore } from '../../src/adapters/memory/read-store.ts';
import type { JournalData } from '../../src/core/journal-events.ts';
import type { UsageQuery } from '../../src/ports/status-queries.ts';
import type { ProjectedEvent } from '../../src/runtime/projected-event.ts';
import { ProjectionFold } from '../../src/runtime/projection-fold.ts';
import type { Projection } from '../../src/runtime/projection.ts';

const foldAll = <Queries>(
  projection: Projection<Queries>,
  events: readonly Omit<ProjectedEvent, 'position' | 'revision' | 'writer'>[],
) => {
  const fold = new ProjectionFold(projection, createMemoryReadStore(), pino({ level: 'silent' }));
  fold.restart();
  events.forEach((each, n) => {
    const event = { ...each, position: BigInt(n + 1), revision: n, writer: 'p' } as ProjectedEvent;
    if (fold.follows(event.type)) fold.take(event);
    else fold.pass(event.position);
  });
  fold.commit();
  return { queries: projection.queries(fold.rows), rows: fold.rows };
};

interface Call {
  readonly run?: string;
  readonly step?: string;
  readonly model?: string;
  readonly day?: string;
  readonly usd?: number | 'unknown';
  readonly latencyMs?: number;
}

const reply = ({
  run = 'flow.a',
  step = 'draft',
  model = 'claude',
  day = '2026-01-01',
  usd = 0.5,
  latencyMs = 100,
}: Call = {}) => ({
  type: 'ModelReplied' as const,
  run,
  at: `${day}T23:59:59.999Z`,
  data: {
    invocation: `${step}#7`,
    attempt: 1,
    call: 1,
    request: '',
    model,
    text: '',
    stopReason: 'end',
    usage: { inputTokens: 10, outputTokens: 2, cacheReadTokens: 5, cacheWriteTokens: 1 },
    cost: usd === 'unknown' ? { unknown: 'no price' } : { usd },
    latencyMs,
  } satisfies JournalData<'ModelReplied'>,
});

const failure = (code: string, model?: string, invocation = 'draft#7') => ({
  type: 'StepAttemptFailed' as const,
  run: 'flow.a',
  at: '2026-01-01T00:00:00.000Z',
  data: {
    invocation,
    attempt: 1,
    error: { code, message: '', ...(model === undefined ? {} : { details: { model } }) },
    retryAt: 0,
    replies: 'kept' as const,
  },
});

const usageOf = (...events: Parameters<typeof foldAll>[1]) => {
  const { queries } = foldAll(modelUsage, events);
  return (query: UsageQuery = {}) => queries.usage(query);
};

describe('usage of models', () => {
  test('adds up calls, tokens, money and time, and keeps the longest wait', () => {
    const usage = usageOf(reply(), reply({ latencyMs: 900 }), reply({ usd: 'unknown' }));
    expect(usage().total).toEqual({
      calls: 3,
      errors: 0,
      inputTokens: 30,
      outputTokens: 6,
      cacheReadTokens: 15,
      cacheWriteTokens: 3,
      usd: 1,
      unpriced: 1,
      latencyMs: 1_100,
      latencyMsMax: 900,
    });
  });

  test('money is exact: a thousand times a tenth of a cent is a dollar', () => {
    const usage = usageOf(...Array.from({ length: 1_000 }, () => reply({ usd: 0.001 })));
    expect(usage().total.usd).toBe(1);
    expect(usage({ run: 'flow.a' }).total.usd).toBe(1);
  });

  test('is grouped by each of its dimensions, and by several', () => {
    const usage = usageOf(
      reply(),
      reply({ run: 'flow.b', step: 'review', day: '2026-01-02' }),
      reply({ run: 'acme.flow.a', model: 'qwen/qwen2' }),
      reply({ run: 'other.x' }),
    );
    const by = (...names: NonNullable<UsageQuery['by']>) =>
      usage({ by: names }).items.map((item) => [...names.map((name) => item[name]), item.calls]);
    expect(by('run')).toEqual([
      ['acme.flow.a', 1],
      ['flow.a', 1],
      ['flow.b', 1],
      ['other.x', 1],
    ]);
    expect(by('step')).toEqual([
      ['draft', 3],
      ['review', 1],
    ]);
    expect(by('model')).toEqual([
      ['claude', 3],
      ['qwen/qwen2', 1],
    ]);
    expect(by('workflow', 'tenant')).toEqual([
      ['flow', 'acme', 1],
      ['flow', 'default', 2],
      ['other', 'default', 1],
    ]);
    expect(by('day')).toEqual([
      ['2026-01-01', 3],
      ['2026-01-02', 1],
    ]);
    expect(by('run', 'day').at(-1)).toEqual(['other.x', '2026-01-01', 1]);
    expect(usage({ by: ['step'] }).total.calls).toBe(4);
  });

  test('is asked for a tenant, a workflow, a step, a model and days', () => {
    const usage = usageOf(
      reply({ day: '2026-01-01' }),
      reply({ day: '2026-01-02', step: 'review' }),
      reply({ day: '2026-01-03', run: 'acme.other.x', model: 'qwen' }),
    );
    const calls = (query: UsageQuery): number => usage(query).total.calls;
    expect([
      calls({ tenant: 'acme' }),
      calls({ workflow: 'flow' }),
      calls({ step: 'review' }),
      calls({ model: 'qwen' }),
      calls({ since: '2026-01-02' }),
      calls({ until: '2026-01-02' }),
      calls({ since: '2026-01-02', until: '2026-01-02', workflow: 'flow' }),
      calls({ run: 'acme.other.x', since: '2026-01-04' }),
    ]).toEqual([1, 2, 1, 1, 2, 2, 1, 0]);
    expect(() => usage({ since: 'yesterday' })).toThrow(
      expect.objectContaining({ code: 'usage.invalid' }),
    );
  });

  test('of a run is with that of the runs below it, and of no run that is only named alike', () => {
    const usage = usageOf(
      reply({ run: 'flow.a' }),
      reply({ run: 'flow.a~1' }),
      reply({ run: 'flow.a~1~1' }),
      reply({ run: 'flow.a~12' }),
      reply({ run: 'flow.a1' }),
    );
    const calls = (run: string): number => usage({ run }).total.calls;
    expect(['flow.a', 'flow.a~1', 'flow.a~1~1', 'flow.a1', 'flow.x'].map(calls)).toEqual([
      4, 2, 1, 1, 0,
    ]);
    const items = usage({ run: 'flow.a~1', by: ['run'] }).items;
    expect(items.map(({ run }) => run)).toEqual(['flow.a~1', 'flow.a~1~1']);
    expect(usage({ workflow: 'flow' }).total.calls).toBe(5);
  });

  test('counts calls that a model did not answer, by the name that it answers by', () => {
    const usage = usageOf(
      reply({ model: 'claude' }),
      failure('model.overloaded', 'anthropic:claude'),
      failure('model.timeout', 'openai-compatible:http://127.0.0.1:1/v1#qwen'),
      failure('model.malformed'),
      failure('step.timeout', 'claude'),
      failure('model.none', 'claude'),
    );
    const errors = usage({ by: ['model', 'step'] }).items.map(({ model, step, calls, errors }) => [
      model,
      step,
      calls,
      errors,
    ]);
    expect(errors).toEqual([
      ['claude', 'draft', 1, 1],
      ['qwen', 'draft', 0, 1],
      ['unknown', 'draft', 0, 1],
    ]);
  });

  test('counts the call that paused a run, but not a pause by a person', () => {
    const pause = (data: JournalData<'RunPaused'>) => ({
      type: 'RunPaused' as const,
      run: 'flow.a',
      at: '2026-01-01T00:00:00.000Z',
      data,
    });
    const error = { code: 'model.credentials', message: '', details: { model: 'claude' } };
    const usage = usageOf(
      pause({ reason: 'r', error, invocation: 'draft#1' }),
      pause({ reason: 'a person wants it' }),
    );
    expect(usage().total).toMatchObject({ calls: 0, errors: 1 });
  });

  test('stands in two rows a day, however many calls there are, and in none without a call', () => {
    const { rows } = foldAll(
      modelUsage,
      Array.from({ length: 100 }, () => reply()),
    );
    expect(rows.count()).toBe(2);
    const { rows: none } = foldAll(modelUsage, [failure('step.failed')]);
    expect(none.count()).toBe(0);
  });
});

describe('artifacts', () => {
  const stored = (run: string, name: string, sha256: string) => ({
    type: 'ArtifactStored' as const,
    run,
    at: '2026-01-01T00:00:00.000Z',
    data: { invocation: 'write#3', name, sha256, bytes: 7, mediaType: 'text/plain' },
  });

  test('of a run come in their order, and are found by their content everywhere', () => {
    const { queries } = foldAll(artifacts, [
      stored('flow.a', 'b.md', 'b'),
      stored('flow.a', 'a.md', 'a'),
      stored('acme.flow.a', 'c.md', 'a'),
    ]);
    expect(queries.of('flow.a')).toEqual([
      {
        run: 'flow.a',
        tenant: 'default',
        step: 'write',
        name: 'b.md',
        sha256: 'b',
        bytes: 7,
        mediaType: 'text/plain',
        storedAt: '2026-01-01T00:00:00.000Z',
        revision: 0,
      },
      expect.objectContaining({ name: 'a.md', revision: 1 }),
    ]);
    expect(queries.with('a').map(({ tenant }) => tenant)).toEqual(['acme', 'default']);
    expect([queries.of('flow.b'), queries.with('z')]).toEqual([[], []]);
  });
});
