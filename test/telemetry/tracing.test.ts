/** Runs, steps and model calls as spans, and the trace that a run's events carry from one process to the next. */
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EclError, gate, serial, step, TerminalError, workflow, type Ecl } from 'ecl';
import { setup } from 'xstate';
import { z } from 'zod';
import { journalStream } from '../../src/core/ids.ts';
import type { RecordedEvent } from '../../src/ports/event-store.ts';
import { World } from '../runtime/kit.ts';
import { registerTracer, unregisterTracer, type Spans } from './spans.ts';

const prompt = 'canary-prompt';
const answer = 'canary-answer';

const Text = z.object({ text: z.string() });
const ask = step({
  name: 'ask',
  input: z.object({ about: z.string() }),
  output: Text,
  execute: async ({ input, model }) => ({ text: await model.text(`${prompt} ${input.about}`) }),
});
const again = step({
  name: 'again',
  input: Text,
  output: Text,
  execute: async ({ input, model }) => ({ text: await model.text(`${prompt} ${input.text}`) }),
});
const asking = serial({ id: 'asking', version: '1.0.0', steps: [ask, again] });
const waiting = serial({ id: 'waiting', version: '1.0.0', steps: [ask, gate({ name: 'reader' })] });

let spans: Spans;
beforeEach(() => {
  spans = registerTracer();
});
afterEach(unregisterTracer);

const journal = async (world: World, run: string): Promise<RecordedEvent[]> => {
  const events: RecordedEvent[] = [];
  for await (const event of world.events.readStream(journalStream(run))) events.push(event);
  return events;
};

const traceOf = ({ metadata }: RecordedEvent): string | undefined =>
  metadata.traceparent?.split('-')[1];
const spanOf = ({ metadata }: RecordedEvent): string | undefined =>
  metadata.traceparent?.split('-')[2];

const start = async (ecl: Ecl, key = 'a'): Promise<string> => {
  const run = await ecl.spawn(asking, { key, input: { about: 'the sea' } });
  return run.id;
};

