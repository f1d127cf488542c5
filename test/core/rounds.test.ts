import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  afterReview,
  extendRounds,
  isExtension,
  nextRound,
  roundsExtensionMax,
  splitRound,
  startRounds,
  Verdict,
  withDraft,
  withRound,
  withVerdict,
  type RoundsState,
} from '../../src/core/rounds.ts';

const revise: Verdict = { decision: 'revise', feedback: 'shorter' };
const pass: Verdict = { decision: 'pass', feedback: 'good' };
const reject: Verdict = { decision: 'reject', feedback: 'never' };

/** Drafts until the reviews end it; returns what was drafted and how it ended. */
const play = (max: number, verdicts: readonly Verdict[]) => {
  let state: RoundsState<string> = startRounds(max);
  let drafts = 0;
  for (const verdict of verdicts) {
    drafts += 1;
    state = withVerdict(withDraft(state, `draft ${drafts}`), verdict);
    const next = afterReview(state, verdict);
    if (next !== 'revise') return { drafts, state, next };
    state = nextRound(state);
  }
  return { drafts, state, next: 'revise' };
};

describe('the bound', () => {
  test('of three is three drafts and three reviews', () => {
    expect(play(3, [revise, revise, revise, revise])).toMatchObject({
      drafts: 3,
      next: 'exhausted',
    });
  });

  test('of one is one draft and one review', () => {
    expect(play(1, [revise])).toMatchObject({ drafts: 1, next: 'exhausted' });
    expect(play(1, [pass])).toMatchObject({ drafts: 1, next: 'accepted' });
  });

  test('is never passed, whatever the reviews say', () => {
    const verdict = fc.constantFrom(revise, pass, reject);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(verdict, { maxLength: 40 }),
        (max, all) => {
          expect(play(max, all).drafts).toBeLessThanOrEqual(max);
        },
      ),
    );
  });

  test('is moved by an extension from where it stands', () => {
    const { state } = play(2, [revise, revise]);
    const more = nextRound(extendRounds(state, 2));
    expect(more).toMatchObject({ round: 3, max: 4 });
    expect(afterReview(more, revise)).toBe('revise');
    expect(afterReview(nextRound(more), revise)).toBe('exhausted');
  });
});

describe('at the end', () => {
  test('the last draft and all feedback are there', () => {
    expect(play(2, [revise, { ...revise, feedback: 'clearer' }]).state).toMatchObject({
      draft: 'draft 2',
      feedback: ['shorter', 'clearer'],
      verdict: { feedback: 'clearer' },
    });
  });

  test('praise is no feedback', () => {
    expect(play(2, [revise, pass]).state.feedback).toEqual(['shorter']);
  });

  test('a rejection ends it at once', () => {
    expect(play(5, [reject])).toMatchObject({ drafts: 1, next: 'rejected' });
  });
});

test.each([
  [1, true],
  [roundsExtensionMax, true],
  [roundsExtensionMax + 1, false],
  [0, false],
  [-1, false],
  [1.5, false],
  [Number.NaN, false],
  ['2', false],
  [undefined, false],
])('%s more rounds: allowed is %s', (rounds, allowed) => {
  expect(isExtension(rounds)).toBe(allowed);
});

describe('the round of an invocation', () => {
  test('travels with its input', () => {
    const revision = { round: 2, previous: 'draft', feedback: 'shorter' };
    expect(splitRound(withRound({ topic: 'sea' }, revision))).toEqual({
      input: { topic: 'sea' },
      revision,
    });
  });

  test('is the first where the input says nothing', () => {
    for (const input of [undefined, null, 'text', { topic: 'sea' }]) {
      expect(splitRound(input)).toEqual({ input, revision: { round: 1 } });
    }
  });
});

test('a verdict is one of three decisions, with feedback', () => {
  expect(Verdict.safeParse({ decision: 'maybe', feedback: '' }).success).toBe(false);
  expect(Verdict.safeParse({ decision: 'pass' }).success).toBe(false);
  expect(Verdict.parse(pass)).toEqual(pass);
});
