import { array, assert, nat, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runTimeline } from '../../projections/index.ts';
import { journalEventTypes } from '../../src/core/journal-events.ts';
import type { TimelineEntry } from '../../src/ports/status-queries.ts';
import { projectedEvent } from '../../src/runtime/projected-event.ts';
import { RandomRun } from './random-run.ts';
import {
  at,
  event,
  foldAll,
  inState,
  pick,
  projected,
  scheduled,
  started,
  startedAt,
  succeeded,
  timelineOf,
  type Written,
} from './timeline-kit.ts';

const error = { code: 'model.timeout', message: 'no answer' };
const reply = (invocation: string, usd: number | undefined, latencyMs = 500): Written =>
  event('ModelReplied', {
    invocation,
    attempt: 1,
    call: 1,
    request: '',
    model: 'claude',
    text: 'a long text',
    stopReason: 'end',
    usage: { inputTokens: 100, outputTokens: 20, cacheReadTokens: 7, cacheWriteTokens: 3 },
    cost: usd === undefined ? { unknown: 'no price' } : { usd },
    latencyMs,
  });

describe('a step on a timeline', () => {
  test('lasts from its scheduling to its end, and names the fact that led to it', () => {
    const entries = timelineOf(
      started,
      inState('draft'),
      scheduled('draft#1'),
      succeeded('draft#1'),
    );
    expect(entries.filter(({ kind }) => kind === 'step')).toEqual([
      {
        revision: 2,
        kind: 'step',
        name: 'draft',
        invocation: 'draft#1',
        startedAt: at(2),
        endedAt: at(3),
        durationMs: 1_000,
        outcome: 'done',
        attempts: 1,
        causedBy: 0,
        endedBy: 3,
        writer: 'p1',
      },
    ]);
  });

  test('has a round; its review has that round too, and says its verdict', () => {
    const said = { decision: 'revise' as const, feedback: 'Too short.' };
    const entries = timelineOf(
      started,
      scheduled('draft#1', 1),
      succeeded('draft#1'),
      scheduled('review#2'),
      succeeded('review#2', said),
      scheduled('draft#3', 2),
      succeeded('draft#3'),
      scheduled('review#4'),
      succeeded('review#4', { ...said, decision: 'pass', issues: [] }),
    );
    expect(pick(entries, 'step', 'name', 'round', 'causedBy')).toEqual([
      ['draft', 1, 0],
      ['review', 1, 2],
      ['draft', 2, 4],
      ['review', 2, 6],
    ]);
    expect(pick(entries, 'verdict', 'revision', 'name', 'round', 'verdict', 'causedBy')).toEqual([
      [4, 'review', 1, said, 3],
      [8, 'review', 2, { ...said, decision: 'pass' }, 7],
    ]);
  });

  test('shows each attempt with its failure, and when the next one is due', () => {
    const failed = event('StepAttemptFailed', {
      invocation: 'draft#1',
      attempt: 1,
      error,
      retryAt: startedAt + 9_000,
      replies: 'kept',
    });
    const again = event('StepAttemptStarted', { invocation: 'draft#1', attempt: 2 });
    const waiting = timelineOf(started, scheduled('draft#1'), failed);
    expect(pick(waiting, 'step', 'outcome', 'dueAt', 'error', 'endedAt')).toEqual([
      ['retrying', at(9), error, undefined],
    ]);
    const running = timelineOf(started, scheduled('draft#1'), failed, again);
    expect(pick(running, 'step', 'outcome', 'dueAt', 'attempts')).toEqual([
      ['running', undefined, 2],
    ]);
    const done = timelineOf(
      started,
      scheduled('draft#1'),
      failed,
      again,
      succeeded('draft#1', {}, 2),
    );
    expect(pick(done, 'attempt', 'attempt', 'outcome', 'error', 'startedAt', 'endedAt')).toEqual([
      [1, 'failed', error, at(1), at(2)],
      [2, 'done', undefined, at(3), at(4)],
    ]);
    expect(pick(done, 'step', 'outcome', 'attempts', 'error')).toEqual([['done', 2, undefined]]);
  });

  test('that another process takes up again shows the attempt that was lost', () => {
    const start = (writer: string): Written =>
      event('StepAttemptStarted', { invocation: 'draft#1', attempt: 1 }, writer);
    const entries = timelineOf(
      started,
      scheduled('draft#1'),
      start('p1'),
      start('p2'),
      start('p2'),
      succeeded('draft#1'),
    );
    expect(pick(entries, 'attempt', 'outcome', 'writer')).toEqual([
      ['interrupted', 'p1'],
      ['interrupted', 'p2'],
      ['done', 'p2'],
    ]);
  });

  test.each([
    ['failed', event('StepFailed', { invocation: 'draft#1', attempt: 1, error })],
    ['interrupted', event('StepInterrupted', { invocation: 'draft#1', attempt: 1 })],
    ['cancelled', event('StepCancelled', { invocation: 'draft#1' })],
    ['cancelled', event('RunCancelled', { reason: 'enough' })],
  ])('ends as %s', (outcome, end) => {
    const entries = timelineOf(started, scheduled('draft#1'), end);
    for (const kind of ['step', 'attempt'] as const) {
      expect(pick(entries, kind, 'outcome', 'endedAt')).toEqual([[outcome, at(2)]]);
    }
  });

  test('adds up its model calls, and an unknown cost is not counted as none', () => {
    const entries = timelineOf(
      started,
      scheduled('draft#1'),
      reply('draft#1', 0.25),
      reply('draft#1', undefined),
      succeeded('draft#1'),
    );
    const usage = { calls: 2, inputTokens: 220, outputTokens: 40, usd: 0.25, unpriced: 1 };
    expect(pick(entries, 'step', 'usage')).toEqual([[usage]]);
    expect(pick(entries, 'model-call', 'name', 'startedAt', 'durationMs', 'causedBy')).toEqual([
      ['claude', at(1.5), 500, 1],
      ['claude', at(2.5), 500, 1],
    ]);
  });

  test('keeps its artifacts and values, without their contents', () => {
    const sha256 = 'a'.repeat(64);
    const entries = timelineOf(
      started,
      scheduled('write#1'),
      event('ValueRecorded', { invocation: 'write#1', name: 'id', value: 'secret' }),
      event('ArtifactStored', {
        invocation: 'write#1',
        name: 'a.md',
        sha256,
        bytes: 9,
        mediaType: 'text/markdown',
      }),
    );
    expect(pick(entries, 'value', 'name', 'causedBy', 'invocation')).toEqual([
      ['id', 1, 'write#1'],
    ]);
    expect(pick(entries, 'artifact', 'name', 'bytes', 'sha256')).toEqual([['a.md', 9, sha256]]);
    expect(JSON.stringify(entries)).not.toContain('secret');
  });
});

