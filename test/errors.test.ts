import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  CheckFailed,
  EclError,
  errorCatalogue,
  isEclError,
  OutcomeUnknown,
  RetryableError,
  TerminalError,
  toErrorDocument,
  WrongExpectedRevision,
  type ErrorCode,
} from '../src/core/errors.ts';
import { limits } from '../src/core/limits.ts';

const codes = Object.keys(errorCatalogue) as ErrorCode[];

describe('docs/errors.md', () => {
  const text = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8');
  const sections = new Map(
    text
      .split(/^### /m)
      .slice(1)
      .map((section) => {
        const [heading, ...body] = section.split('\n');
        const prose = body.join('\n').split(/^## /m)[0]!.trim();
        return [heading!.replaceAll('`', '').trim(), prose];
      }),
  );

  test('has a section for every code of the catalogue, in its order, and for nothing else', () => {
    expect([...sections.keys()]).toEqual(codes);
  });

  test.each(codes)(
    'says of %s its kind, whether to try again, what it means and what to do',
    (code) => {
      const { kind, retryable } = errorCatalogue[code];
      const [first, ...rest] = sections.get(code)!.replaceAll('\n', ' ').split('. ');
      expect(first).toBe(retryable ? `${kind}, retryable` : kind);
      expect(rest.join('. ').length).toBeGreaterThan(40);
    },
  );
});

describe('every error', () => {
  test.each(codes)('%s is made with the values in its message', (code) => {
    const { message, kind, retryable } = errorCatalogue[code];
    const names = [...message.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
    const details = Object.fromEntries(names.map((name) => [name, `<${name}>`]));
    const error = new EclError(code, details);
    expect(error).toBeInstanceOf(Error);
    expect(error.message).not.toMatch(/[{}]/);
    for (const name of names) expect(error.message).toContain(`<${name}>`);
    expect(error).toMatchObject({ name: 'EclError', code, kind, retryable, details });
    expect(isEclError(error, code)).toBe(true);
    expect(
      isEclError(
        error,
        codes.find((other) => other !== code),
      ),
    ).toBe(false);
    expect(error.toJSON()).toEqual({ code, message: error.message, details });
  });

  test('shows values that are no text as JSON, and leaves out what is missing', () => {
    const details = { store: 's', found: 3, known: [1, 2] };
    expect(new EclError('store.newer-format', details).message).toBe(
      'The store s has format 3; this version of ECL reads up to [1,2]',
    );
    expect(new EclError('store.closed').message).toBe('The store  is closed');
  });

  test('never fills a value into a value', () => {
    const error = new EclError('run.failed', { run: '{reason}', reason: 'x' });
    expect(error.message).toBe('The run {reason} failed: x');
  });

  test('keeps what caused it', () => {
    const cause = new Error('below');
    expect(new EclError('store.closed', {}, { cause }).cause).toBe(cause);
  });
});

describe('the classes that code branches on', () => {
  test.each([
    [
      new WrongExpectedRevision({ stream: 's', expected: 1, actual: 2 }),
      'store.wrong-expected-revision',
      'The stream s is at revision 2, not 1',
    ],
    [
      new CheckFailed({ stream: 's', expected: 1, actual: 2 }),
      'store.check-failed',
      'The append was refused: the stream s is at revision 2, not 1',
    ],
    [
      new OutcomeUnknown({ stream: 's', reason: 'cut' }),
      'store.outcome-unknown',
      'It is not known whether the append to s landed: cut',
    ],
  ])('%s is an EclError with a name of its own', (error, code, message) => {
    expect(isEclError(error, code as ErrorCode)).toBe(true);
    expect([error.name, error.message]).toEqual([error.constructor.name, message]);
  });

  test('a step says by them whether to try again', () => {
    expect(new TerminalError('no').name).toBe('TerminalError');
    expect(new RetryableError('later', { retryAfterMs: 5 })).toMatchObject({
      name: 'RetryableError',
      retryAfterMs: 5,
    });
    expect(new RetryableError('later').retryAfterMs).toBe(undefined);
  });
});

describe('an error in a journal', () => {
  const circle: Record<string, unknown> = {};
  circle['me'] = circle;

  test.each<[string, unknown, object]>([
    [
      'of the catalogue',
      new EclError('store.closed', { store: 's' }),
      { code: 'store.closed', message: 'The store s is closed', details: { store: 's' } },
    ],
    [
      'of another program',
      Object.assign(new Error('gone'), { code: 'ENOENT' }),
      { code: 'ENOENT', message: 'gone' },
    ],
    ['without a code', new TypeError('bad'), { code: 'step.failed', message: 'bad' }],
    ['without a message', new TypeError(''), { code: 'step.failed', message: 'TypeError' }],
    [
      'that is a document already',
      { code: 'x.y', message: 'm', details: { a: 1 } },
      { code: 'x.y', message: 'm', details: { a: 1 } },
    ],
    ['that is a text', 'boom', { code: 'step.failed', message: 'boom' }],
    ['that is an object', { a: 1 }, { code: 'step.failed', message: '{"a":1}' }],
    ['that is undefined', undefined, { code: 'step.failed', message: 'undefined' }],
    ['that JSON cannot hold', { a: 1n }, { code: 'step.failed', message: '[object Object]' }],
    ['that is a circle', circle, { code: 'step.failed', message: '[object Object]' }],
    [
      'with details that JSON cannot hold',
      new EclError('store.closed', { store: 's', circle }),
      { code: 'store.closed', message: 'The store s is closed' },
    ],
    [
      'with details that JSON changes',
      new EclError('store.closed', { store: 's', at: new Date(0) }),
      {
        code: 'store.closed',
        message: 'The store s is closed',
        details: { store: 's', at: '1970-01-01T00:00:00.000Z' },
      },
    ],
  ])('%s is a document of JSON', (_, error, document) => {
    expect(toErrorDocument(error)).toStrictEqual(document);
    expect(() => JSON.stringify(toErrorDocument(error))).not.toThrow();
  });

  test('has a message that is never longer than the limit', () => {
    const { message } = toErrorDocument(new Error('x'.repeat(1_000_000)));
    expect(message).toHaveLength(limits.errorMessageMax + 1);
    expect(message.endsWith('x…')).toBe(true);
  });
});

test('every code that the sources write down is in the catalogue', () => {
  const root = new URL('../', import.meta.url);
  const written = ['src', 'machines'].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => [
        ...readFileSync(new URL(`${folder}/${name}`, root), 'utf8').matchAll(
          /code: '([a-z]+\.[a-z-]+)'/g,
        ),
      ])
      .map(([, code]) => code!),
  );
  expect(written.length).toBeGreaterThan(5);
  expect(written.filter((code) => !(code in errorCatalogue))).toEqual([]);
});
