/** Several processes on one log: who owns what, and how that moves when one comes, goes or dies. */
import { expect, test } from 'vitest';
import { ask, notes, oneStep, parentOf, waits } from '../runtime/machines.ts';
import { Cluster, writerOf } from './kit.ts';

const flow = oneStep(ask, 'asks');

test('one process owns everything at once', async () => {
  const cluster = new Cluster();
  const only = await cluster.open({ workflows: [flow] });
  expect(await cluster.shareOf(only)).toBe(64);
  const run = await only.spawn(flow, { key: 'a', input: { q: 'x' } });
  expect(await cluster.while(run.result())).toBe('yes');
  expect(await cluster.types(run.id)).not.toContain('StepAttemptStarted');
});

test('a process that joins gets its share, and gives it back when it stops', async () => {
  const cluster = new Cluster();
  const first = await cluster.open();
  const second = await cluster.open();
  const third = await cluster.open();
  await cluster.pass(5_000);
  const shares = await Promise.all([first, second, third].map((ecl) => cluster.shareOf(ecl)));
  expect(shares.toSorted((left, right) => left - right)).toEqual([21, 21, 22]);
  await cluster.stop(second);
  await cluster.settle();
  expect(await cluster.shareOf(first)).toBe(32);
  expect(await cluster.shareOf(third)).toBe(32);
});

test('a process that dies is replaced within 10 s, and what it was doing is done', async () => {
  let answers = 0;
  const cluster = new Cluster(() => {
    answers += 1;
    return answers === 1 ? new Promise(() => {}) : 'second';
  });
  const dying = await cluster.open({ workflows: [flow] });
  const other = await cluster.open({ workflows: [flow] });
  await cluster.pass(5_000);
  const [key] = await cluster.keysOf(dying, 'asks', 1);
  const run = await dying.spawn(flow, { key: key!, input: { q: 'x' } });
  await cluster.settle();
  cluster.kill(dying);
  const watched = await other.get(run.id);
  expect(await cluster.while(watched.result(), 10_000)).toBe('second');
  expect(await cluster.shareOf(other)).toBe(64);
  expect(await cluster.writersOf(run.id, 'StepAttemptStarted')).toEqual([writerOf(other)]);
  expect(await cluster.writersOf(run.id, 'StepSucceeded')).toEqual([writerOf(other)]);
});

test('a run that is started through any process is executed by the owner of its partition', async () => {
  const cluster = new Cluster();
  const owner = await cluster.open({ workflows: [flow] });
  const other = await cluster.open({ workflows: [flow] });
  await cluster.pass(5_000);
  for (const key of await cluster.keysOf(owner, 'asks', 3)) {
    const run = await other.spawn(flow, { key, input: { q: key } });
    expect(await cluster.while(run.result(), 2_000)).toBe('yes');
    expect(await cluster.writersOf(run.id, 'RunStarted')).toEqual([writerOf(other)]);
    expect(await cluster.writersOf(run.id, 'StepSucceeded')).toEqual([writerOf(owner)]);
  }
  expect(cluster.model.asked).toHaveLength(3);
});

test('signals and cancellations through any process reach a run and everybody who waits for it', async () => {
  const cluster = new Cluster();
  const one = await cluster.open({ workflows: [notes] });
  const other = await cluster.open({ workflows: [notes] });
  await cluster.pass(5_000);
  const [key, second] = await cluster.keysOf(one, 'notes', 2);
  const run = await one.spawn(notes as never, { key: key! });
  const there = await other.get(run.id);
  const seen: unknown[] = [];
  run.subscribe((snapshot) => seen.push(snapshot.value));
  await there.send({ type: 'lock' });
  await there.send({ type: 'unlock' });
  await cluster.settle();
  expect(seen).toEqual(['locked', 'open']);
  const result = there.result();
  await run.send({ type: 'note', what: 1 });
  await there.send({ type: 'note', what: 2 });
  await run.send({ type: 'end' });
  expect(await cluster.while(result, 2_000)).toEqual([1, 2]);
  const cancelled = await other.spawn(notes as never, { key: second! });
  const waiting = (await one.get(cancelled.id)).result();
  await cancelled.cancel('no need');
  await expect(cluster.while(waiting, 2_000)).rejects.toThrow('no need');
});

test('a timer fires once, whoever owns it when it is due', async () => {
  const cluster = new Cluster();
  const flowWithTimer = waits(20_000);
  const dying = await cluster.open({ workflows: [flowWithTimer] });
  const other = await cluster.open({ workflows: [flowWithTimer], aheadMs: 500 });
  await cluster.pass(5_000);
  const keys = [
    ...(await cluster.keysOf(dying, 'waits', 2)),
    ...(await cluster.keysOf(other, 'waits', 2)),
  ];
  const runs = await Promise.all(
    keys.map((key) => other.spawn(flowWithTimer as never, { key, fresh: false })),
  );
  await cluster.pass(15_000);
  cluster.kill(dying);
  for (const run of runs) {
    expect(await cluster.while(run.result())).toBe('woke');
    expect(await cluster.writersOf(run.id, 'TimerFired')).toHaveLength(1);
  }
});