describe('a state on a timeline', () => {
  test('waits where nothing but an event from outside moves it, and says which event ended that', () => {
    const entries = timelineOf(
      started,
      inState('asking', ['approved', 'rejected']),
      event('SignalReceived', { id: 's', event: { type: 'approved' }, from: 'other.b' }),
      inState('done'),
    );
    expect(pick(entries, 'wait', 'name', 'events', 'outcome', 'durationMs')).toEqual([
      ['asking', ['approved', 'rejected'], 'left', 2_000],
    ]);
    expect(pick(entries, 'signal', 'name', 'from')).toEqual([['approved', 'other.b']]);
    expect(pick(entries, 'state', 'name', 'causedBy')).toEqual([['done', 2]]);
  });

  test('still waits while it is looked at', () => {
    const [, wait] = timelineOf(started, inState('asking', ['approved']));
    expect(wait).toMatchObject({ kind: 'wait', outcome: 'waiting' });
    expect(wait).not.toHaveProperty('endedAt');
  });

  test('does not wait while a step or a child is under way, though it takes events', () => {
    const child = event('ChildSpawned', {
      run: 'flow.a~1',
      actor: 'kid',
      source: 'kid',
      workflow: 'kid',
    });
    for (const work of [scheduled('draft#1'), child]) {
      const entries = timelineOf(started, inState('working', ['stop']), work, inState('idle'));
      expect(pick(entries, 'wait', 'name')).toEqual([]);
      expect(pick(entries, 'state', 'name')).toEqual([['working'], ['idle']]);
    }
  });

  test('is named by all the states that it is made of', () => {
    const nested = { left: { busy: {} }, right: 'done' } as never;
    const entries = timelineOf(started, inState(nested), inState({ a: { b: 'c' } } as never));
    expect(pick(entries, 'state', 'name')).toEqual([['{left.busy, right.done}'], ['a.b.c']]);
  });
});

