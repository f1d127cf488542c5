import { describe, expect, test } from 'vitest';
import { runSummaries } from '../../projections/index.ts';
import type { JournalEvent } from '../../src/core/journal-events.ts';
import { seal } from '../../src/core/payload.ts';
import type { RecordedEvent } from '../../src/ports/event-store.ts';
import {
  isPayloadReference,
  projectedEvent,
  projectedEvents,
} from '../../src/runtime/projected-event.ts';
import { append, project } from './projector-kit.ts';

const large = 'x'.repeat(70_000);

const recorded = ({ type, data }: JournalEvent, schema = 1): RecordedEvent => ({
  id: '00000000-0000-4000-8000-000000000001',
  type,
  data: seal(data).text,
  metadata: { at: '2026-01-01T00:00:00.000Z', schema, writer: 'a process' },
  stream: 'run-acme.flow.a',
  revision: 3,
  position: 9n,
});

describe('a journal event, as projections get it', () => {
  test('has its data, its run, its place and who recorded it', () => {
    const data = { id: 's1', event: { type: 'go', to: 'sea' } };
    expect(projectedEvent(recorded({ type: 'SignalReceived', data }))).toEqual({
      type: 'SignalReceived',
      data,
      run: 'acme.flow.a',
      revision: 3,
      position: 9n,
      at: '2026-01-01T00:00:00.000Z',
      writer: 'a process',
    });
  });

  const withLargeFields: [string, JournalEvent, string][] = [
    [
      'an input',
      {
        type: 'StepScheduled',
        data: { invocation: 'a#1', name: 'a', actor: 'a', input: { text: large } },
      },
      'input',
    ],
    [
      'the event of a signal',
      { type: 'SignalReceived', data: { id: 's1', event: { type: 'go', text: large } } },
      'event',
    ],
    [
      'an answer',
      {
        type: 'ModelReplied',
        data: {
          invocation: 'a#1',
          attempt: 1,
          call: 1,
          request: 'f00',
          model: 'm',
          text: large,
          stopReason: 'end',
          cost: { usd: 1 },
          latencyMs: 1,
        },
      },
      'text',
    ],
    [
      'an error',
      { type: 'RunFailed', data: { error: { code: 'step.failed', message: large } } },
      'error',
    ],
  ];

  test.each(withLargeFields)('keeps a reference where %s was too long', (_, event, field) => {
    const { data } = projectedEvent(recorded(event))!;
    const values = data as unknown as Record<string, unknown>;
    expect(isPayloadReference(values[field])).toBe(true);
    const given = event.data as unknown as Record<string, unknown>;
    expect({ ...values, [field]: given[field] }).toEqual(given);
  });

  test('keeps a value that looks like a reference outside, so nothing else passes for one', () => {
    const fake = { '$ecl.blob': { sha256: 'f00', bytes: 1 } };
    const event = recorded({
      type: 'ValueRecorded',
      data: { invocation: 'a#1', name: 'v', value: fake },
    });
    expect(event.data).not.toContain('f00');
    expect(isPayloadReference((projectedEvent(event)!.data as { value: unknown }).value)).toBe(
      true,
    );
  });

  test.each([
    ['another field than a payload', { invocation: large, attempt: 1 }],
    [
      'a field beside it is not what it should be',
      { invocation: 'a#1', attempt: 0, output: large },
    ],
  ])('is refused when a reference stands for %s', (_, data) => {
    const event = recorded({ type: 'StepSucceeded', data });
    expect(() => projectedEvent(event)).toThrow(expect.objectContaining({ code: 'event.invalid' }));
  });

  test('is none outside of a journal', () => {
    const data = { id: 's1', event: { type: 'go' } };
    const event = recorded({ type: 'SignalReceived', data });
    for (const stream of ['snapshot-default.flow.a', 'run-of-somebody-else', 'run-a.b.c.d']) {
      expect(projectedEvent({ ...event, stream })).toBeUndefined();
    }
  });

  test('has a schema that a store can be typed with', () => {
    const data = { id: 's1', event: { type: 'go' } };
    const { type: _, ...fields } = projectedEvent(recorded({ type: 'SignalReceived', data }))!;
    expect(projectedEvents.SignalReceived.safeParse(fields).success).toBe(true);
    expect(projectedEvents.SignalReceived.safeParse({ ...fields, data: {} }).success).toBe(false);
  });
});

test('a run with payloads outside the journal is summarized without them', async () => {
  const { projector, store, lines } = project({ projections: [runSummaries] });
  projector.start();
  const stored = (event: JournalEvent) => ({ type: event.type, text: seal(event.data).text });
  await append(
    store,
    'flow.a',
    stored({
      type: 'RunStarted',
      data: {
        workflow: 'flow',
        version: '1.0.0',
        structure: 'f00',
        tenant: 'default',
        input: { text: large },
        inputHash: 'f00',
        depth: 0,
      },
    }),
    stored({
      type: 'StateChanged',
      data: { from: null, to: 'open', tags: [], contextHash: '', accepts: [large] },
    }),
    stored({ type: 'RunPaused', data: { reason: large } }),
  );
  await projector.caughtUp();
  const [summary] = projector.queries(runSummaries).list({}).items;
  expect(summary).toMatchObject({ status: 'paused', state: 'open', waitingFor: ['*'] });
  expect(summary?.error).toContain('too long');
  await append(store, 'flow.a', stored({ type: 'RunCompleted', data: { output: large } }));
  await projector.caughtUp();
  const { identity, end } = projector.queries(runSummaries).details('flow.a')!;
  expect([identity.input, end?.output, lines]).toEqual(['', '', []]);
});
