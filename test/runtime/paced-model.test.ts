import pino from 'pino';
import { expect, test } from 'vitest';
import { EclError } from '../../src/core/errors.ts';
import type { Model, ModelReply } from '../../src/ports/model.ts';
import { PacedModel, type ModelPace } from '../../src/runtime/paced-model.ts';
import { settled, SimulatedClock } from '../../src/testing/simulated-clock.ts';

const reply: ModelReply = {
  model: 'm',
  text: 'yes',
  toolCalls: [],
  stopReason: 'end',
  usage: undefined,
};

const down = (details: object = {}): EclError =>
  new EclError('model.unavailable', { model: 'm', reason: 'nobody listens', ...details });

/** A provider that is as it is said to be, and counts its calls. */
class Provider implements Model {
  readonly id = 'm';
  readonly isLanguageModel = true;
  calls = 0;
  failure: EclError | undefined;

  async complete(): Promise<ModelReply> {
    this.calls += 1;
    if (this.failure !== undefined) throw this.failure;
    return reply;
  }

  async *stream(): AsyncIterable<{ kind: 'reply'; reply: ModelReply }> {
    yield { kind: 'reply', reply: await this.complete() };
  }
}

const setUp = (pace: ModelPace = {}) => {
  const clock = new SimulatedClock();
  const provider = new Provider();
  const logger = pino({ level: 'silent' });
  const model = new PacedModel(provider, { clock, logger, pace });
  const call = (signal = new AbortController().signal, name?: string): Promise<string> =>
    model
      .complete(
        { messages: [], ...(name === undefined ? {} : { model: name }) },
        { signal, idempotencyKey: 'k' },
      )
      .then(
        ({ text }) => text,
        (error: unknown) => (error instanceof EclError ? error.code : String(error)),
      );
  return { clock, provider, model, call };
};

test('a provider that is down is left alone, and calls wait for it instead of failing', async () => {
  const { clock, provider, call } = setUp();
  provider.failure = down();
  for (let n = 0; n < 5; n += 1) expect(await call()).toBe('model.unavailable');
  const waiting = Array.from({ length: 20 }, () => call());
  await clock.advance(4_999);
  expect(provider.calls).toBe(5);
  await clock.advance(1);
  expect(provider.calls).toBe(6);
  provider.failure = undefined;
  await clock.advance(10_000);
  const outcomes = await Promise.all(waiting);
  expect(outcomes.filter((outcome) => outcome === 'yes')).toHaveLength(19);
  expect(provider.calls).toBe(25);
});

test('another model of the same provider is called on', async () => {
  const { provider, call } = setUp();
  provider.failure = down();
  for (let n = 0; n < 5; n += 1) await call();
  provider.failure = undefined;
  expect(await call(undefined, 'other')).toBe('yes');
});

test('a refusal is an answer: it opens no circuit', async () => {
  const { provider, call } = setUp();
  provider.failure = new EclError('model.refused', { model: 'm', reason: 'no' });
  for (let n = 0; n < 20; n += 1) expect(await call()).toBe('model.refused');
  expect(provider.calls).toBe(20);
});

test('what one call is told to wait, all calls of that model wait', async () => {
  const { clock, provider, call } = setUp();
  provider.failure = new EclError('model.overloaded', {
    model: 'm',
    reason: 'slow down',
    retryAfterMs: 2_000,
  });
  await call();
  provider.failure = undefined;
  const next = call();
  await clock.advance(1_999);
  expect(provider.calls).toBe(1);
  await clock.advance(1);
  expect(await next).toBe('yes');
});

test('who is aborted while it waits leaves the line, and a probe that is aborted lets the next one try', async () => {
  const { clock, provider, call, model } = setUp();
  provider.failure = down();
  for (let n = 0; n < 5; n += 1) await call();
  const leaver = new AbortController();
  const left = call(leaver.signal);
  await settled();
  leaver.abort(new Error('enough'));
  expect(await left).toBe('Error: enough');
  await clock.advance(5_000);
  const signal = new AbortController().signal;
  const stream = model.stream({ messages: [] }, { signal, idempotencyKey: 'k' });
  provider.failure = new EclError('model.aborted', { model: 'm' });
  await expect(stream[Symbol.asyncIterator]().next()).rejects.toThrow('aborted');
  provider.failure = undefined;
  expect(await call()).toBe('yes');
});

test('calls beyond the limit of a minute wait for their turn', async () => {
  const { clock, provider, call } = setUp({ callsPerMinute: 60 });
  const calls = Promise.all(Array.from({ length: 70 }, () => call()));
  await settled();
  expect(provider.calls).toBe(6);
  await clock.advance(60_000);
  expect(provider.calls).toBe(66);
  await clock.advance(10_000);
  expect(new Set(await calls)).toEqual(new Set(['yes']));
});
