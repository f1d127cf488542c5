import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { open, seal } from '../../src/core/payload.ts';
import { sha256 } from '../../src/core/sha256.ts';

const bytesOf = (text: string): number => Buffer.byteLength(text);

const reopened = (data: object): unknown => {
  const { text, blobs } = seal(data);
  const byAddress = new Map(blobs.map((blob) => [blob.sha256, blob.text]));
  const opened = open(text, (address) => byAddress.get(address));
  expect(opened).toHaveProperty('data');
  return (opened as { data: unknown }).data;
};

/** Data whose text has exactly so many bytes. */
const ofBytes = (bytes: number): { id: string; text: string } => {
  const empty = bytesOf(JSON.stringify({ id: 'x', text: '' }));
  return { id: 'x', text: 'a'.repeat(bytes - empty) };
};

const reference = { '$ecl.blob': { sha256: '0'.repeat(64), bytes: 1 } };

describe('sealing', () => {
  test.each([
    [limits.eventBytesMax - 1, 0],
    [limits.eventBytesMax, 0],
    [limits.eventBytesMax + 1, 1],
  ])('data of %i bytes moves %i of its fields out', (bytes, moved) => {
    const data = ofBytes(bytes);
    const { text, blobs } = seal(data);
    expect(blobs).toHaveLength(moved);
    expect(bytesOf(text)).toBeLessThanOrEqual(limits.eventBytesMax);
    expect(reopened(data)).toEqual(data);
  });

  test('the limit counts bytes, not characters', () => {
    const data = { text: '€'.repeat(limits.eventBytesMax / 3) };
    expect(seal(data).blobs).toHaveLength(1);
    expect(reopened(data)).toEqual(data);
  });

  test('the largest field moves first, so the small ones stay readable', () => {
    const data = { small: 'a'.repeat(100), large: 'b'.repeat(70_000), middle: 'c'.repeat(30_000) };
    const { text, blobs } = seal(data);
    expect(JSON.parse(text)).toMatchObject({ small: data.small, middle: data.middle });
    expect(blobs).toEqual([
      { sha256: sha256(JSON.stringify(data.large)), text: JSON.stringify(data.large) },
    ]);
  });

  test('as many fields move as it takes', () => {
    const data = Object.fromEntries(
      Array.from({ length: 9 }, (_, n) => [`f${n}`, `${n}`.repeat(20_000)]),
    );
    const { text, blobs } = seal(data);
    expect(bytesOf(text)).toBeLessThanOrEqual(limits.eventBytesMax);
    expect(blobs).toHaveLength(6);
    expect(reopened(data)).toEqual(data);
  });

  test('one field beyond 16 MiB is refused', () => {
    const atLimit = 'a'.repeat(limits.payloadBytesMax - 2);
    expect(seal({ text: atLimit }).blobs).toHaveLength(1);
    expect(() => seal({ text: `${atLimit}a` })).toThrow(
      expect.objectContaining({
        code: 'input.too-large',
        details: {
          what: 'The payload',
          bytes: limits.payloadBytesMax + 1,
          limit: limits.payloadBytesMax,
        },
      }) as Error,
    );
  });

  test('the same data gives the same text and the same blobs', () => {
    fc.assert(
      fc.property(
        fc.object({ maxDepth: 2 }),
        fc.string({ minLength: 70_000, maxLength: 70_010 }),
        (data, long) => {
          const copy = (): object => JSON.parse(JSON.stringify({ ...data, long })) as object;
          expect(seal(copy())).toEqual(seal(copy()));
        },
      ),
      { numRuns: 20 },
    );
  });

  test('a property that is undefined is none, also in data that is too large', () => {
    const data = { a: undefined, text: 'a'.repeat(70_000) };
    expect(reopened(data)).toStrictEqual({ text: data.text });
  });
});

describe('what comes back', () => {
  test('is what went in, for any data', () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constant(reference),
      fc.constant({ nested: reference }),
      fc.constant('"$ecl.blob"'),
      fc.constant('x'.repeat(70_000)),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string(), value, { maxKeys: 5 }), (data) => {
        expect(reopened(data)).toEqual(JSON.parse(JSON.stringify(data)));
      }),
      { numRuns: 500 },
    );
  });

  test('a field that looks like a reference is data like any other', () => {
    const data = { event: reference, other: { deep: reference } };
    expect(seal(data).blobs).toHaveLength(1);
    expect(reopened(data)).toEqual(data);
  });

  test('a field named __proto__ is a field, and changes no prototype', () => {
    const data = JSON.parse(`{"__proto__": ${JSON.stringify(reference)}, "a": 1}`) as object;
    const back = reopened(data) as object;
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(JSON.stringify(back)).toBe(JSON.stringify(data));
  });

  test('names the blobs that are still needed', () => {
    const { text, blobs } = seal({ a: 'a'.repeat(70_000), b: 'b'.repeat(70_000) });
    expect(open(text, () => undefined)).toEqual({
      missing: blobs.map(({ sha256: address }) => address).toSorted(),
    });
    const [first] = blobs;
    const opened = open(text, (address) => (address === first!.sha256 ? first!.text : undefined));
    expect(opened).toEqual({ missing: [blobs[1]!.sha256] });
  });
});
