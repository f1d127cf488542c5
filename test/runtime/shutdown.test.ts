import { describe, expect, it } from 'vitest';
import { EclError, step } from 'ecl';
import { deferred, decorated, World } from './kit.ts';
import { ask, notes, oneStep, sideBySide } from './machines.ts';

const asking = oneStep(ask);

describe('closing', () => {
  it('lets a step end within the grace, and records it', async () => {
    const world = new World();
    const answer = deferred<string>();
    world.model.answer = () => answer.promise;
    const first = await world.open({ workflows: [asking] });
    await first.spawn(asking, { key: 'a' });
    await world.settle();
    const closed = first.close();
    await world.pass(1000);
    answer.resolve('just in time');
    await closed;
    expect(await world.types('one-step.a')).toContain('RunCompleted');
    const second = await world.open({ workflows: [asking] });
    expect(await (await second.get('one-step.a')).result()).toBe('just in time');
    expect(world.model.asked).toHaveLength(1);
  });

  it('abandons what takes longer than the grace; the next process goes on', async () => {
    const world = new World();
    const signals: AbortSignal[] = [];
    world.model.answer = (_, { number, signal }) => {
      signals.push(signal);
      return number === 1 ? new Promise(() => {}) : 'of the second process';
    };
    const first = await world.open({ workflows: [asking] });
    await first.spawn(asking, { key: 'a' });
    await world.settle();
    let isClosed = false;
    const closed = first.close().then(() => (isClosed = true));
    await world.pass(4999);
    expect(isClosed).toBe(false);
    await world.pass(1, 1);
    await closed;
    expect(signals[0]!.aborted).toBe(true);
    expect(await world.types('one-step.a')).toEqual([
      'RunStarted',
      'StateChanged',
      'StepScheduled',
    ]);
    const second = await world.open({ workflows: [asking] });
    expect(await (await second.get('one-step.a')).result()).toBe('of the second process');
  });

  it('ends within ten seconds while the store is away and a paid answer waits for it', async () => {
    const world = new World();
    const { events } = world;
    let away = false;
    world.events = decorated(events, {
      append: (append) => {
        if (away)
          return Promise.reject(new EclError('store.unavailable', { store: 'x', reason: 'gone' }));
        return events.append(append);
      },
    });
    world.model.answer = () => {
      away = true;
      return 'paid';
    };
    const first = await world.open({ workflows: [asking] });
    await first.spawn(asking, { key: 'a' });
    await world.settle();
    let isClosed = false;
    void first.close().then(() => (isClosed = true));
    await world.pass(10_000, 20);
    await world.settle();
    expect(isClosed).toBe(true);
  });

  it('takes a success that it could not store for an interruption, never for a failure', async () => {
    const world = new World();
    const { events } = world;
    let away = true;
    world.events = decorated(events, {
      append: (append) =>
        away && append.events.some(({ type }) => type === 'StepSucceeded')
          ? Promise.reject(new EclError('store.unavailable', { store: 'x', reason: 'gone' }))
          : events.append(append),
    });
    let executions = 0;
    const pay = step({ name: 'pay', effect: 'once', execute: () => (executions += 1) });
    const machine = oneStep(pay);
    const first = await world.open({ workflows: [machine] });
    const run = await first.spawn(machine, { key: 'a' });
    await world.settle();
    await first.close({ graceMs: 0 });
    expect(await world.types(run.id)).not.toContain('StepAttemptFailed');
    away = false;
    const second = await world.open({ workflows: [machine] });
    expect(await (await second.get(run.id)).result()).toMatchObject({ code: 'step.interrupted' });
    expect(executions).toBe(1);
  });

  it('takes no new work, and answers whoever asks', async () => {
    const world = new World();
    const ecl = await world.open({ workflows: [notes] });
    const run = await ecl.spawn(notes, { key: 'a' });
    await ecl.close({ graceMs: 0 });
    await expect(ecl.spawn(notes, { key: 'b' })).rejects.toMatchObject({ code: 'store.closed' });
    await expect(run.send({ type: 'note' })).rejects.toMatchObject({ code: 'store.closed' });
    await expect(run.document()).rejects.toMatchObject({ code: 'store.closed' });
  });

  it('lets no step begin that still waited for a place', async () => {
    const gates = Array.from({ length: 2 }, () => deferred<string>());
    const world = new World((_, { number }) => gates[number - 1]?.promise ?? 'yes');
    const machine = sideBySide(6);
    const first = await world.open({ workflows: [machine], limits: { concurrentStepsMax: 2 } });
    const run = await first.spawn(machine, { key: 'a' });
    await world.settle();
    const closed = first.close({ graceMs: 1000 });
    for (const gate of gates) gate.resolve('yes');
    await world.pass(1000);
    await closed;
    expect(world.model.asked).toHaveLength(2);
    expect(await world.count(run.id, 'StepSucceeded')).toBe(2);
    const second = await world.open({ workflows: [machine] });
    await world.settle();
    expect((await (await second.get(run.id)).document()).status).toBe('completed');
    expect(world.model.asked).toHaveLength(6);
  });

  it('loses nothing of fifty runs in all phases: the next process ends them all', async () => {
    const world = new World();
    const gates = Array.from({ length: 50 }, () => deferred<string>());
    world.model.answer = (request, { number }) =>
      number <= 50 ? gates[number - 1]!.promise : `again ${request.messages.at(-1)?.content}`;
    const first = await world.open({ workflows: [asking] });
    for (let n = 0; n < 50; n += 1) {
      await first.spawn(asking, { key: `r${n}`, input: { q: `q${n}` } });
    }
    await world.settle();
    gates.slice(0, 20).forEach((gate, n) => gate.resolve(`first ${n}`));
    const closed = first.close({ graceMs: 1000 });
    gates.slice(20, 30).forEach((gate, n) => gate.resolve(`grace ${n + 20}`));
    await world.pass(1000);
    gates.slice(30).forEach((gate) => gate.resolve('too late'));
    await closed;
    const second = await world.open({ workflows: [asking] });
    await world.settle();
    const results = await Promise.all(
      gates.map(async (_, n) => (await second.get(`one-step.r${n}`)).result()),
    );
    expect(results.filter((text) => String(text).startsWith('again'))).toHaveLength(20);
    expect(results).not.toContain('too late');
    expect(world.model.asked).toHaveLength(70);
  });

  it('is done once, however often it is asked for', async () => {
    const world = new World();
    const work = step({ name: 'work', execute: () => new Promise<string>(() => {}) });
    const machine = oneStep(work);
    const ecl = await world.open({ workflows: [machine] });
    await ecl.spawn(machine, { key: 'a' });
    await Promise.all([
      ecl.close({ graceMs: 0 }),
      ecl.close({ graceMs: 0 }),
      ecl.close({ graceMs: 0 }),
    ]);
  });
});
