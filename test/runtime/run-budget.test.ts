import { describe, expect, it } from 'vitest';
import { step, workflow, type Budget } from 'ecl';
import { createTestEcl, SimulatedClock } from 'ecl/testing';
import { deferred, replays, World } from './kit.ts';
import { ask, oneStep } from './machines.ts';

const minute = 60_000;
const hour = 60 * minute;

describe('a budget', () => {
  const threeCalls = step({
    name: 'three',
    execute: async ({ model }) =>
      [await model.text('one'), await model.text('two'), await model.text('three')].join(),
  });
  const limited = (budget: Budget) => workflow({ machine: oneStep(threeCalls, 'limited'), budget });

  it('of calls pauses the run when it is used up, over restarts, and each resume grants it again', async () => {
    const world = new World();
    const flow = limited({ calls: 1 });
    let ecl = await world.open({ workflows: [flow] });
    await ecl.spawn(flow, { key: 'a' });
    for (const calls of [1, 2]) {
      await world.settle();
      ecl = await world.restart(ecl, { workflows: [flow] });
      const run = await ecl.get('limited.a');
      await world.settle();
      expect((await run.document()).error).toMatchObject({ code: 'budget.exhausted' });
      expect(world.model.asked).toHaveLength(calls);
      await run.resume();
    }
    expect(await (await ecl.get('limited.a')).result()).toBe('yes,yes,yes');
    expect(world.model.asked).toEqual(['one', 'two', 'three']);
    await replays(ecl, 'limited.a');
  });

  it('of tokens is overshot by the calls in flight at most', async () => {
    const world = new World();
    const flow = limited({ tokens: 16 });
    const ecl = await world.open({ workflows: [flow] });
    const run = await ecl.spawn(flow, { key: 'a' });
    expect((await run.rest()).status).toBe('paused');
    expect(world.model.asked).toHaveLength(2);
  });
});

describe('calls side by side', () => {
  const five = step({
    name: 'five',
    execute: async ({ model }) => {
      const asked = Array.from({ length: 5 }, (_, n) => model.text(`question ${n}`));
      const answers = await Promise.allSettled(asked);
      if (answers.some(({ status }) => status === 'rejected')) await Promise.all(asked);
    },
  });

  it.each([
    ['', undefined] as const,
    [', and a day has one too', { all: { calls: 100 } }] as const,
  ])('make no more than the budget of their run allows%s', async (_, dailyBudget) => {
    const flow = workflow({ machine: oneStep(five), budget: { calls: 2 } });
    const model = Array.from({ length: 20 }, () => ({ reply: { text: 'yes' } }));
    const clock = new SimulatedClock();
    const ecl = await createTestEcl({
      workflows: [flow],
      model,
      clock,
      ...(dailyBudget === undefined ? {} : { dailyBudget }),
    });
    const run = await ecl.spawn(flow, { key: 'a' });
    expect((await run.rest()).status).toBe('paused');
    const types: string[] = [];
    for await (const { type } of ecl.events({ run: run.id })) types.push(type);
    expect(types.filter((type) => type === 'ModelReplied')).toHaveLength(2);
    await ecl.close();
  });
});