describe('a run', () => {
  test('is one trace: its start, below it its steps, below them their model calls, and its whole length', async () => {
    const world = new World(() => answer);
    const ecl = await world.open({ workflows: [asking] });
    const id = await start(ecl);
    await (await ecl.get(id)).result();
    await world.settle();
    const first = spans.one('start asking');
    expect(spans.all().map(({ name }) => name)).toEqual([
      'start asking',
      'chat model',
      'step ask',
      'chat model',
      'step again',
      'run asking',
    ]);
    expect(new Set(spans.all().map((span) => span.spanContext().traceId)).size).toBe(1);
    for (const name of ['step ask', 'step again', 'run asking']) {
      expect(spans.one(name).parentSpanContext?.spanId).toBe(first.spanContext().spanId);
    }
    const [called, asked] = spans.all().slice(1, 3);
    expect(called!.parentSpanContext?.spanId).toBe(asked!.spanContext().spanId);
    expect(called!.kind).toBe(SpanKind.CLIENT);
    expect(called!.attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'test',
      'gen_ai.request.model': 'model',
      'gen_ai.response.model': 'test-model',
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.usage.input_tokens': 10,
      'gen_ai.usage.output_tokens': 5,
      'ecl.run.id': id,
    });
    expect(asked!.attributes).toMatchObject({ 'ecl.step.name': 'ask', 'ecl.step.attempt': 1 });
    expect(spans.one('run asking').attributes['ecl.run.ending']).toBe('completed');
  });

  test('has told all of it when ECL is closed: a command line ends then', async () => {
    const world = new World(() => answer);
    const ecl = await world.open({ workflows: [asking] });
    await start(ecl);
    expect(spans.flushes).toBe(0);
    await ecl.close();
    expect(spans.flushes).toBe(1);
  });

  test('holds in its spans no word of a prompt or an answer', async () => {
    const world = new World(() => answer);
    const ecl = await world.open({ workflows: [asking] });
    await (await ecl.get(await start(ecl))).result();
    await world.settle();
    const told = spans.all().map(({ name, attributes, status, events, links }) => ({
      name,
      attributes,
      status,
      events,
      links,
    }));
    expect(told.length).toBe(6);
    expect(JSON.stringify(told)).not.toMatch(/canary/);
  });

  test('goes on in its trace after the process was killed, and its journal still proves itself', async () => {
    let asked = 0;
    const world = new World(() => {
      asked += 1;
      return asked === 2 ? new Promise<string>(() => {}) : answer;
    });
    const ecl = await world.open({ workflows: [asking] });
    const id = await start(ecl);
    await world.settle();
    expect(asked).toBe(2);
    const before = spans.all().length;
    const restarted = await world.restart(ecl, { workflows: [asking] });
    const run = await restarted.get(id);
    await run.result();
    await world.settle();
    const first = spans.one('start asking').spanContext();
    // A process that is killed tells of nothing that was under way; this one still says that it gave up.
    const after = spans
      .all()
      .slice(before)
      .filter(({ attributes }) => attributes['ecl.abandoned'] !== true);
    expect(after.map(({ name }) => name)).toEqual(['chat model', 'step again', 'run asking']);
    for (const span of after) expect(span.spanContext().traceId).toBe(first.traceId);
    expect(after[1]!.parentSpanContext?.spanId).toBe(first.spanId);
    expect(await restarted.verify(id)).toMatchObject({ ok: true, faults: [] });
  });

  test('says with each event in which span it was decided', async () => {
    const world = new World(() => answer);
    const ecl = await world.open({ workflows: [asking] });
    const id = await start(ecl);
    await (await ecl.get(id)).result();
    await world.settle();
    const events = await journal(world, id);
    const { traceId, spanId } = spans.one('start asking').spanContext();
    expect(spanOf(events[0]!)).toBe(spanId);
    expect(events.map((event) => traceOf(event))).toEqual(events.map(() => traceId));
    const called = spans.all().filter(({ name }) => name === 'chat model');
    const replies = events.filter(({ type }) => type === 'ModelReplied');
    expect(replies.map((event) => spanOf(event))).toEqual(
      called.map((span) => span.spanContext().spanId),
    );
    const outcome = events.find(({ type }) => type === 'StepSucceeded')!;
    expect(spanOf(outcome)).toBe(spans.one('step ask').spanContext().spanId);
  });

  test('is part of the trace of who starts it, and a signal of the trace of who sends it', async () => {
    const world = new World(() => answer);
    const ecl = await world.open({ workflows: [waiting] });
    const tracer = trace.getTracer('a program');
    const within = <Result>(name: string, work: () => Promise<Result>): Promise<Result> =>
      tracer.startActiveSpan(name, async (span) => {
        const result = await work();
        span.end();
        return result;
      });
    const run = await within('a request', () =>
      ecl.spawn(waiting, { key: 'a', input: { about: 'the sea' } }),
    );
    await run.rest();
    await within('a click', () => run.send({ type: 'reader.approved' }));
    await run.result();
    const started = spans.one('start waiting');
    expect(started.parentSpanContext?.spanId).toBe(spans.one('a request').spanContext().spanId);
    const events = await journal(world, run.id);
    const signal = events.find(({ type }) => type === 'SignalReceived')!;
    expect(spanOf(signal)).toBe(spans.one('a click').spanContext().spanId);
  });

  test('that another run starts as its child is in the trace of that one', async () => {
    const world = new World();
    const quick = step({ name: 'quick', execute: () => 1 });
    const child = setup({ actors: { quick } }).createMachine({
      id: 'child',
      version: '1.0.0',
      initial: 'on',
      states: { on: { invoke: { src: 'quick', onDone: 'off' } }, off: { type: 'final' } },
    });
    const parent = workflow({
      machine: setup({ actors: { child } }).createMachine({
        id: 'parent',
        version: '1.0.0',
        initial: 'on',
        states: { on: { invoke: { src: 'child', onDone: 'off' } }, off: { type: 'final' } },
      }),
    });
    const ecl = await world.open({ workflows: [parent] });
    const run = await ecl.spawn(parent, { key: 'a' });
    await run.result();
    await world.settle();
    const parentStart = spans.one('start parent').spanContext();
    expect(spans.one('start child').parentSpanContext?.spanId).toBe(parentStart.spanId);
    const childStart = spans.one('start child').spanContext();
    expect(spans.one('step quick').parentSpanContext?.spanId).toBe(childStart.spanId);
    expect(spans.one('step quick').spanContext().traceId).toBe(parentStart.traceId);
  });
});

