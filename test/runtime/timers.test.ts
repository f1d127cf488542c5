import { describe, expect, it } from 'vitest';
import { setup, type AnyStateMachine } from 'xstate';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { replays, World } from './kit.ts';
import { waits } from './machines.ts';

const day = 86_400_000;

/** Goes round by a timer, three times, each time with the same timer id. */
const rounds = setup({}).createMachine({
  id: 'rounds',
  version: '1.0.0',
  context: { round: 0 },
  initial: 'one',
  states: {
    one: { after: { 1000: 'two' } },
    two: { after: { 1000: 'three' }, on: { back: 'one' } },
    three: { after: { 1000: 'done' } },
    done: { type: 'final' },
  },
}) as unknown as AnyStateMachine;

/** Takes one approval before its time is up, and another one after that. */
const deadline = setup({}).createMachine({
  id: 'deadline',
  version: '1.0.0',
  initial: 'open',
  states: {
    open: { after: { 60_000: 'late' }, on: { approve: 'approved' } },
    late: { on: { 'approve.late': 'approved' } },
    approved: { type: 'final' },
  },
}) as unknown as AnyStateMachine;

const fired = async (world: World, run: string): Promise<string[]> =>
  (await world.journal(run)).filter(({ type }) => type === 'TimerFired').map(({ at }) => at);