describe('a budget of wall time', () => {
  /** A run that left its step for a person, and comes back to it at `work.again`. */
  const leftAlone = async (world: World, budget: Budget, limits = {}) => {
    const flow = workflow({ machine: oneStep(ask), budget });
    const options = { workflows: [flow], limits };
    const ecl = await world.open(options);
    world.model.answer = () => new Promise(() => {});
    const run = await ecl.spawn(flow, { key: 'a' });
    await world.settle();
    await run.send({ type: 'work.left' });
    await world.settle();
    world.model.answer = () => 'yes';
    return { ecl, run, options };
  };

  it('pauses the run at the model call after it, and no answer that came is lost', async () => {
    const world = new World();
    const twoCalls = step({
      name: 'two',
      execute: async ({ model }) => [await model.text('one'), await model.text('two')].join(),
    });
    const flow = workflow({ machine: oneStep(twoCalls), budget: { wallTimeMs: 5 * minute } });
    const slow = deferred<string>();
    world.model.answer = () => slow.promise;
    const ecl = await world.open({ workflows: [flow] });
    const run = await ecl.spawn(flow, { key: 'a' });
    await world.pass(5 * minute);
    slow.resolve('late');
    await world.settle();
    expect(await run.document()).toMatchObject({
      status: 'paused',
      error: {
        code: 'budget.exhausted',
        message: 'The budget of run one-step.a is exhausted: 300000 of 300000 ms of wall time',
      },
    });
    expect(world.model.asked).toEqual(['one']);
    await run.resume();
    expect(await run.result()).toBe('late,late');
    expect(world.model.asked).toEqual(['one', 'two']);
    await replays(ecl, run.id);
  });

  it('lets a step begin until it is over, and none after that', async () => {
    for (const [waited, asked] of [
      [hour - 1, 2],
      [hour, 1],
    ] as const) {
      const world = new World();
      const { run } = await leftAlone(world, { wallTimeMs: hour });
      await world.pass(waited);
      await run.send({ type: 'work.again' });
      await world.settle();
      expect(world.model.asked).toHaveLength(asked);
    }
  });

  it('wakes no run that waits for a person: it is asked when there is something to do', async () => {
    const world = new World();
    const { run } = await leftAlone(world, { wallTimeMs: hour });
    await world.pass(48 * hour);
    expect((await run.document()).status).toBe('waiting');
    await run.send({ type: 'work.again' });
    await world.settle();
    expect((await run.document()).status).toBe('paused');
  });

  it('counts on over restarts, and from the last resume, however long the run was paused', async () => {
    for (const limits of [{ snapshotEveryEvents: 1 }, { snapshotEveryEvents: 1_000_000 }]) {
      const world = new World();
      const { ecl, run, options } = await leftAlone(world, { wallTimeMs: hour }, limits);
      await world.pass(40 * minute);
      const second = await world.restart(ecl, options);
      await world.pass(20 * minute);
      const again = await second.get(run.id);
      await again.send({ type: 'work.again' });
      await world.settle();
      expect(await again.document()).toMatchObject({ error: { code: 'budget.exhausted' } });
      await world.pass(72 * hour);
      world.model.answer = () => new Promise(() => {});
      await again.resume();
      await world.settle();
      await again.send({ type: 'work.left' });
      world.model.answer = () => 'yes';
      const third = await world.restart(second, options);
      await world.pass(hour - 1);
      const last = await third.get(run.id);
      await last.send({ type: 'work.again' });
      expect(await last.result()).toBe('yes');
      await replays(third, run.id);
    }
  });

  it('ends retries that would go on, before the step fails for good', async () => {
    const world = new World();
    let executions = 0;
    const broken = step({
      name: 'broken',
      retry: { attemptsMax: 1_000, delayMs: minute, delayMsMax: minute },
      execute: () => {
        executions += 1;
        throw new Error('still broken');
      },
    });
    const flow = workflow({ machine: oneStep(broken), budget: { wallTimeMs: 10 * minute } });
    const ecl = await world.open({ workflows: [flow] });
    const run = await ecl.spawn(flow, { key: 'a' });
    await world.pass(30 * minute, 200);
    expect(await run.document()).toMatchObject({ status: 'paused' });
    const before = executions;
    await world.pass(hour, 100);
    expect(executions).toBe(before);
    const { at } = (await world.journal(run.id)).findLast(({ type }) => type === 'RunPaused')!;
    const late = Date.parse(at) - Date.parse('2026-03-01T09:00:00.000Z');
    expect(late).toBeGreaterThanOrEqual(10 * minute);
    expect(late).toBeLessThanOrEqual(11 * minute + 10_000);
  });

  it('records no start of a step that it does not let begin, so a step that runs once is not interrupted', async () => {
    const world = new World();
    const once = step({ name: 'once', effect: 'once', execute: ({ model }) => model.text('once') });
    const flow = workflow({ machine: oneStep(once), budget: { wallTimeMs: hour } });
    const options = { workflows: [flow] };
    const first = await world.open({ ...options, leaveWork: true } as never);
    await first.spawn(flow, { key: 'a' });
    await world.settle();
    await world.pass(hour);
    const second = await world.restart(first, options);
    const run = await second.get('one-step.a');
    await world.settle();
    expect(await world.count(run.id, 'StepAttemptStarted')).toBe(0);
    expect((await run.document()).status).toBe('paused');
    const third = await world.restart(second, options);
    const resumed = await third.get(run.id);
    await resumed.resume();
    expect(await resumed.result()).toBe('yes');
    expect(await world.count(run.id, 'StepInterrupted')).toBe(0);
    expect(world.model.asked).toEqual(['once']);
  });
});
