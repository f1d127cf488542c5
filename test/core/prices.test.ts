import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { costOf, listPrices, priceOf, pricesDate } from '../../src/core/prices.ts';

const million = { inputTokens: 1_000_000, outputTokens: 1_000_000 };

describe('costOf', () => {
  test.each([
    ['claude-haiku-5-5', { inputTokens: 1000, outputTokens: 1000 }, 0.0006],
    ['claude-sonnet-5-5', million, 12],
    ['claude-opus-5-5', million, 24],
    ['claude-opus-5', million, 30],
    ['claude-opus-4-1-20250805', million, 90],
    ['claude-sonnet-4-20250514', million, 18],
    ['claude-3-5-haiku-latest', million, 4.8],
    ['anthropic:claude-sonnet-5-5', million, 12],
  ])('%s costs its list price', (model, usage, usd) => {
    expect(costOf(model, usage)).toEqual({ usd });
  });

  test('cache reads and writes cost their own price', () => {
    const usage = {
      inputTokens: 0,
      outputTokens: 0,
      cacheReadTokens: 1_000_000,
      cacheWriteTokens: 1_000_000,
    };
    expect(costOf('claude-sonnet-5-5', usage)).toEqual({ usd: 2.6 });
    expect(costOf('claude-sonnet-5', usage)).toEqual({ usd: 2.7 });
  });

  test('a long prompt moves the whole call to the other price, cached tokens counted in', () => {
    const at = costOf('claude-haiku-5-5', { inputTokens: 100_000, outputTokens: 1000 });
    const beyond = costOf('claude-haiku-5-5', {
      inputTokens: 1,
      outputTokens: 1000,
      cacheReadTokens: 100_000,
    });
    expect(at).toEqual({ usd: 0.0105 });
    expect(beyond).toEqual({ usd: 0.0075005 });
  });

  test('an unknown model has an unknown cost, not none', () => {
    const cost = costOf('some-model', million);
    expect(cost).toEqual({ unknown: true, reason: 'no price is known for some-model' });
  });

  test.each(['claude-fable-5-2', 'claude-opus-5-5-turbo', 'claude-opus', '__proto__', 'toString'])(
    '%s is not taken for a family whose name it begins or resembles',
    (model) => {
      expect(costOf(model, million)).toMatchObject({ unknown: true });
    },
  );

  test('a known model that reports no usage has an unknown cost', () => {
    expect(costOf('claude-opus-5-5', undefined)).toMatchObject({ unknown: true });
  });

  test.each([Number.NaN, -1, Number.POSITIVE_INFINITY])('a usage of %s is unknown', (tokens) => {
    expect(costOf('claude-opus-5-5', { inputTokens: tokens, outputTokens: 0 })).toMatchObject({
      unknown: true,
    });
  });

  test('what runs inside ECL costs exactly 0, with or without a usage', () => {
    expect(costOf('rules', { inputTokens: 0, outputTokens: 0 })).toEqual({ usd: 0 });
    expect(costOf('rules', undefined)).toEqual({ usd: 0 });
    expect(costOf('scripted:answers.json', million)).toEqual({ usd: 0 });
  });

  test('a model behind an own address is unknown until it is configured, whatever its name', () => {
    const id = 'openai-compatible:http://localhost:11434#claude-opus-5-5';
    expect(costOf(id, million)).toMatchObject({ unknown: true });
    const own = { input: 1, output: 2, cacheRead: 0, cacheWrite: 0 };
    expect(costOf(id, million, { [id]: own })).toEqual({ usd: 3 });
    expect(costOf(id, million, { 'claude-opus-5-5': own })).toEqual({ usd: 3 });
  });

  test('a configured price wins over the list', () => {
    const own = { input: 1, output: 1, cacheRead: 1, cacheWrite: 1 };
    expect(costOf('claude-opus-5-5-20260901', million, { 'claude-opus-5-5': own })).toEqual({
      usd: 2,
    });
  });

  test('more tokens never cost less', () => {
    const tokens = fc.integer({ min: 0, max: 2_000_000 });
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(listPrices)), tokens, tokens, (model, a, b) => {
        const cost = costOf(model, { inputTokens: a, outputTokens: b });
        const more = costOf(model, { inputTokens: a + 1000, outputTokens: b });
        expect('usd' in cost && 'usd' in more && cost.usd < more.usd).toBe(true);
      }),
    );
  });
});

test('every listed price is positive, and reading a cache is cheaper than not having one', () => {
  for (const model of Object.keys(listPrices)) {
    const price = priceOf(model);
    expect(price!.input).toBeGreaterThan(0);
    expect(price!.output).toBeGreaterThan(price!.input);
    expect(price!.cacheRead).toBeLessThan(price!.input);
    expect(price!.cacheWrite).toBeGreaterThan(price!.input);
  }
  expect(Date.parse(pricesDate)).not.toBeNaN();
});
