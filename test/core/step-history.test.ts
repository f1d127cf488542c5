import { expect, test } from 'vitest';
import { StepHistory } from '../../src/core/step-history.ts';

const fold = (...events: [string, object][]): StepHistory => {
  const history = new StepHistory();
  events.forEach(([type, data], index) => {
    history.add({ type, data, metadata: { at: new Date(index * 1000).toISOString() } });
  });
  return history;
};

const scheduled = (invocation: string, round?: number): [string, object] => [
  'StepScheduled',
  {
    invocation,
    name: invocation.split('#')[0],
    actor: 'a',
    input: round === undefined ? {} : { $round: { round }, input: {} },
  },
];
const replied = (invocation: string, cost: object, usage?: object): [string, object] => [
  'ModelReplied',
  { invocation, model: 'm', cost, ...(usage === undefined ? {} : { usage }) },
];

test('a step has its round, its time, its attempts and its calls', () => {
  const history = fold(
    scheduled('draft#1', 2),
    replied('draft#1', { usd: 0.5 }, { inputTokens: 10, outputTokens: 5, cacheReadTokens: 3 }),
    [
      'StepAttemptFailed',
      { invocation: 'draft#1', attempt: 1, error: { code: 'x', message: 'no' }, retryAt: 9000 },
    ],
    ['StepAttemptStarted', { invocation: 'draft#1', attempt: 2 }],
    replied('draft#1', { usd: 0.25 }, { inputTokens: 1, outputTokens: 1 }),
    ['StepSucceeded', { invocation: 'draft#1', attempt: 2, output: { text: 'x' } }],
  );
  expect(history.records).toMatchObject([
    {
      name: 'draft',
      round: 2,
      status: 'done',
      attempts: 2,
      startedAt: '1970-01-01T00:00:00.000Z',
      endedAt: '1970-01-01T00:00:05.000Z',
      error: undefined,
      retryAt: undefined,
      usage: { calls: 2, inputTokens: 14, outputTokens: 6, usd: 0.75, unpriced: 0 },
    },
  ]);
  expect(history.lastOutput).toEqual({ name: 'draft', output: { text: 'x' } });
});

test('a step whose next attempt has begun runs, and waits for nothing', () => {
  const history = fold(
    scheduled('a#1'),
    [
      'StepAttemptFailed',
      { invocation: 'a#1', attempt: 1, error: { code: 'x', message: 'no' }, retryAt: 9000 },
    ],
    ['StepAttemptStarted', { invocation: 'a#1', attempt: 2 }],
  );
  expect(history.records).toMatchObject([
    { status: 'running', attempts: 2, retryAt: undefined, error: { message: 'no' } },
  ]);
});

test('a call of unknown cost is counted as unknown, never as nothing', () => {
  const history = fold(scheduled('a#1'), replied('a#1', { unknown: 'no price' }), scheduled('b#2'));
  expect(history.usage).toMatchObject({ calls: 1, usd: 0, unpriced: 1, models: ['m'] });
});

test('what a review gives is a verdict, and not what a person decides about', () => {
  const history = fold(
    scheduled('draft#1', 1),
    ['StepSucceeded', { invocation: 'draft#1', attempt: 1, output: 'the draft' }],
    scheduled('review#2'),
    [
      'StepSucceeded',
      { invocation: 'review#2', attempt: 1, output: { decision: 'revise', feedback: 'more' } },
    ],
  );
  expect(history.lastVerdict).toEqual({ decision: 'revise', feedback: 'more' });
  expect(history.lastOutput).toEqual({ name: 'draft', output: 'the draft' });
});

test('a step that failed, was interrupted or cancelled says so', () => {
  const history = fold(
    scheduled('a#1'),
    ['StepFailed', { invocation: 'a#1', attempt: 3, error: { code: 'x', message: 'no' } }],
    scheduled('b#2'),
    ['StepInterrupted', { invocation: 'b#2', attempt: 1 }],
    scheduled('c#3'),
    ['StepCancelled', { invocation: 'c#3' }],
    scheduled('d#4'),
    [
      'StepAttemptFailed',
      { invocation: 'd#4', attempt: 1, error: { code: 'x', message: 'no' }, retryAt: 9000 },
    ],
  );
  expect(history.records.map(({ status }) => status)).toEqual([
    'failed',
    'interrupted',
    'cancelled',
    'retrying',
  ]);
  expect(history.records[0]).toMatchObject({ attempts: 3, error: { message: 'no' } });
  expect(history.records[3]).toMatchObject({ retryAt: '1970-01-01T00:00:09.000Z' });
});
