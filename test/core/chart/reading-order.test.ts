import { expect, test } from 'vitest';
import { inReadingOrder } from '../../../src/core/chart/reading-order.ts';

const ordered = (
  members: string,
  first: string,
  between: readonly (readonly [string | undefined, string | undefined])[],
): string =>
  inReadingOrder({
    members: members.split(''),
    first: first.split(''),
    between: between.map(([from, to]) => ({ from, to, name: `${from ?? ''}>${to ?? ''}` })),
  })
    .map((each) => (typeof each === 'string' ? each : each.name))
    .join(' ');

test('what follows stands behind, in whatever order it is declared', () => {
  expect(
    ordered('cba', 'a', [
      ['b', 'c'],
      ['a', 'b'],
    ]),
  ).toBe('a a>b b b>c c');
});

test('a branch that meets the other one again stands before where they meet', () => {
  const branches = [
    ['a', 'd'],
    ['a', 'b'],
    ['b', 'd'],
  ] as const;
  expect(ordered('adb', 'a', branches)).toBe('a a>d a>b b b>d d');
});

test('what leads back stands between the two, so that its line goes straight up', () => {
  expect(
    ordered('ab', 'a', [
      ['a', 'b'],
      ['b', 'a'],
      ['b', 'b'],
    ]),
  ).toBe('a a>b b>a b b>b');
});

test('what is reached from the state around stands last, behind the line that leads to it', () => {
  expect(
    ordered('xab', 'a', [
      ['a', 'b'],
      [undefined, 'x'],
      ['b', undefined],
    ]),
  ).toBe('a a>b b >x b> x');
});
