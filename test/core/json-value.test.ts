import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createActor, createMachine } from 'xstate';
import { EclError } from '../../src/core/errors.ts';
import {
  asJson,
  assertJson,
  canonicalJson,
  deepFreeze,
  jsonEquals,
} from '../../src/core/json-value.ts';

const faultOf = (value: unknown): unknown => {
  try {
    assertJson(value, 'the value');
    return undefined;
  } catch (error) {
    return (error as EclError).details;
  }
};

class Point {
  readonly x = 1;
}

const nested = (depth: number): unknown => {
  let value: unknown = 1;
  for (let n = 0; n < depth; n += 1) value = { n: value };
  return value;
};

const circle = (): object => {
  const value: Record<string, unknown> = {};
  value['me'] = value;
  return value;
};

/** Negative zero is the one number that JSON changes; it equals 0 wherever numbers are compared. */
const withoutNegativeZero = (value: unknown): unknown => {
  if (value === 0) return 0;
  if (Array.isArray(value)) return value.map(withoutNegativeZero);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]: [string, unknown]) => [key, withoutNegativeZero(part)]),
  );
};

describe('assertJson', () => {
  test.each<[string, unknown]>([
    ['$.a.f', { a: { f: () => 1 } }],
    ['$[1]', [1, 1n]],
    ['$.s', { s: Symbol('s') }],
    ['$.a[2].n', { a: [0, 1, { n: Number.NaN }] }],
    ['$.n', { n: Infinity }],
    ['$.at', { at: new Date(0) }],
    ['$.map', { map: new Map() }],
    ['$.set', { set: new Set() }],
    ['$.p', { p: new Point() }],
    ['$.re', { re: /x/ }],
    ['$.e', { e: new Error('x') }],
    ['$.bytes', { bytes: new Uint8Array(1) }],
    ['$.list[0]', { list: [undefined] }],
    ['$.list[1]', { list: [1, , 3] }], // oxlint-disable-line no-sparse-arrays
    ['$.__proto__', JSON.parse('{"__proto__": 1}')],
    ['$.a.__proto__', JSON.parse('{"a": {"__proto__": {}}}')],
    ['$["two words"]["0"]', { 'two words': { 0: 1n } }],
    ['$.m.index', { m: /b/.exec('abc') }],
    ['$.list', { list: new (class List extends Array<number> {})() }],
    ['$.o[Symbol(k)]', { o: { [Symbol('k')]: 1 } }],
    ['$.ref', { ref: createActor(createMachine({})) }],
    [`$${'.n'.repeat(65)}`, nested(66)],
    [`$${'.me'.repeat(65)}`, circle()],
  ])('names %s', (path, value) => {
    expect(faultOf(value)).toMatchObject({ what: 'the value', path });
  });

  test('takes the depth that the limit allows, and no more', () => {
    expect(faultOf(nested(65))).toBe(undefined);
    expect(faultOf(nested(66))).toMatchObject({ reason: 'it nests deeper than 64' });
  });

  test('does not overflow the stack, however deep the value', () => {
    expect(faultOf(nested(200_000))).toMatchObject({ reason: 'it nests deeper than 64' });
    const text = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
    expect(faultOf(JSON.parse(text))).toMatchObject({ path: `$${'[0]'.repeat(65)}` });
  });

  test('takes a property that is undefined, and undefined itself', () => {
    expect([faultOf({ a: undefined }), faultOf(undefined)]).toEqual([undefined, undefined]);
  });

  test('takes an object without a prototype', () => {
    expect(faultOf(Object.create(null))).toBe(undefined);
  });

  test('any value comes back equal or is refused', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
    });
    let taken = 0;
    fc.assert(
      fc.property(anything, (value) => {
        if (value === undefined || faultOf(value) !== undefined) return;
        taken += 1;
        const back: unknown = JSON.parse(JSON.stringify(value));
        expect(back).toEqual(withoutNegativeZero(value));
        expect(jsonEquals(back, value)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
    expect(taken).toBeGreaterThan(100);
  });
});

describe('asJson', () => {
  test('leaves out what is undefined, at any depth', () => {
    expect(asJson({ a: undefined, b: [{ c: undefined, d: 1 }] }, 'x')).toStrictEqual({
      b: [{ d: 1 }],
    });
  });

  test('gives the value itself when nothing is to be left out', () => {
    const value = { a: [{ b: null }], c: 'x' };
    expect(asJson(value, 'x')).toBe(value);
  });

  test('does not change what it was given', () => {
    const value = Object.freeze({ a: undefined, b: Object.freeze([{ c: undefined }]) });
    asJson(value, 'x');
    expect('a' in value).toBe(true);
  });

  test('gives what a journal gives back', () => {
    fc.assert(
      fc.property(
        fc.object({ values: [fc.constant(undefined), fc.integer(), fc.string()] }),
        (value) => {
          if (faultOf(value) !== undefined) return;
          expect(asJson(value, 'x')).toStrictEqual(asJson(JSON.parse(JSON.stringify(value)), 'x'));
        },
      ),
    );
  });
});

describe('canonicalJson', () => {
  test('depends on the values alone, not on the order of keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).toReversed());
        expect(canonicalJson(turned)).toBe(canonicalJson(value));
      }),
    );
  });

  test('tells other values apart', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (left, right) => {
        expect(jsonEquals(left, right)).toBe(canonicalJson(left) === canonicalJson(right));
        expect(jsonEquals(left, [left])).toBe(false);
      }),
    );
  });
});

describe('deepFreeze', () => {
  test('freezes all of a value, also below what was frozen before', () => {
    const value = { outer: Object.freeze({ inner: { n: 1 } }) };
    deepFreeze(value);
    expect(() => {
      value.outer.inner.n = 2;
    }).toThrow(TypeError);
  });
});
