import { describe, expect, it } from 'vitest';
import { assign, setup, toPromise, waitFor, type AnyStateMachine } from 'xstate';
import { EclError } from 'ecl';
import { ask, notes, outputOf, waits } from './machines.ts';
import { decorated, replays, World } from './kit.ts';

const two = { activeActorsMax: 2 };

/** Waits for a signal, asks the model, waits for a timer, and waits for another signal. */
const busy = setup({
  types: { context: {} as { n: number; got: string } },
  actors: { ask },
}).createMachine({
  id: 'busy',
  version: '1.0.0',
  context: ({ input }) => ({ n: (input as { n: number }).n, got: '' }),
  initial: 'idle',
  states: {
    idle: { on: { go: 'asking' } },
    asking: {
      invoke: {
        src: 'ask',
        input: ({ context }: { context: { n: number } }) => ({ q: `question ${context.n}` }),
        onDone: { target: 'sleeping', actions: assign({ got: outputOf as never }) },
      },
    },
    sleeping: { after: { 60_000: 'almost' } },
    almost: { on: { finish: 'done' } },
    done: { type: 'final' },
  },
  output: ({ context }) => context.got,
}) as unknown as AnyStateMachine;

describe('with room for two actors', () => {
  it('fifty runs with timers, signals and model calls all end, each call made once', async () => {
    const world = new World((request) => `re: ${request.messages.at(-1)?.content}`);
    const ecl = await world.open({ workflows: [busy], limits: two });
    const runs = await Promise.all(
      Array.from({ length: 50 }, (_, n) => ecl.spawn(busy, { key: `r${n}`, input: { n } })),
    );
    await world.settle();
    expect(ecl.system.size).toBeLessThanOrEqual(2);
    await Promise.all(runs.map((run) => run.send({ type: 'go' })));
    await world.settle(100);
    expect(ecl.system.size).toBeLessThanOrEqual(2);
    expect(world.model.asked.toSorted()).toEqual([...new Set(world.model.asked)].toSorted());
    expect(world.model.asked).toHaveLength(50);
    await world.pass(60_000, 4);
    await world.settle(100);
    await Promise.all(runs.map((run) => run.send({ type: 'finish' })));
    const results = await Promise.all(runs.map((run) => run.result()));
    expect(results).toEqual(runs.map((_, n) => `re: question ${n}`));
    for (const run of runs) {
      const types = await world.types(run.id);
      expect(types.filter((type) => type === 'StepSucceeded')).toHaveLength(1);
      expect(types.filter((type) => type === 'TimerFired')).toHaveLength(1);
      await replays(ecl, run.id);
    }
  });

  it('a run whose actor leaves memory between a look-up and a signal is moved by one actor only', async () => {
    const world = new World();
    const ecl = await world.open({ workflows: [busy, notes], limits: { activeActorsMax: 1 } });
    const run = await ecl.spawn(busy, { key: 'a', input: { n: 1 } });
    await world.settle();
    const actor = await ecl.system.get(run.id);
    // The others push it out; whoever looked it up before still holds it.
    for (let n = 0; n < 5; n += 1) await ecl.spawn(notes, { key: `n${n}` });
    await world.settle();
    const again = await ecl.system.get(run.id);
    expect(again).not.toBe(actor);
    await actor!.submit(() => ({
      type: 'SignalReceived',
      data: { id: 'late', event: { type: 'go' } },
    }));
    await world.settle();
    expect((await run.document()).state).toBe('sleeping');
    expect(again!.state?.revision).toBe((await run.document()).revision);
    await world.settle();
    expect(world.model.asked).toEqual(['question 1']);
    expect(await world.count(run.id, 'StepAttemptStarted')).toBe(0);
  });

  it('a run that somebody starts again is found by everybody else meanwhile', async () => {
    const world = new World();
    const { events } = world;
    let slow = false;
    const turn = (): Promise<void> => new Promise(setImmediate);
    world.events = decorated(events, {
      append: async (append) => {
        for (let turns = slow ? 5 : 0; turns > 0; turns -= 1) await turn();
        return events.append(append);
      },
    });
    const ecl = await world.open({ workflows: [notes], limits: { activeActorsMax: 1 } });
    await ecl.spawn(notes, { key: 'a' });
    for (let n = 0; n < 3; n += 1) await ecl.spawn(notes, { key: `n${n}` });
    await world.settle();
    expect(ecl.system.held('notes.a')).toBeUndefined();
    await world.clock.advance(1);
    slow = true;
    const same = ecl.spawn(notes, { key: 'a' });
    const other = ecl.spawn(notes, { key: 'a', input: { other: true } });
    const conflict = expect(other).rejects.toMatchObject({ code: 'run.key-conflict' });
    await turn();
    const found = await ecl.get('notes.a');
    expect((await found.document()).status).toBe('waiting');
    expect((await same).id).toBe('notes.a');
    await conflict;
  });

  it('a handle goes on working: signals, snapshots, waitFor and toPromise', async () => {
    const world = new World();
    const ecl = await world.open({ workflows: [busy, notes], limits: two });
    const run = await ecl.spawn(busy, { key: 'a', input: { n: 1 } });
    const sleeping = waitFor(
      run as never,
      (snapshot: { value: unknown }) => snapshot.value === 'sleeping',
    );
    const output = toPromise(run as never);
    const pushOut = async (round: number): Promise<void> => {
      for (let n = 0; n < 5; n += 1) await ecl.spawn(notes, { key: `n${round}-${n}` });
      await world.settle();
      expect(ecl.system.size).toBeLessThanOrEqual(2);
    };
    await pushOut(1);
    await run.send({ type: 'go' });
    await world.settle();
    expect(await sleeping).toMatchObject({ value: 'sleeping' });
    await pushOut(2);
    expect(run.getSnapshot().value).toBe('sleeping');
    await world.pass(60_000);
    await pushOut(3);
    await run.send({ type: 'finish' });
    expect(await output).toBe('yes');
    expect(await run.result()).toBe('yes');
  });

  it('a timer wakes a run that is not in memory', async () => {
    const world = new World();
    const hour = waits(3_600_000);
    const ecl = await world.open({ workflows: [hour, notes], limits: two });
    const run = await ecl.spawn(hour, { key: 'a' });
    for (let n = 0; n < 5; n += 1) await ecl.spawn(notes, { key: `n${n}` });
    await world.settle();
    expect(ecl.system.size).toBeLessThanOrEqual(2);
    await world.pass(3_599_999);
    expect(await world.count(run.id, 'TimerFired')).toBe(0);
    await world.pass(1, 1);
    await world.settle();
    expect(await world.count(run.id, 'TimerFired')).toBe(1);
    expect(await run.result()).toBe('woke');
  });

  it('a timer that comes due while the store is away wakes its run when it is back', async () => {
    const world = new World();
    const { events } = world;
    let away = false;
    world.events = decorated(events, {
      readStream: (stream, options) => {
        if (away) throw new EclError('store.unavailable', { store: 'x', reason: 'gone' });
        return events.readStream(stream, options);
      },
    });
    const hour = waits(3_600_000);
    const ecl = await world.open({ workflows: [hour, notes], limits: two });
    const run = await ecl.spawn(hour, { key: 'a' });
    for (let n = 0; n < 5; n += 1) await ecl.spawn(notes, { key: `n${n}` });
    await world.settle();
    expect(ecl.system.held(run.id)).toBe(undefined);
    away = true;
    await world.pass(3_610_000);
    away = false;
    await world.pass(5_000);
    expect(await world.types(run.id)).toContain('RunCompleted');
  });
});
