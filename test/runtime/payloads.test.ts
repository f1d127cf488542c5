import { describe, expect, it } from 'vitest';
import { assign, setup } from 'xstate';
import { step } from 'ecl';
import { replays, World } from './kit.ts';
import { notes, oneStep, outputOf } from './machines.ts';

const mebibyte = 1024 * 1024;

const sized = (bytes: number): object =>
  step({ name: 'sized', execute: () => 'x'.repeat(bytes), retry: { attemptsMax: 1 } });

describe('large payloads', () => {
  it('go through a run: an input of 1 MiB and an output of 5 MiB, also over a restart', async () => {
    const world = new World();
    const echo = oneStep(
      step<{ text: string }, string>({
        name: 'echo',
        execute: ({ input }) => input.text.repeat(5),
      }),
    );
    const first = await world.open({ workflows: [echo] });
    const run = await first.spawn(echo, { key: 'a', input: { text: 'é'.repeat(mebibyte / 2) } });
    expect(await run.result()).toBe('é'.repeat(5 * (mebibyte / 2)));
    const second = await world.restart(first, { workflows: [echo] });
    expect(await (await second.get(run.id)).result()).toBe('é'.repeat(5 * (mebibyte / 2)));
    await replays(second, run.id);
    for await (const event of world.events.readAll()) {
      expect(Buffer.byteLength(event.data)).toBeLessThanOrEqual(64 * 1024);
    }
    const data: unknown[] = [];
    for await (const event of second.events({ run: run.id, types: ['RunCompleted'] })) {
      data.push(event.data);
    }
    expect(data).toEqual([{ output: 'é'.repeat(5 * (mebibyte / 2)) }]);
  });

  it('beyond 16 MiB are refused: an input at the door, before anything is stored', async () => {
    const world = new World();
    const machine = oneStep(sized(1));
    const ecl = await world.open({ workflows: [machine] });
    await expect(
      ecl.spawn(machine, { key: 'a', input: { text: 'x'.repeat(17 * mebibyte) } }),
    ).rejects.toMatchObject({
      code: 'input.too-large',
      message: expect.stringMatching(/17825\d{3} bytes; the limit is 16777216/),
    });
    expect(await world.types('one-step.a')).toEqual([]);
  });

  it('beyond 16 MiB are refused: the output of a step is a failure of the step', async () => {
    const world = new World();
    const machine = oneStep(sized(17 * mebibyte));
    const ecl = await world.open({ workflows: [machine] });
    const run = await ecl.spawn(machine, { key: 'a' });
    expect(await run.result()).toMatchObject({ code: 'input.too-large' });
    await replays(ecl, run.id);
  });

  it('that a machine makes too large keep the fact, and wait for a person', async () => {
    const world = new World();
    const small = step({ name: 'small', execute: () => 'x'.repeat(9 * mebibyte) });
    const doubling = setup({
      actors: { small, next: step({ name: 'next', execute: () => 1 }) },
    }).createMachine({
      id: 'doubling',
      version: '1.0.0',
      context: { text: '' },
      initial: 'on',
      states: {
        on: {
          invoke: {
            src: 'small',
            onDone: { target: 'more', actions: assign({ text: outputOf as never }) },
          },
        },
        more: {
          invoke: {
            src: 'next',
            input: ({ context }: { context: { text: string } }) => context.text + context.text,
            onDone: 'done',
          },
        },
        done: { type: 'final' },
      },
    });
    const ecl = await world.open({ workflows: [doubling] });
    const run = await ecl.spawn(doubling, { key: 'a' });
    await world.settle();
    expect(await run.document()).toMatchObject({
      status: 'quarantined',
      error: { message: expect.stringContaining('18874') },
    });
    expect((await world.types(run.id)).slice(-2)).toEqual(['StepSucceeded', 'RunQuarantined']);
    await replays(ecl, run.id);
  });
});

describe('bounds', () => {
  it('of a journal pause the run; a resume allows as much again', async () => {
    const world = new World();
    const ecl = await world.open({ workflows: [notes], limits: { runEventsMax: 20 } });
    const run = await ecl.spawn(notes, { key: 'a' });
    let noted = 0;
    const fill = async (): Promise<void> => {
      while ((await run.document()).status === 'waiting' && noted < 100) {
        await run.send({ type: 'note', what: (noted += 1) });
        await world.settle(2);
      }
    };
    await fill();
    expect(noted).toBeLessThan(15);
    expect((await run.document()).error).toMatchObject({ message: expect.stringContaining('20') });
    const before = noted;
    await run.resume();
    await fill();
    expect(noted).toBeGreaterThan(before);
    await run.resume();
    await run.send({ type: 'end' });
    expect(await run.result()).toHaveLength(noted);
    await replays(ecl, run.id);
  });

  it('of a mailbox refuse what does not fit, and the rest goes on', async () => {
    const world = new World();
    const ecl = await world.open({ workflows: [notes], limits: { mailboxDepthMax: 10 } });
    const run = await ecl.spawn(notes, { key: 'a' });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 100 }, (_, what) => run.send({ type: 'note', what })),
    );
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    for (const { reason } of refused as PromiseRejectedResult[]) {
      expect(reason).toMatchObject({ code: 'run.limit-reached' });
    }
    await run.send({ type: 'end' });
    expect(await run.result()).toHaveLength(100 - refused.length);
  });

  it('of steps side by side make the others wait in line', async () => {
    const world = new World();
    let now = 0;
    let most = 0;
    const work = step({
      name: 'work',
      execute: async () => {
        most = Math.max(most, (now += 1));
        await new Promise((resolve) => setImmediate(resolve));
        now -= 1;
      },
    });
    const machine = oneStep(work);
    const ecl = await world.open({ workflows: [machine], limits: { concurrentStepsMax: 3 } });
    const runs = await Promise.all(
      Array.from({ length: 30 }, (_, n) => ecl.spawn(machine, { key: `r${n}` })),
    );
    await Promise.all(runs.map((run) => run.result()));
    expect(most).toBe(3);
  });

  it('of microsteps end a machine that goes round in circles', async () => {
    const world = new World();
    const circles = setup({}).createMachine({
      id: 'circles',
      version: '1.0.0',
      initial: 'rest',
      states: {
        rest: { on: { go: 'left' } },
        left: { always: 'right' },
        right: { always: 'left' },
      },
    });
    const ecl = await world.open({ workflows: [circles] });
    const run = await ecl.spawn(circles, { key: 'a' });
    await run.send({ type: 'go' }).catch(() => {});
    expect((await run.document()).status).toBe('quarantined');
    expect((await world.types(run.id)).slice(-2)).toEqual(['SignalReceived', 'RunQuarantined']);
  });
});