test('a run rests for whoever watches it, with its children in the hands of another process', async () => {
  const cluster = new Cluster();
  const flowWithChild = parentOf(notes, 'family');
  const owner = await cluster.open({ workflows: [flowWithChild] });
  const other = await cluster.open({ workflows: [flowWithChild], leaveWork: true });
  const run = await other.spawn(flowWithChild as never, { key: 'a' });
  const rested = await cluster.while(run.rest(), 5_000);
  expect(rested.id).toBe(run.id);
  const child = await other.get(`${run.id}~1`);
  expect((await child.document()).status).toBe('waiting');
  await child.send({ type: 'end' });
  await cluster.while(run.result(), 5_000);
  expect(await cluster.writersOf(run.id, 'ChildSpawned')).toEqual([writerOf(other)]);
  expect(await cluster.writersOf(`${run.id}~1`, 'RunStarted')).toEqual([writerOf(owner)]);
});

test('an execution under way is waited for before its partition is handed over', async () => {
  const answers: ((text: string) => void)[] = [];
  const cluster = new Cluster(() => new Promise((resolve) => answers.push(resolve)));
  const first = await cluster.open({ workflows: [flow] });
  const runs = await Promise.all(
    Array.from({ length: 40 }, (_, n) => first.spawn(flow, { key: `k${n}`, input: { q: `${n}` } })),
  );
  await cluster.settle();
  const second = await cluster.open({ workflows: [flow] });
  await cluster.pass(2_000);
  for (const answer of answers.splice(0)) answer('in time');
  for (const run of runs) expect(await cluster.while(run.result())).toBe('in time');
  expect(cluster.model.asked).toHaveLength(40);
  await cluster.pass(5_000);
  expect(await cluster.shareOf(second)).toBe(32);
});

test('a partition whose execution takes long stays where it is, and everything in it goes on', async () => {
  const answers: ((text: string) => void)[] = [];
  const cluster = new Cluster(() => new Promise((resolve) => answers.push(resolve)));
  const first = await cluster.open({ workflows: [flow] });
  const runs = await Promise.all(
    Array.from({ length: 200 }, (_, n) =>
      first.spawn(flow, { key: `k${n}`, input: { q: `${n}` } }),
    ),
  );
  await cluster.settle();
  const second = await cluster.open({ workflows: [flow] });
  await cluster.pass(20_000);
  expect(cluster.model.asked).toHaveLength(200);
  const late = await first.spawn(flow, { key: 'late', input: { q: 'late' } });
  await cluster.pass(7_000);
  for (const answer of answers.splice(0)) answer('done');
  for (const run of [...runs, late]) {
    expect(await cluster.while(run.result(), 90_000)).toBe('done');
  }
  expect(cluster.model.asked).toHaveLength(201);
  await cluster.pass(70_000, 1_000);
  expect(await cluster.shareOf(second)).toBe(32);
});

test('a process that is stopped hands over at once what is idle, and the rest when it is done', async () => {
  let answer: (text: string) => void = () => {};
  const cluster = new Cluster(
    () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  );
  const stopping = await cluster.open({ workflows: [flow, notes] });
  const other = await cluster.open({ workflows: [flow, notes] });
  await cluster.pass(5_000);
  const [key] = await cluster.keysOf(stopping, 'asks', 1);
  const run = await stopping.spawn(flow, { key: key!, input: { q: 'x' } });
  await cluster.settle();
  const stopped = stopping.close({ graceMs: 4_000 });
  await cluster.settle();
  expect(await cluster.shareOf(other)).toBe(63);
  answer('before the end');
  await cluster.while(stopped);
  await cluster.settle();
  expect(await cluster.shareOf(other)).toBe(64);
  expect(await cluster.while((await other.get(run.id)).result())).toBe('before the end');
  expect(cluster.model.asked).toHaveLength(1);
});

test('a guest works on what it is asked for, and leaves it to the first worker', async () => {
  const cluster = new Cluster();
  const left = await cluster.open({ workflows: [flow], leaveWork: true });
  const other = await left.spawn(flow, { key: 'other', input: { q: 'other' } });
  const guest = await cluster.open({ workflows: [flow], recover: false });
  const run = await guest.spawn(flow, { key: 'mine', input: { q: 'mine' } });
  expect(await cluster.while(run.result())).toBe('yes');
  expect(cluster.model.asked).toEqual(['mine']);
  expect(await cluster.shareOf(guest)).toBe(1);
  const worker = await cluster.open({ workflows: [flow] });
  expect(await cluster.while(other.result(), 5_000)).toBe('yes');
  await cluster.pass(2_000);
  expect(await cluster.shareOf(worker)).toBe(64);
  const further = await guest.spawn(flow, { key: 'further', input: { q: 'further' } });
  expect(await cluster.while(further.result(), 2_000)).toBe('yes');
  expect(await cluster.writersOf(further.id, 'StepSucceeded')).toEqual([writerOf(worker)]);
});

test('two processes that signal a run at the same moment are both heard, once each', async () => {
  const cluster = new Cluster();
  const one = await cluster.open({ workflows: [notes] });
  const other = await cluster.open({ workflows: [notes] });
  await cluster.pass(3_000);
  const run = await one.spawn(notes as never, { key: 'a' });
  const there = await other.get(run.id);
  const rounds = 200;
  for (let n = 0; n < rounds; n += 1) {
    await Promise.all([
      run.send({ type: 'note', what: `one ${n}` }),
      there.send({ type: 'note', what: `other ${n}` }),
    ]);
  }
  await there.send({ type: 'end' });
  const noted = (await cluster.while(run.result())) as string[];
  expect(noted).toHaveLength(2 * rounds);
  expect(new Set(noted).size).toBe(2 * rounds);
  const signals = (await cluster.types(run.id)).filter((type) => type === 'SignalReceived');
  expect(signals).toHaveLength(2 * rounds + 1);
});
