import { describe, expect, it } from 'vitest';
import { EclError, step } from 'ecl';
import { deferred, replays, World, type Deferred } from './kit.ts';
import { ask, notes, oneStep } from './machines.ts';

/** A step that hangs until the test lets it go, and does not care about its signal. */
const stubborn = (): { work: object; signals: AbortSignal[]; ends: Deferred<string>[] } => {
  const signals: AbortSignal[] = [];
  const ends: Deferred<string>[] = [];
  const work = step({
    name: 'work',
    execute: ({ signal }) => {
      signals.push(signal);
      const end = deferred<string>();
      ends.push(end);
      return end.promise;
    },
  });
  return { work, signals, ends };
};

describe('cancelling a run', () => {
  it('aborts the signal of its step, records both, and drops the late result', async () => {
    const world = new World();
    const { work, signals, ends } = stubborn();
    const machine = oneStep(work);
    const ecl = await world.open({ workflows: [machine] });
    const run = await ecl.spawn(machine, { key: 'a' });
    await world.settle();
    expect((await run.cancel('enough')).status).toBe('cancelled');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    const stored = await world.types(run.id);
    expect(stored.slice(-3)).toEqual(['CancelRequested', 'StepCancelled', 'RunCancelled']);
    ends[0]!.resolve('too late');
    await world.settle();
    expect(await world.types(run.id)).toEqual(stored);
    await expect(run.result()).rejects.toMatchObject({
      code: 'run.cancelled',
      message: expect.stringContaining('enough'),
    });
    await replays(ecl, run.id);
  });

  it('drops the answer of a model call that was under way', async () => {
    const world = new World();
    const answer = deferred<string>();
    world.model.answer = () => answer.promise;
    const machine = oneStep(ask);
    const ecl = await world.open({ workflows: [machine] });
    const run = await ecl.spawn(machine, { key: 'a' });
    await world.settle();
    await run.cancel();
    answer.resolve('too late');
    await world.settle();
    expect(await world.types(run.id)).not.toContain('ModelReplied');
    expect((await run.document()).status).toBe('cancelled');
  });

  it('twice is once, and after another end a conflict', async () => {
    const world = new World();
    const ecl = await world.open({ workflows: [notes] });
    const run = await ecl.spawn(notes, { key: 'a' });
    await Promise.all([run.cancel('one'), run.cancel('two'), run.cancel('three')]);
    expect(await world.count(run.id, 'CancelRequested')).toBe(1);
    const ended = await ecl.spawn(notes, { key: 'b' });
    await ended.send({ type: 'end' });
    await expect(ended.cancel()).rejects.toMatchObject({ code: 'run.over' });
  });

  it('works while it is paused', async () => {
    const world = new World(() => {
      throw new EclError('model.credentials', { model: 'test', reason: 'no key' });
    });
    const machine = oneStep(ask);
    const ecl = await world.open({ workflows: [machine] });
    const run = await ecl.spawn(machine, { key: 'a' });
    expect((await run.rest()).status).toBe('paused');
    expect((await run.cancel()).status).toBe('cancelled');
    await replays(ecl, run.id);
  });
});

describe('a state that is left', () => {
  it('cancels its step, and a late result of the first visit does not count for the second', async () => {
    const world = new World();
    const { work, signals, ends } = stubborn();
    const machine = oneStep(work);
    const ecl = await world.open({ workflows: [machine] });
    const run = await ecl.spawn(machine, { key: 'a' });
    await world.settle();
    await run.send({ type: 'work.left' });
    await run.send({ type: 'work.again' });
    await world.settle();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    ends[0]!.resolve('of the first visit');
    await world.settle();
    expect((await run.document()).state).toBe('working');
    ends[1]!.resolve('of the second visit');
    expect(await run.result()).toBe('of the second visit');
    const scheduled = (await world.journal(run.id)).filter(({ type }) => type === 'StepScheduled');
    expect(scheduled.map(({ data }) => data.invocation)).toEqual(['work#1', 'work#2']);
    await replays(ecl, run.id);
  });
});
