import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkKey,
  checkName,
  childRunId,
  formatRunId,
  journalPrefix,
  journalStream,
  parentRunId,
  parseRunId,
  rootRunId,
  runIdOfStream,
  snapshotStream,
} from '../../src/core/ids.ts';

const invalid = expect.objectContaining({ code: 'id.invalid' }) as Error;
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,62}$/);
const key = fc.stringMatching(/^[A-Za-z0-9_-]{1,128}$/);

describe('run ids', () => {
  test('an id is read as it was written', () => {
    fc.assert(
      fc.property(name, name, key, (tenant, workflow, own) => {
        const id = formatRunId({ tenant, workflow, key: own });
        expect(parseRunId(id)).toEqual({ tenant, workflow, key: own });
        expect(runIdOfStream(journalStream(id))).toBe(id);
      }),
    );
  });

  test('the tenant default is left out of an id and written in a stream', () => {
    expect(formatRunId({ tenant: 'default', workflow: 'w', key: 'k' })).toBe('w.k');
    expect(journalStream('w.k')).toBe('run-default.w.k');
    expect(snapshotStream('acme.w.k')).toBe('snapshot-acme.w.k');
  });

  test('a run has one id: the tenant default written out is refused', () => {
    expect(() => parseRunId('default.w.k')).toThrow(invalid);
    expect(parseRunId('default.k')).toEqual({ tenant: 'default', workflow: 'default', key: 'k' });
  });

  test.each([
    '',
    'w',
    'w.',
    '.k',
    'W.k',
    '1w.k',
    'a.b.c.d',
    'w.k/../x',
    'w.k.',
    'w.ä',
    'w. k',
    'w.k~',
    'w.k~0',
    'w.k~01',
    'w.k~x',
    'w.k\n',
    `w.${'k'.repeat(129)}`,
    `${'w'.repeat(64)}.k`,
    '__proto__.k',
  ])('"%s" is refused', (id) => {
    expect(() => parseRunId(id)).toThrow(invalid);
  });

  test('any text is read as an id that writes itself again, or is refused', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z.~0-9-]{1,20}$/)), (text) => {
        let parsed;
        try {
          parsed = parseRunId(text);
        } catch (error) {
          expect(error).toEqual(invalid);
          return;
        }
        expect(formatRunId(parsed)).toBe(text);
      }),
    );
  });
});

describe('child runs', () => {
  test('know their parent and their root', () => {
    const grandchild = childRunId(childRunId('acme.w.k', 2), 11);
    expect(grandchild).toBe('acme.w.k~2~11');
    expect(parentRunId(grandchild)).toBe('acme.w.k~2');
    expect(parentRunId('acme.w.k')).toBe(undefined);
    expect([rootRunId(grandchild), rootRunId('w.k')]).toEqual(['acme.w.k', 'w.k']);
    expect(parseRunId(grandchild).key).toBe('k~2~11');
  });

  test('nest as deep as an id can say', () => {
    expect(parseRunId(`w.k${'~1'.repeat(8)}`).key).toHaveLength(17);
    expect(() => parseRunId(`w.k${'~1'.repeat(9)}`)).toThrow(invalid);
  });

  test('no key of a user can be taken for one', () => {
    expect(() => checkKey('k~1')).toThrow(invalid);
  });
});

describe('names and keys', () => {
  test.each(['a', 'a-1', 'a'.repeat(63)])('%s is a name', (value) => {
    expect(checkName('The tenant', value)).toBe(value);
  });

  test.each(['', 'A', '-a', 'a.b', 'a_b', 'a'.repeat(64), 'a\n'])('"%s" is no name', (value) => {
    expect(() => checkName('The tenant', value)).toThrow(invalid);
  });

  test.each(['k', 'A-b_9', 'k'.repeat(128)])('%s is a key', (value) => {
    expect(checkKey(value)).toBe(value);
  });

  test.each(['', 'a.b', 'a b', 'k'.repeat(129), '../x', 'k\n'])('"%s" is no key', (value) => {
    expect(() => checkKey(value)).toThrow(invalid);
  });
});

describe('streams', () => {
  test('a prefix selects everything, a tenant, or a workflow of a tenant, and nothing else', () => {
    const stream = journalStream('acme.review.k');
    expect(stream.startsWith(journalPrefix())).toBe(true);
    expect(stream.startsWith(journalPrefix('acme'))).toBe(true);
    expect(stream.startsWith(journalPrefix('acme', 'review'))).toBe(true);
    expect(stream.startsWith(journalPrefix('ac'))).toBe(false);
    expect(stream.startsWith(journalPrefix('acme', 'rev'))).toBe(false);
  });

  test('a stream that is no journal has no run', () => {
    const others = [
      'snapshot-default.w.k',
      'run-',
      'run-w.k',
      'run-default.k',
      'run-a.b.c.d',
      'run-A.b.c',
    ];
    for (const stream of others)
      expect([stream, runIdOfStream(stream)]).toEqual([stream, undefined]);
  });
});