describe('a step', () => {
  test('has below it what its own code traces', async () => {
    const world = new World();
    const inner = step({
      name: 'inner',
      execute: async () => {
        await Promise.resolve();
        trace.getTracer('a library').startSpan('a query', {}, context.active()).end();
        return 1;
      },
    });
    const flow = serial({ id: 'flow', version: '1.0.0', steps: [inner] });
    const ecl = await world.open({ workflows: [flow] });
    await (await ecl.spawn(flow, { key: 'a' })).result();
    const { spanId } = spans.one('step inner').spanContext();
    expect(spans.one('a query').parentSpanContext?.spanId).toBe(spanId);
  });

  test('that fails is told by the code of its error, not by its words', async () => {
    const world = new World(() => {
      throw new EclError('model.rejected', { model: 'test:model', reason: answer });
    });
    const failing = step({
      name: 'failing',
      execute: () => {
        throw new TerminalError(answer);
      },
    });
    const flow = serial({ id: 'flow', version: '1.0.0', steps: [failing] });
    const ecl = await world.open({ workflows: [asking, flow] });
    const runs = [
      await ecl.spawn(asking, { key: 'a', input: { about: 'x' } }),
      await ecl.spawn(flow, { key: 'a' }),
    ];
    for (const run of runs) await run.result().catch(() => {});
    await world.settle();
    const errors = spans
      .all()
      .filter(({ status }) => status.code === SpanStatusCode.ERROR)
      .map(({ name, attributes }) => `${name}: ${String(attributes['error.type'])}`);
    expect(errors.toSorted()).toEqual([
      'chat model: model.rejected',
      'run asking: model.rejected',
      'run flow: step.failed',
      'step ask: model.rejected',
      'step failing: TerminalError',
    ]);
    expect(JSON.stringify(spans.all().map(({ status }) => status))).not.toContain(answer);
  });
});

describe('without a tracer', () => {
  beforeEach(unregisterTracer);

  test('an event holds nothing of traces', async () => {
    const world = new World(() => answer);
    const ecl = await world.open({ workflows: [asking] });
    const id = await start(ecl);
    await (await ecl.get(id)).result();
    expect(ecl.system.services.telemetry).toBeUndefined();
    const names = new Set(
      (await journal(world, id)).flatMap(({ metadata }) => Object.keys(metadata)),
    );
    expect([...names].join()).toBe('$correlationId,$causationId,tenant,at,schema,prev,hash,writer');
    expect(spans.all()).toEqual([]);
  });

  test('a run that began in a trace goes on, and its trace is kept for a process that has one', async () => {
    spans = registerTracer();
    const world = new World(() => answer);
    const ecl = await world.open({ workflows: [waiting] });
    const { id } = await ecl.spawn(waiting, { key: 'a', input: { about: 'x' } });
    await (await ecl.get(id)).rest();
    const before = spans.all().length;
    unregisterTracer();
    const plain = await world.restart(ecl, { workflows: [waiting] });
    await (await plain.get(id)).send({ type: 'reader.approved' });
    await (await plain.get(id)).result();
    expect(spans.all().length).toBe(before);
    expect(await plain.verify(id)).toMatchObject({ ok: true, faults: [] });
    expect((await journal(world, id)).at(-1)!.metadata.traceparent).toBeUndefined();
  });
});
