/**
 * Appends to several streams at once, with checks on these and on others: all or none.
 *
 * 1. Checks are looked at before the append and, as far as the store can, again by the store together with it.
 * 2. A retry of what succeeded succeeds, wherever the checked streams are by then.
 * 3. Events of one stream stand together in `$all`, the stream of the last record last.
 */
import { CheckFailed, EclError, WrongExpectedRevision } from '../core/errors.ts';
import type {
  Append,
  AppendResult,
  EventData,
  ExpectedRevision,
  StreamCheck,
} from '../ports/event-store.ts';
import { isJournal, refuseTruncation } from './journal-guard.ts';
import { findRepetition } from './repetition.ts';
import { baseStreamOf, describedStream, isDeleted, withTruncateBefore } from './stream-metadata.ts';
import type { LockMode } from './stream-locks.ts';
import { isOpen, type StreamState } from './stream-states.ts';
import { gone, type StreamAppend, type StreamWriter } from './stream-writer.ts';

/** What a checked stream is to be: at a revision, or one of the states below. */
export type CheckedState = number | 'no-stream' | 'stream-exists' | 'deleted' | 'tombstoned';

export interface Check {
  readonly stream: string;
  readonly expected: CheckedState;
}

/** What a stream was found to be. */
export type ActualState = number | 'no-stream' | 'deleted' | 'tombstoned';

export interface Violation {
  /** Of the check; what is written without one counts on behind the last. */
  readonly index: number;
  readonly stream: string;
  readonly expected: CheckedState | 'any';
  readonly actual: ActualState;
}

/** Every check that did not hold. */
export class ChecksViolated extends Error {
  readonly isExpected = true;
  override readonly name = 'ChecksViolated';
  readonly violations: readonly Violation[];

  constructor(violations: readonly Violation[]) {
    super('checks do not hold');
    this.violations = violations;
  }
}

export interface ManyAppended {
  /** In the order of the appends that were given. */
  readonly revisions: readonly { readonly stream: string; readonly revision: number }[];
  readonly position: bigint;
}

/** How often an append that met a moving stream is looked at again. */
const triesMax = 20;

interface Found {
  readonly state: StreamState;
  readonly last: number;
  readonly actual: ActualState;
}

type Find = (stream: string) => Promise<Found>;

const holds = (expected: CheckedState, { last, actual }: Found): boolean => {
  if (expected === 'no-stream') return typeof actual !== 'number';
  if (expected === 'stream-exists') return typeof actual === 'number';
  if (typeof expected === 'number') return actual !== 'tombstoned' && last === expected;
  return actual === expected;
};

/** What a failed check reports: the last revision where that was asked for, also of a deleted stream. */
const reported = (expected: CheckedState, { last, actual }: Found): ActualState =>
  actual === 'deleted' && (typeof expected === 'number' || expected === 'tombstoned')
    ? last
    : actual;

export class ManyWriter {
  readonly #writer: StreamWriter;

  constructor(writer: StreamWriter) {
    this.#writer = writer;
  }