describe('whatever else happens', () => {
  test('timers last until they fire, are cancelled or set anew', () => {
    const set = (id: string, seconds: number): Written =>
      event('TimerSet', { id, dueAt: startedAt + seconds * 1_000, event: { type: 'late' } });
    const entries = timelineOf(
      started,
      set('t1', 5),
      set('t2', 6),
      set('t3', 7),
      event('TimerFired', { id: 't1' }),
      event('TimerCancelled', { id: 't2' }),
      set('t3', 30),
    );
    expect(pick(entries, 'timer', 'dueAt', 'outcome', 'durationMs')).toEqual([
      [at(5), 'fired', 3_000],
      [at(6), 'cancelled', 3_000],
      [at(7), 'cancelled', 3_000],
      [at(30), 'running', undefined],
    ]);
  });

  test('children and events to other runs last until they end, beyond the end of the run', () => {
    const entries = timelineOf(
      started,
      event('ChildSpawned', { run: 'flow.a~1', actor: 'k', source: 'k', workflow: 'kid' }),
      event('SignalSent', { id: 'o', to: 'flow.a~1', event: { type: 'hello' } }),
      event('RunCompleted', {}),
      event('SignalDelivered', { id: 'o' }),
      event('ChildFailed', { run: 'flow.a~1', error }),
    );
    expect(pick(entries, 'child', 'name', 'to', 'outcome', 'error', 'endedBy')).toEqual([
      ['kid', 'flow.a~1', 'failed', error, 5],
    ]);
    expect(pick(entries, 'sent', 'name', 'to', 'outcome')).toEqual([
      ['hello', 'flow.a~1', 'delivered'],
    ]);
    expect(pick(entries, 'run', 'outcome', 'durationMs')).toEqual([['completed', 3_000]]);
  });

  test('a pause lasts until the run is resumed, and ends the attempt that led to it', () => {
    const entries = timelineOf(
      started,
      scheduled('draft#1'),
      event('RunPaused', { reason: 'no money', error, invocation: 'draft#1' }),
      event('RunResumed', { reason: 'paid' }),
    );
    expect(pick(entries, 'paused', 'reason', 'error', 'outcome', 'durationMs')).toEqual([
      ['no money', error, 'resumed', 1_000],
    ]);
    expect(pick(entries, 'resumed', 'reason')).toEqual([['paid']]);
    expect(pick(entries, 'attempt', 'outcome', 'error')).toEqual([['failed', error]]);
    expect(pick(entries, 'step', 'outcome')).toEqual([['paused']]);
  });

  test('a pause that a second step asks for lasts as long as the first, and both end with the resume', () => {
    const paused = (invocation: string): Written =>
      event('RunPaused', { reason: 'no money', error, invocation });
    const facts = [started, scheduled('a#1'), scheduled('b#2'), paused('a#1'), paused('b#2')];
    const resumed = timelineOf(...facts, event('RunResumed', {}));
    expect(pick(resumed, 'paused', 'outcome', 'endedBy', 'durationMs')).toEqual([
      ['resumed', 5, 2_000],
      ['resumed', 5, 1_000],
    ]);
    const over = timelineOf(...facts, event('RunCancelled', { reason: 'enough' }));
    expect(pick(over, 'paused', 'outcome', 'endedBy')).toEqual([
      ['left', 5],
      ['left', 5],
    ]);
  });

  test('texts are cut, and a field that lies outside the journal is named as such', () => {
    const entries = timelineOf(started, event('RunPaused', { reason: 'x'.repeat(5_000) }), {
      type: 'RunFailed',
      data: { error: { '$ecl.blob': { sha256: 'a', bytes: 1 } } },
    });
    expect(String(entries.find(({ kind }) => kind === 'paused')?.reason)).toHaveLength(300);
    expect(pick(entries, 'run', 'error')).toEqual([
      [{ code: '', message: 'too long to show here' }],
    ]);
  });

  test('no type of event is left out', () => {
    const types = new Set(journalEventTypes);
    const data = {
      invocation: 'draft#1',
      id: 'x',
      run: 'flow.a~1',
      event: { type: 'go' },
      to: 'flow.b',
      reason: 'r',
      error,
      cost: { usd: 1 },
      latencyMs: 1,
      name: 'n',
      attempt: 1,
      dueAt: 1,
      retryAt: 1,
      workflow: 'w',
      version: '1',
      actor: 'a',
    };
    const log: string[] = [];
    for (const type of types) {
      const { rows } = foldAll(projected('flow.a', [started, { type, data }]));
      const [row] = rows.query();
      expect(JSON.stringify(runTimeline.fromBody(row!.body).context)).toBe(row!.body);
      log.push(JSON.parse(row!.body).marks[1].type);
    }
    expect(log).toEqual([...types]);
  });
});

