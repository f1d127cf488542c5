import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contextHash } from '../../src/core/context-hash.ts';
import type { EclError } from '../../src/core/errors.ts';

const copy = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;

/** Values whose inner objects are long enough to be hashed and not written out, and some that are not. */
const leaf = fc.oneof(
  fc.jsonValue(),
  fc.record({ text: fc.string({ minLength: 200, maxLength: 400 }), n: fc.integer() }),
);
const context = fc.dictionary(
  fc.string().filter((key) => key !== '__proto__'),
  fc.oneof(leaf, fc.array(leaf, { maxLength: 4 }), fc.dictionary(fc.constantFrom('a', 'b'), leaf)),
);

const isRefused = (value: unknown): boolean => {
  try {
    contextHash(value);
    return false;
  } catch {
    return true;
  }
};

describe('the hash of a context', () => {
  test('is the same for the same value, whichever objects it is made of', () => {
    fc.assert(
      fc.property(context, (value) => {
        fc.pre(!isRefused(copy(value)));
        const plain = contextHash(copy(value));
        // Parts that were hashed in other places, at other levels, before.
        const shared = copy(value);
        for (const part of Object.values(shared)) {
          contextHash({ part });
          contextHash({ deeper: { part } });
          contextHash({ list: [part] });
          if (typeof part === 'object' && part !== null) contextHash(part);
        }
        expect(contextHash({ ...shared })).toBe(plain);
        expect(contextHash(copy(shared))).toBe(plain);
      }),
    );
  });

  test('does not depend on the level at which a part was hashed first', () => {
    fc.assert(
      fc.property(leaf, fc.boolean(), (value, outerFirst) => {
        const at = [(part: unknown) => ({ part }), (part: unknown) => ({ outer: { part } })];
        fc.pre(!isRefused({ outer: { part: copy(value) } }));
        const shared = copy(value);
        for (const place of outerFirst ? at : at.toReversed()) {
          expect(contextHash(place(shared))).toBe(contextHash(place(copy(value))));
        }
      }),
    );
  });

  test('is another one when any part is another', () => {
    fc.assert(
      fc.property(context, fc.nat(), fc.jsonValue(), (value, at, other) => {
        const keys = Object.keys(value);
        fc.pre(keys.length > 0 && !isRefused(copy(value)) && !isRefused(copy({ other })));
        const key = keys[at % keys.length]!;
        fc.pre(JSON.stringify(value[key]) !== JSON.stringify(other));
        expect(contextHash({ ...copy(value), [key]: copy(other) })).not.toBe(
          contextHash(copy(value)),
        );
      }),
    );
  });

  test.each<[unknown, unknown]>([
    [{ a: { b: 1 } }, { a: { b: '1' } }],
    [{ a: [1, 2] }, { a: [12] }],
    [{ a: [[1], 2] }, { a: [1, [2]] }],
    [{ a: {} }, { a: [] }],
    [{ a: null }, {}],
    [{ a: '{"b":1}' }, { a: { b: 1 } }],
    [{ a: ['#x'] }, { a: '#x' }],
    [{ a: { 'b":1,"c': 2 } }, { a: { b: 1, c: 2 } }],
  ])('tells %j from %j', (left, right) => {
    expect(contextHash(left)).not.toBe(contextHash(right));
  });

  test('does not see a property that is undefined', () => {
    expect(contextHash({ a: 1, b: undefined, c: { d: undefined } })).toBe(
      contextHash({ a: 1, c: {} }),
    );
  });

  test.each([[undefined], [null], ['text'], [7]])('takes the context %s', (value) => {
    expect(contextHash(value)).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('its cost', () => {
  /** An object that counts how often somebody lists its properties. */
  const counted = (value: object, seen: { reads: number }): object =>
    new Proxy(value, {
      ownKeys: (target) => {
        seen.reads += 1;
        return Reflect.ownKeys(target);
      },
    });

  test('a growing list is hashed by its new elements alone', () => {
    const seen = { reads: 0 };
    let list: object[] = [];
    for (let n = 0; n < 50; n += 1) {
      list = [...list, counted({ n }, seen)];
      const before = seen.reads;
      contextHash({ list, n });
      const first = seen.reads - before;
      contextHash({ list, other: n });
      expect(seen.reads - before).toBe(first);
    }
    // As many looks as for 50 elements one by one: none was looked at again.
    const alone = { reads: 0 };
    for (let n = 0; n < 50; n += 1) contextHash({ list: [counted({ n }, alone)] });
    expect(seen.reads).toBe(alone.reads);
  });

  test('a property that stayed the same object is not looked at again', () => {
    const seen = { reads: 0 };
    const kept = counted({ a: counted({ b: 1 }, seen) }, seen);
    contextHash({ kept, n: 1 });
    const { reads } = seen;
    contextHash({ kept, n: 2 });
    expect(seen.reads).toBe(reads);
  });
});

describe('after hashing', () => {
  test('a mutation throws where it happens, at every level', () => {
    const value = { n: 1, list: [{ deep: { n: 1 } }], part: Object.freeze({ inner: { n: 1 } }) };
    contextHash(value);
    for (const mutate of [
      () => (value.n = 2),
      () => value.list.push({ deep: { n: 2 } }),
      () => (value.list[0]!.deep.n = 2),
      () => (value.part.inner.n = 2),
    ]) {
      expect(mutate).toThrow(TypeError);
    }
  });
});

describe('what JSON cannot hold', () => {
  const detailsOf = (value: unknown): unknown => {
    try {
      contextHash(value);
      return 'taken';
    } catch (error) {
      return (error as EclError).details;
    }
  };

  test.each<[string, unknown]>([
    ['$.f', { f: () => 1 }],
    ['$.n', { n: Number.NaN }],
    ['$.a.b', { a: { b: 1n } }],
    ['$.a[1]', { a: [1, undefined] }],
    ['$.a[0]', { a: [undefined] }],
    ['$.a[1].at', { a: [{}, { at: new Date(0) }] }],
    ['$.map', { map: new Map() }],
    ['$["a b"].c.d.e', { 'a b': { c: { d: { e: Symbol('x') } } } }],
    ['$.m.index', { m: /b/.exec('abc') }],
    ['$.__proto__', JSON.parse('{"__proto__": {}}')],
    ['$.a.__proto__', JSON.parse('{"a": {"__proto__": {}}}')],
    ['$.a[Symbol(k)]', { a: { [Symbol('k')]: 1 } }],
    ['$.url', { url: new URL('http://localhost') }],
  ])('is refused with its path %s', (path, value) => {
    expect(detailsOf(value)).toMatchObject({ what: 'the context', path });
  });

  test('a circle is refused at the limit of nesting, wherever it begins', () => {
    const whole: Record<string, unknown> = {};
    whole['self'] = whole;
    const below: Record<string, unknown> = { list: [] };
    (below['list'] as unknown[]).push(below);
    expect(detailsOf(whole)).toMatchObject({ path: `$${'.self'.repeat(65)}` });
    expect(detailsOf({ below })).toMatchObject({ reason: 'it nests deeper than 64' });
  });

  test('the limit of nesting counts from the context', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : { n: nested(depth - 1) });
    expect(detailsOf(nested(65))).toBe('taken');
    expect(detailsOf(nested(66))).toMatchObject({ path: `$${'.n'.repeat(65)}` });
  });
});
