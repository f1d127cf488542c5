import { describe, expect, it } from 'vitest';
import { assign, setup } from 'xstate';
import { isEclError } from 'ecl';
import { decorated, replays, World } from './kit.ts';
import { ask, notes, oneStep, outputOf, payloadOf } from './machines.ts';

const asking = oneStep(ask, 'asking');

const guarded = setup({
  guards: { isLarge: ({ event }) => Number(payloadOf('n')({ event })) > 10 },
}).createMachine({
  id: 'guarded',
  version: '1.0.0',
  initial: 'open',
  states: {
    open: { on: { number: { guard: 'isLarge', target: 'done' } } },
    done: { type: 'final' },
  },
});

/** Asks, waits for `go`, asks again, ends; `note` is taken only while it waits. */
const flow = setup({ actors: { ask } }).createMachine({
  id: 'flow',
  version: '1.0.0',
  context: { answers: [] as unknown[], noted: 0 },
  initial: 'first',
  states: {
    first: {
      invoke: {
        src: 'ask',
        input: { q: 'first' },
        onDone: {
          target: 'waiting',
          actions: assign({
            answers: ({ context, event }) => [...context.answers, outputOf({ event })],
          }),
        },
      },
    },
    waiting: {
      on: {
        note: { actions: assign({ noted: ({ context }) => context.noted + 1 }) },
        go: 'second',
      },
    },
    second: { invoke: { src: 'ask', input: { q: 'second' }, onDone: 'done' } },
    done: { type: 'final' },
  },
  output: ({ context }) => context.noted,
});

const codeOf = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'stored',
    (error: unknown) => (isEclError(error) ? error.code : String(error)),
  );