  /**
   * Each stream with its own expectation; nothing is reported but the first that is not met.
   * @throws WrongExpectedRevision, EclError `store.stream-deleted`, `store.journal-refused`
   */
  appendSession(appends: readonly StreamAppend[]): Promise<ManyAppended> {
    return this.#writer.locks.holding(this.#locks(appends, []), async () => {
      const find = this.#finder();
      for (const { stream, expected } of appends) {
        const { actual } = await find(stream);
        if (actual === 'tombstoned') throw gone(stream);
        if (actual === 'deleted' && expected === 'stream-exists') throw gone(stream);
      }
      return this.#write(appends, [], find);
    });
  }

  /**
   * Streams without an expectation of their own take it from the check on them, if there is one.
   * @throws ChecksViolated, EclError `store.journal-refused`
   */
  appendChecked(appends: readonly StreamAppend[], checks: readonly Check[]): Promise<ManyAppended> {
    return this.#writer.locks.holding(this.#locks(appends, checks), async () => {
      for (let tries = 1; ; tries += 1) {
        try {
          return await this.#attempt(appends, checks);
        } catch (error) {
          const isRace = error instanceof CheckFailed || error instanceof WrongExpectedRevision;
          if (!isRace) throw error;
          // It met a stream that moved since it was looked at: what is violated by now is found in the next turn.
          if (tries >= triesMax) throw this.#violationOf(error, appends, checks);
          if (error instanceof WrongExpectedRevision && (await this.#holdAll(appends, checks))) {
            throw this.#violationOf(error, appends, checks);
          }
        }
      }
    });
  }

  async #attempt(
    appends: readonly StreamAppend[],
    checks: readonly Check[],
  ): Promise<ManyAppended> {
    const find = this.#finder();
    const violations = await this.#violations(appends, checks, find);
    const checked = new Map(checks.map(({ stream, expected }) => [stream, expected]));
    const expecting = appends.map((append) => ({
      ...append,
      expected: expectationOf(checked.get(append.stream)),
    }));
    if (violations.length > 0) {
      const repeated = await this.#repetition(expecting);
      if (repeated !== undefined) return repeated;
      throw new ChecksViolated(violations);
    }
    const written = new Set(appends.map(({ stream }) => stream));
    const others: StreamCheck[] = [];
    for (const { stream } of checks) {
      if (written.has(stream)) continue;
      const { last } = await find(stream);
      if (last >= 0) others.push({ stream, revision: last });
    }
    return this.#write(expecting, others, find);
  }

  async #holdAll(appends: readonly StreamAppend[], checks: readonly Check[]): Promise<boolean> {
    return (await this.#violations(appends, checks, this.#finder())).length === 0;
  }

  #violationOf(
    error: EclError,
    appends: readonly StreamAppend[],
    checks: readonly Check[],
  ): ChecksViolated {
    const { stream, actual } = error.details as { stream: string; actual: number | 'no-stream' };
    const checked = checks.findIndex((check) => check.stream === stream);
    const unchecked = appends.filter(
      (append) => !checks.some((one) => one.stream === append.stream),
    );
    const place = unchecked.findIndex((append) => append.stream === stream);
    const index = checked >= 0 ? checked : checks.length + Math.max(place, 0);
    const expected = checks[checked]?.expected ?? 'any';
    return new ChecksViolated([{ index, stream, expected, actual }]);
  }

  async #violations(
    appends: readonly StreamAppend[],
    checks: readonly Check[],
    find: Find,
  ): Promise<Violation[]> {
    const violations: Violation[] = [];
    const written = new Set(appends.map(({ stream }) => stream));
    for (const [index, { stream, expected }] of checks.entries()) {
      const found = await find(stream);
      const isEnded = written.has(stream) && found.actual === 'tombstoned';
      if (holds(expected, found) && !isEnded) continue;
      violations.push({ index, stream, expected, actual: reported(expected, found) });
    }
    const checked = new Set(checks.map(({ stream }) => stream));
    let index = checks.length;
    for (const { stream } of appends) {
      if (checked.has(stream)) continue;
      const { actual } = await find(stream);
      if (actual === 'tombstoned') violations.push({ index, stream, expected: 'any', actual });
      index += 1;
    }
    return violations;
  }

  async #repetition(appends: readonly StreamAppend[]): Promise<ManyAppended | undefined> {
    const results: AppendResult[] = [];
    for (const { stream, expected, events } of appends) {
      const ids = events.map(({ id }) => id);
      const repeated = await findRepetition(this.#writer.store, stream, expected, ids).catch(
        (error: unknown) => {
          if (error instanceof WrongExpectedRevision) return undefined;
          throw error;
        },
      );
      if (repeated === undefined) return undefined;
      results.push(repeated);
    }
    return answer(appends, results);
  }

  async #write(
    appends: readonly StreamAppend[],
    checks: readonly StreamCheck[],
    find: Find,
  ): Promise<ManyAppended> {
    const revivals = await this.#repeatedRevivals(appends, find);
    if (revivals !== undefined) return revivals;
    const planned: Append[] = [];
    const added: number[] = [];
    const shown: Append[] = [];
    for (const append of appends) {
      const { plan, more, revival } = await this.#plan(append, find);
      planned.push(plan);
      added.push(more);
      if (revival !== undefined) shown.push(revival);
    }
    const results = await this.#writer.store.appendAll([...planned, ...shown], { checks });
    for (const [index, { stream, events }] of planned.entries()) {
      const described = describedStream(stream);
      if (described !== undefined) this.#writer.states.forget(described);
      if (isJournal(stream)) {
        this.#writer.journals.appended(stream, results[index]!.revision, events);
      }
    }
    for (const { stream } of shown) this.#writer.states.forget(describedStream(stream)!);
    return answer(
      appends,
      appends.map((_, index) => {
        const { revision, position } = results[index]!;
        return { revision: revision - added[index]!, position };
      }),
    );
  }

  /** The first answers, where deleted streams are written and everything is there already. */
  async #repeatedRevivals(
    appends: readonly StreamAppend[],
    find: Find,
  ): Promise<ManyAppended | undefined> {
    for (const { stream } of appends) {
      if ((await find(stream)).actual === 'deleted') return this.#repetition(appends);
    }
    return undefined;
  }

  async #plan(
    append: StreamAppend,
    find: Find,
  ): Promise<{ readonly plan: Append; readonly more: number; readonly revival?: Append }> {
    const { stream, expected } = append;
    const described = describedStream(stream);
    if (described !== undefined) {
      refuseTruncation(baseStreamOf(stream), append.events);
      const { events, added } = await this.#writer.metadataEvents(append, described);
      return { plan: { stream, expectedRevision: expected, events }, more: added };
    }
    const events: EventData[] = this.#writer.stored(append);
    if (isJournal(stream)) {
      const expectedRevision = await this.#writer.journals.place(stream, expected, events);
      return { plan: { stream, expectedRevision, events }, more: 0 };
    }
    const { state, last, actual } = await find(stream);
    if (actual !== 'deleted')
      return { plan: { stream, expectedRevision: expected, events }, more: 0 };
    const expectedRevision = typeof expected === 'number' ? expected : last;
    const text = withTruncateBefore(state.metadataText, last + 1);
    const revival = this.#writer.toMetadata(stream, state, [this.#writer.metadataEvent(text)]);
    return { plan: { stream, expectedRevision, events }, more: 0, revival };
  }

  /** Looks at each stream once. */
  #finder(): Find {
    const found = new Map<string, Promise<Found>>();
    return (stream) => {
      let looking = found.get(stream);
      if (looking === undefined) found.set(stream, (looking = this.#find(stream)));
      return looking;
    };
  }

  async #find(stream: string): Promise<Found> {
    const state = await this.#writer.states.get(stream);
    const last = (await this.#writer.store.lastRevision(stream)) ?? -1;
    const isHidden = last >= 0 && isDeleted(state.metadata);
    const actual = state.isTombstoned
      ? 'tombstoned'
      : isHidden
        ? 'deleted'
        : last < 0
          ? 'no-stream'
          : last;
    return { state, last, actual };
  }

  /** Written streams are locked as a single append would; so are checked ones of which the store cannot be asked. */
  #locks(appends: readonly StreamAppend[], checks: readonly Check[]): Map<string, LockMode> {
    const wanted = new Map<string, LockMode>();
    const want = (stream: string, isShared: boolean): void => {
      const key = baseStreamOf(stream);
      if (!isShared || !wanted.has(key)) wanted.set(key, isShared ? 'shared' : 'exclusive');
    };
    for (const { stream } of appends) {
      const state = this.#writer.states.known(stream);
      const isPlain = describedStream(stream) === undefined && !isJournal(stream);
      want(stream, isPlain && state !== undefined && isOpen(state));
    }
    for (const { stream, expected } of checks) want(stream, typeof expected === 'number');
    return wanted;
  }
}

const expectationOf = (checked: CheckedState | undefined): ExpectedRevision =>
  checked === undefined || checked === 'deleted' || checked === 'tombstoned' ? 'any' : checked;

const answer = (
  appends: readonly StreamAppend[],
  results: readonly AppendResult[],
): ManyAppended => ({
  revisions: appends.map(({ stream }, index) => ({ stream, revision: results[index]!.revision })),
  position: results.at(-1)!.position,
});
