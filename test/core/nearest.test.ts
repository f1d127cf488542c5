import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nearestNames } from '../../src/core/nearest.ts';

const names = ['document-review', 'critique-revise', 'translate', 'a', 'bc'];

describe('nearestNames', () => {
  test.each([
    ['documnt-review', ['document-review']],
    ['document', ['document-review']],
    ['review', ['document-review']],
    ['translte', ['translate']],
    ['zz', []],
    ['', []],
    ['payroll-report', []],
  ])('of "%s" are %j', (name, expected) => {
    expect(nearestNames(name, names)).toEqual(expected);
  });

  test('are at most three, the nearest first', () => {
    expect(nearestNames('name-1', ['name-19', 'name-1', 'name-188', 'name-2', 'name-x'])).toEqual([
      'name-1',
      'name-19',
      'name-2',
    ]);
  });

  test('have the name itself first where it is among them', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 1 }), (all) => {
        expect(nearestNames(all[0]!, all)[0]).toBe(all[0]);
      }),
    );
  });
});