describe('a signal', () => {
  it('counts once, however often it is sent with the same id, in whichever process', async () => {
    const world = new World();
    const first = await world.open({ workflows: [notes] });
    const run = await first.spawn(notes, { key: 'a' });
    const send = () => run.send({ type: 'note', what: 'x' }, { id: 'the-one' });
    const states = await Promise.all(Array.from({ length: 50 }, send));
    expect(new Set(states.map(({ revision }) => revision)).size).toBe(1);
    const second = await world.restart(first, { workflows: [notes] });
    const again = await second.get('notes.a');
    await again.send({ type: 'note', what: 'x' }, { id: 'the-one' });
    await again.send({ type: 'note', what: 'y' }, { id: 'another' });
    await again.send({ type: 'end' });
    expect(await again.result()).toEqual(['x', 'y']);
    expect(await world.count('notes.a', 'SignalReceived')).toBe(3);
  });

  it('with a known id is answered as before, also after the end', async () => {
    const world = new World();
    const ecl = await world.open({ workflows: [notes] });
    const run = await ecl.spawn(notes, { key: 'a' });
    await run.send({ type: 'end' }, { id: 'last' });
    expect((await run.send({ type: 'end' }, { id: 'last' })).status).toBe('completed');
  });

  it('that the machine never takes is a mistake, with the events that it knows', async () => {
    const world = new World();
    const ecl = await world.open({ workflows: [notes] });
    const run = await ecl.spawn(notes, { key: 'a' });
    await expect(run.send({ type: 'ned' })).rejects.toMatchObject({
      code: 'signal.impossible',
      kind: 'usage',
      details: { events: ['end', 'lock', 'note', 'unlock'] },
    });
  });

  it('that it does not take now is a conflict, with the events possible now', async () => {
    const world = new World();
    const ecl = await world.open({ workflows: [notes, guarded] });
    const run = await ecl.spawn(notes, { key: 'a' });
    await expect(run.send({ type: 'unlock' })).rejects.toMatchObject({
      code: 'signal.not-now',
      kind: 'conflict',
      details: { events: ['end', 'lock', 'note'] },
      message: expect.stringContaining('Possible now: end, lock, note.'),
    });
    await run.send({ type: 'end' });
    await expect(run.send({ type: 'note' })).rejects.toMatchObject({ code: 'run.over' });
    const strict = await ecl.spawn(guarded, { key: 'a' });
    await expect(strict.send({ type: 'number', n: 3 })).rejects.toMatchObject({
      code: 'signal.not-now',
    });
    expect((await strict.send({ type: 'number', n: 30 })).status).toBe('completed');
  });

  it('on which a guard fails is refused with what the guard said, and nothing is stored', async () => {
    const world = new World();
    const fussy = setup({
      guards: {
        isFine: () => {
          throw new Error('no list of prices');
        },
      },
    }).createMachine({
      id: 'fussy',
      version: '1.0.0',
      initial: 'open',
      states: {
        open: { on: { go: { guard: 'isFine', target: 'done' } } },
        done: { type: 'final' },
      },
    });
    const ecl = await world.open({ workflows: [fussy] });
    const run = await ecl.spawn(fussy, { key: 'a' });
    const before = await world.types(run.id);
    await expect(run.send({ type: 'go' })).rejects.toMatchObject({
      code: 'input.invalid',
      message: expect.stringContaining('no list of prices'),
    });
    expect(await world.types(run.id)).toEqual(before);
  });

  it('that JSON cannot hold is refused with its path, and nothing is stored', async () => {
    const world = new World();
    const ecl = await world.open({ workflows: [notes] });
    const run = await ecl.spawn(notes, { key: 'a' });
    const before = await world.types(run.id);
    await expect(run.send({ type: 'note', what: { n: Number.NaN } })).rejects.toMatchObject({
      code: 'input.not-json',
      details: { path: '$.what.n' },
    });
    expect(await world.types(run.id)).toEqual(before);
  });

  it('during a step is taken at once, and the step goes on or is cancelled as the machine says', async () => {
    const world = new World(() => new Promise(() => {}));
    const ecl = await world.open({ workflows: [asking] });
    const run = await ecl.spawn(asking, { key: 'a' });
    await world.settle();
    expect((await run.send({ type: 'work.left' })).state).toBe('left');
    expect(await world.types(run.id)).toContain('StepCancelled');
  });

  it('at any moment of a run is consumed once, or rejected with what is possible', async () => {
    const outcomes = new Set<string>();
    for (let moment = 1; ; moment += 1) {
      const world = new World();
      const ecl = await world.open({ workflows: [flow] });
      let appends = 0;
      let sent: Promise<string> | undefined;
      const { events } = world;
      const sendNow = (): void => {
        sent = ecl.get('flow.a').then(
          (run) => codeOf(run.send({ type: 'note' }, { id: 'note' })),
          (error: unknown) => (isEclError(error) ? error.code : String(error)),
        );
      };
      world.events = decorated(events, {
        append: (append) => {
          appends += 1;
          if (appends === moment) sendNow();
          return events.append(append);
        },
      });
      const run = await ecl.spawn(flow, { key: 'a' });
      await world.settle();
      await codeOf(run.send({ type: 'go' }));
      const noted = (await run.result()) as number;
      if (appends < moment) break;
      const outcome = await sent!;
      outcomes.add(outcome);
      const received = (await world.journal(run.id)).filter(
        ({ type, data }) => type === 'SignalReceived' && data.event.type === 'note',
      );
      expect(received, `sent at append ${moment}: ${outcome}`).toHaveLength(
        outcome === 'stored' ? 1 : 0,
      );
      expect(noted).toBe(received.length);
      await replays(ecl, run.id);
    }
    expect([...outcomes].toSorted()).toEqual(['run.over', 'signal.not-now', 'stored']);
  });

  it('keeps the order of one sender', async () => {
    const world = new World();
    const ecl = await world.open({ workflows: [notes] });
    const run = await ecl.spawn(notes, { key: 'a' });
    const numbers = Array.from({ length: 200 }, (_, n) => n);
    await Promise.all(numbers.map((what) => run.send({ type: 'note', what })));
    await run.send({ type: 'end' });
    expect(await run.result()).toEqual(numbers);
  });
});
