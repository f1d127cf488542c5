import { describe, expect, it } from 'vitest';
import { gate, rounds, serial, step, verdict } from 'ecl';
import { z } from 'zod';
import { drafting, Text, upper } from './kit.ts';

const { draft, review } = drafting(['pass']);
const about = { id: 'chain', version: '1.0.0' };
const rated = step({
  name: 'rated',
  input: z.object({ text: z.string(), stars: z.number() }),
  output: Text,
  execute: ({ input }) => input,
});

describe('a chain that does not hold together is refused where it is written', () => {
  it('without a step', () => {
    expect(() => serial({ ...about, steps: [] })).toThrow(
      'serial "chain": the first place is a step',
    );
  });

  it('with a gate or rounds before any step', () => {
    expect(() => serial({ ...about, steps: [gate({ name: 'approval' }), draft] })).toThrow(
      'the first place is a step',
    );
    expect(() => serial({ ...about, steps: [rounds({ review, of: draft })] })).toThrow(
      'rounds({ of: draft }) stands right after the step draft',
    );
  });

  it('with rounds away from their step, or of another step of that name, or twice', () => {
    const reason = 'rounds({ of: draft }) stands right after the step draft';
    const own = rounds({ review, of: draft });
    const other = drafting(['pass']);
    expect(() => serial({ ...about, steps: [draft, upper, own] })).toThrow(reason);
    expect(() => serial({ ...about, steps: [other.draft, own] })).toThrow(reason);
    expect(() => serial({ ...about, steps: [draft, own, own] })).toThrow(reason);
    expect(() => serial({ ...about, steps: [draft, gate({ name: 'a' }), own] })).toThrow(reason);
  });

  it('with something that is none of the three', () => {
    const junk = { ...about, steps: [draft, undefined, upper] };
    expect(() => serial(junk as never)).toThrow(
      'item 2 is neither a step() nor a rounds() nor a gate()',
    );
    expect(() => serial({ ...about, steps: [draft, { kind: 'door' }] as never })).toThrow('item 2');
  });

  it('with one name for two things', () => {
    const other = drafting(['pass'], { review: 'other' });
    const reason = (name: string): string => `two of its parts are named "${name}"`;
    const approval = gate({ name: 'approval' });
    const again = step({ name: 'draft', input: Text, execute: () => 1 });
    expect(() => serial({ ...about, steps: [draft, upper, { ...upper, name: 'draft' }] })).toThrow(
      reason('draft'),
    );
    expect(() =>
      serial({
        ...about,
        steps: [other.draft, rounds({ review: other.review, of: other.draft }), again],
      }),
    ).toThrow(reason('draft'));
    expect(() => serial({ ...about, steps: [draft, approval, upper, approval] })).toThrow(
      reason('approval'),
    );
    expect(() => serial({ ...about, steps: [draft, gate({ name: 'draft' })] })).toThrow(
      reason('draft'),
    );
  });

  it('with a neighbour that lacks what the next one takes', () => {
    expect(() =>
      serial({
        ...about,
        // @ts-expect-error: `rated` takes stars too
        steps: [draft, rated],
      }),
    ).toThrow('"rated" cannot take what "draft" gives: it lacks "stars"');
  });

  it('with a neighbour of another type, at the top or deep inside', () => {
    const takes = (name: string, input: z.ZodType) =>
      step({ name, input, output: Text, execute: () => ({ text: '' }) });
    const gives = (output: z.ZodType) =>
      step({ name: 'first', output, execute: () => undefined as unknown });
    const chain = (output: z.ZodType, input: z.ZodType) => () =>
      serial({ ...about, steps: [gives(output), takes('second', input)] });
    expect(chain(z.string(), z.object({}))).toThrow('it is of type string, not object');
    expect(
      chain(
        z.object({ pages: z.array(z.object({ text: z.string() })) }),
        z.object({ pages: z.array(z.object({ text: z.number() })) }),
      ),
    ).toThrow('it is of type string at pages[].text, not number');
    expect(chain(Text, z.strictObject({}))).toThrow('"text" is not taken');
    expect(chain(z.object({ a: z.number() }), z.object({ a: z.int() }))).not.toThrow();
    expect(chain(z.looseObject({}), z.object({ a: z.int() }))).not.toThrow();
    expect(chain(Text, z.object({ text: z.string(), more: z.string().optional() }))).not.toThrow();
    expect(chain(z.union([Text, z.string()]), z.number())).not.toThrow();
    expect(chain(z.unknown(), Text)).not.toThrow();
    expect(chain(z.object({ at: z.date() }), z.object({ at: z.string() }))).not.toThrow();
  });

  it('with a review that cannot take the draft', () => {
    const starReview = step({
      name: 'starReview',
      input: z.object({ stars: z.number() }),
      output: verdict(),
      execute: () => ({ decision: 'pass' as const, feedback: '' }),
    });
    expect(() =>
      serial({
        ...about,
        // @ts-expect-error: the review takes stars
        steps: [draft, rounds({ review: starReview, of: draft })],
      }),
    ).toThrow('"starReview" cannot take what "draft" gives: it lacks "stars"');
  });

  it('with an id or a name that no run or signal could have', () => {
    expect(() => serial({ ...about, id: 'My Chain', steps: [draft] })).toThrow('My Chain');
    expect(() => step({ name: 'a.b', execute: () => 1 })).toThrow('not "a.b"');
    expect(() => step({ name: '', execute: () => 1 })).toThrow('not ""');
    expect(() => gate({ name: 'Is it good?' })).toThrow('not "Is it good?"');
  });
});

describe('rounds are refused', () => {
  it('without a bound that is a whole number from 1', () => {
    for (const max of [0, -1, 1.5, Number.NaN, Infinity]) {
      expect(() => rounds({ review, of: draft, max })).toThrow('a whole number from 1');
    }
  });

  it('when a step reviews itself', () => {
    expect(() => rounds({ review, of: review })).toThrow('"review" cannot review itself');
  });

  it('when the review gives no verdict', () => {
    // @ts-expect-error: it gives a text
    expect(rounds({ review: upper, of: draft }).review).toBe('upper');
  });
});

it('a gate with a deadline that is no time is refused', () => {
  for (const deadline of [0, -1, 1.5, Number.NaN, Infinity]) {
    expect(() => gate({ name: 'approval', deadline })).toThrow('from 1, not');
  }
});