describe('a long timeline', () => {
  const steps = (count: number): Written[] =>
    Array.from({ length: count }, (_, n) => [
      inState(`s${n}`),
      scheduled(`work#${n}`, n + 1),
      reply(`work#${n}`, 0.5),
      succeeded(`work#${n}`),
    ]).flat();

  test('stands in rows of 64 events, so that no event costs more than those before it', () => {
    const { rows } = foldAll(projected('flow.a', [started, ...steps(1_000)]));
    const all = rows.query();
    expect(all).toHaveLength(Math.ceil(4_001 / 64));
    expect(Math.max(...all.map(({ body }) => body.length))).toBeLessThan(16_000);
  });

  test('is read in pages that are the whole, whatever their size', () => {
    const written = [started, ...steps(100), event('RunCompleted', {})];
    const { queries } = foldAll(projected('flow.a', written));
    const whole = queries.timeline('flow.a', { limit: 1_000 }).items;
    expect(whole).toHaveLength(1 + 4 * 100);
    for (const limit of [1, 2, 7, 50, 333]) {
      const seen: TimelineEntry[] = [];
      for (let cursor: string | undefined; ;) {
        const page = queries.timeline('flow.a', {
          limit,
          ...(cursor === undefined ? {} : { cursor }),
        });
        seen.push(...page.items);
        cursor = page.nextCursor;
        if (cursor === undefined) break;
      }
      expect(seen).toEqual(whole);
    }
  });

  test('does not mix runs whose ids begin alike', () => {
    const events = ['flow.a', 'flow.a1', 'flow.a~1', 'flow.a-b'].flatMap((run) =>
      projected(run, [started, ...steps(20)]),
    );
    const ordered = events.map((each, n) => ({ ...each, position: BigInt(n + 1) }));
    const { queries } = foldAll(ordered);
    const { items } = queries.timeline('flow.a', { limit: 1_000 });
    expect(items).toHaveLength(1 + 4 * 20);
  });

  test('a cursor that is none is refused', () => {
    const { queries } = foldAll([]);
    for (const cursor of ['x', '', 'bm90aGluZw', '%%%']) {
      expect(() => queries.timeline('flow.a', { cursor })).toThrow(
        expect.objectContaining({ code: 'usage.invalid' }),
      );
    }
  });
});

test('of any run that can happen, every beginning has its cause before it and its end after it, and rows read back are the same', () => {
  const choices = array(record({ kind: nat(11), pick: nat(100_000) }), {
    maxLength: 120,
  });
  assert(
    property(choices, (made) => {
      const run = new RandomRun();
      for (const choice of made) run.next(choice);
      const events = run.events.map((each) => projectedEvent(each)!);
      const { queries, rows } = foldAll(events);
      for (const { body } of rows.query()) {
        expect(JSON.stringify(runTimeline.fromBody(body).context)).toBe(body);
      }
      const { items } = queries.timeline(run.id, { limit: 1_000 });
      const revisions = items.map(({ revision }) => revision);
      expect(revisions).toEqual(revisions.toSorted((one, other) => one - other));
      for (const { revision, causedBy, endedBy, durationMs = 0 } of items) {
        expect(causedBy ?? -1).toBeLessThan(revision);
        expect(endedBy ?? Infinity).toBeGreaterThan(revision);
        expect(durationMs).toBeGreaterThanOrEqual(0);
      }
      const open = items.filter(({ kind, endedAt }) => kind === 'step' && endedAt === undefined);
      const isOver = run.state.ending !== undefined || run.state.quarantine !== undefined;
      const holds = items.filter(({ kind, endedAt }) => kind === 'paused' && endedAt === undefined);
      if (run.state.quarantine === undefined) {
        expect(holds.length > 0).toBe(run.state.pause !== undefined);
      }
      if (!isOver) {
        expect(open.map(({ invocation }) => invocation)).toEqual([...run.state.steps.keys()]);
      }
    }),
    { numRuns: 200 },
  );
});