describe('a timer', () => {
  it('fires at its time, once, over as many restarts as there are', async () => {
    const world = new World();
    const hour = waits(3_600_000);
    let ecl = await world.open({ workflows: [hour] });
    await ecl.spawn(hour, { key: 'a' });
    for (let minute = 0; minute < 59; minute += 10) {
      await world.pass(600_000 - 1, 2);
      expect(await fired(world, 'waits.a')).toEqual([]);
      ecl = await world.restart(ecl, { workflows: [hour] });
    }
    await world.pass(10);
    expect(await fired(world, 'waits.a')).toEqual(['2026-03-01T10:00:00.000Z']);
    expect(await (await ecl.get('waits.a')).result()).toBe('woke');
  });

  it('that came due while nobody ran fires at the start, once', async () => {
    const world = new World();
    const hour = waits(3_600_000);
    const first = await world.open({ workflows: [hour] });
    await first.spawn(hour, { key: 'a' });
    world.kill(first);
    await world.clock.advance(10 * day);
    await world.open({ workflows: [hour] });
    await world.settle();
    expect(await fired(world, 'waits.a')).toHaveLength(1);
  });

  it.each([true, false])(
    'that came due while nobody ran comes before a signal that is sent later (recover: %s)',
    async (recover) => {
      const world = new World();
      const options = { workflows: [deadline], recover };
      const first = await world.open(options);
      await first.spawn(deadline, { key: 'a' });
      world.kill(first);
      await world.clock.advance(60_000);
      const ecl = await world.open(options);
      const run = await ecl.get('deadline.a');
      const early = run.send({ type: 'approve' });
      await expect(early).rejects.toMatchObject({ code: 'signal.not-now' });
      await run.send({ type: 'approve.late' });
      expect(await run.document()).toMatchObject({ status: 'completed' });
      expect(await fired(world, 'deadline.a')).toHaveLength(1);
      await replays(ecl, 'deadline.a');
    },
  );

  it('of forty days fires after forty days', async () => {
    const world = new World();
    const long = waits(40 * day);
    const ecl = await world.open({ workflows: [long] });
    await ecl.spawn(long, { key: 'a' });
    await world.pass(40 * day - 1, 40);
    expect(await fired(world, 'waits.a')).toEqual([]);
    await world.pass(1, 1);
    expect(await fired(world, 'waits.a')).toEqual(['2026-04-10T09:00:00.000Z']);
  });

  it('is not early when the clock is set back, and not late when it is set forward', async () => {
    const world = new World();
    const hour = waits(3_600_000);
    const ecl = await world.open({ workflows: [hour] });
    await ecl.spawn(hour, { key: 'a' });
    await world.clock.set('2026-03-01T09:30:00.000Z');
    await world.clock.set('2026-03-01T07:00:00.000Z');
    await world.pass(2 * 3_600_000);
    expect(await fired(world, 'waits.a')).toEqual([]);
    await world.clock.set('2026-03-01T12:00:00.000Z');
    await world.settle();
    expect(await fired(world, 'waits.a')).toHaveLength(1);
    await world.clock.set('2026-03-01T08:00:00.000Z');
    await world.pass(10 * 3_600_000);
    expect(await fired(world, 'waits.a')).toHaveLength(1);
  });

  it('that a signal made needless does not fire', async () => {
    const world = new World();
    const hour = waits(3_600_000);
    const first = await world.open({ workflows: [hour] });
    const run = await first.spawn(hour, { key: 'a' });
    await run.send({ type: 'hurry' });
    await world.restart(first, { workflows: [hour] });
    await world.pass(day);
    expect(await fired(world, 'waits.a')).toEqual([]);
  });

  it('set anew by a state that is entered again counts from then', async () => {
    const world = new World();
    const ecl = await world.open({ workflows: [rounds] });
    const run = await ecl.spawn(rounds, { key: 'a' });
    await world.pass(1500, 15);
    await run.send({ type: 'back' });
    await world.pass(900, 9);
    expect((await run.document()).state).toBe('one');
    await world.pass(5000, 50);
    expect(await fired(world, 'rounds.a')).toEqual([
      '2026-03-01T09:00:01.000Z',
      '2026-03-01T09:00:02.500Z',
      '2026-03-01T09:00:03.500Z',
      '2026-03-01T09:00:04.500Z',
    ]);
    await replays(ecl, 'rounds.a');
  });

  it('does not fire while its run is paused by its limit, and fires after the resume', async () => {
    const world = new World();
    // Reached with the third timer.
    const limits = { runEventsMax: 8 };
    const ecl = await world.open({ workflows: [rounds], limits });
    const run = await ecl.spawn(rounds, { key: 'a' });
    await world.pass(60_000, 60);
    expect(await run.document()).toMatchObject({ status: 'paused', state: 'three' });
    expect(await fired(world, run.id)).toHaveLength(2);
    await run.resume();
    await world.settle();
    expect(await fired(world, run.id)).toHaveLength(3);
    expect((await run.document()).status).toBe('completed');
  });

  it('of three hundred runs at one instant fires in each of them', async () => {
    const world = new World();
    const hour = waits(3_600_000);
    const limits = { activeActorsMax: 30 };
    const ecl = await world.open({ workflows: [hour], limits });
    const runs = [];
    for (let n = 0; n < 300; n += 1) runs.push(await ecl.spawn(hour, { key: `r${n}` }));
    await world.settle();
    expect(ecl.system.size).toBeLessThanOrEqual(30);
    await world.clock.advance(3_600_000);
    await world.settle(200);
    expect(new Set(await Promise.all(runs.map((run) => run.result())))).toEqual(new Set(['woke']));
  });
});

describe('the clock of the machine', () => {
  it('fires nothing early and everything once, in order of time', async () => {
    const clock = createSystemClock();
    const seen: { at: number; now: number }[] = [];
    const start = clock.now();
    const due = Array.from({ length: 200 }, (_, n) => start + ((n * 37) % 150));
    await Promise.all(
      due.map(
        (at) =>
          new Promise<void>((resolve) => {
            clock.schedule(at, () => {
              seen.push({ at, now: clock.now() });
              resolve();
            });
          }),
      ),
    );
    expect(seen.every(({ at, now }) => now >= at)).toBe(true);
    expect(seen).toHaveLength(200);
    expect(seen.map(({ at }) => at)).toEqual(due.toSorted((a, b) => a - b));
  });
});
