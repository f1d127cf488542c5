import { describe, expect, it } from 'vitest';
import { toPromise, waitFor } from 'xstate';
import { step } from 'ecl';
import { notes, oneStep, waits } from './machines.ts';
import { World } from './kit.ts';

const failing = oneStep(
  step({ name: 'work', retry: { attemptsMax: 1 }, execute: () => Promise.reject(new Error('no')) }),
);

describe('a handle', () => {
  it('is an actor ref to waitFor and toPromise, before the end and after it', async () => {
    const world = new World();
    const ecl = await world.open({ workflows: [notes] });
    const run = await ecl.spawn(notes, { key: 'a' });
    const early = toPromise(run as never);
    const locked = waitFor(
      run as never,
      (snapshot: { value: unknown }) => snapshot.value === 'locked',
    );
    await run.send({ type: 'note', what: 1 });
    await run.send({ type: 'lock' });
    expect(await locked).toMatchObject({ value: 'locked' });
    await run.send({ type: 'unlock' });
    await run.send({ type: 'end' });
    expect(await early).toEqual([1]);
    const late = await ecl.get('notes.a');
    expect(await toPromise(late as never)).toEqual([1]);
    expect(
      await waitFor(late as never, (snapshot: { status: string }) => snapshot.status === 'done'),
    ).toMatchObject({ status: 'done' });
    const again = await world.restart(ecl, { workflows: [notes] });
    expect(await toPromise((await again.get('notes.a')) as never)).toEqual([1]);
  });

  it('rejects toPromise for a run that was cancelled, before the end and after it', async () => {
    const world = new World();
    const ecl = await world.open({ workflows: [notes] });
    const run = await ecl.spawn(notes, { key: 'a' });
    const early = toPromise(run as never);
    const expected = { code: 'run.cancelled' };
    const rejected = expect(early).rejects.toMatchObject(expected);
    await run.cancel('enough');
    await rejected;
    await expect(toPromise(run as never)).rejects.toMatchObject(expected);
    await expect(toPromise((await ecl.get('notes.a')) as never)).rejects.toMatchObject(expected);
    await expect(run.result()).rejects.toMatchObject(expected);
  });

  it('tells a subscriber each stored state once, and the end once', async () => {
    const world = new World();
    const ecl = await world.open({ workflows: [notes] });
    const run = await ecl.spawn(notes, { key: 'a' });
    const seen: unknown[] = [];
    run.subscribe({
      next: (snapshot) => seen.push(snapshot.value),
      complete: () => seen.push('complete'),
      error: () => seen.push('error'),
    });
    await run.send({ type: 'lock' });
    await run.send({ type: 'unlock' });
    await run.send({ type: 'end' });
    await world.settle();
    expect(seen).toEqual(['locked', 'open', 'done', 'complete']);
  });

  it('gives the machine failure as a result, not as a rejection', async () => {
    const world = new World();
    const ecl = await world.open({ workflows: [failing] });
    const run = await ecl.spawn(failing, { key: 'a' });
    expect(await run.result()).toMatchObject({ message: 'no' });
  });

  it('rests when only a signal can go on, and not while a timer counts down', async () => {
    const world = new World();
    const hour = waits(3_600_000);
    const ecl = await world.open({ workflows: [notes, hour] });
    const waiting = await (await ecl.spawn(notes, { key: 'a' })).rest();
    expect(waiting.status).toBe('waiting');
    expect(waiting.waitingFor).toEqual([{ event: 'end' }, { event: 'lock' }, { event: 'note' }]);
  });

  it('rejects result() when the store closes before the end', async () => {
    const world = new World();
    const ecl = await world.open({ workflows: [notes] });
    const run = await ecl.spawn(notes, { key: 'a' });
    const rejected = expect(run.result()).rejects.toMatchObject({ code: 'store.closed' });
    await world.settle();
    await ecl.close({ graceMs: 0 });
    await rejected;
  });
});
