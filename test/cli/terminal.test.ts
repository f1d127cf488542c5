import { describe, expect, test } from 'vitest';
import { ago, duration, stateText, usd } from '../../src/cli/format.ts';
import { neutralise, oneLine, safeJson } from '../../src/cli/sanitize.ts';
import { table } from '../../src/cli/table.ts';
import { styled, Terminal, type TerminalStream } from '../../src/cli/terminal.ts';

const stream = (isTTY: boolean): TerminalStream & { text: string; fail: () => void } => {
  let failed: (error: Error) => void = () => {};
  return {
    isTTY,
    columns: 60,
    text: '',
    write(part, done) {
      this.text += part;
      done?.();
      return true;
    },
    on: (_, listener) => (failed = listener),
    fail: () => failed(new Error('EPIPE')),
  };
};

const terminal = (isTTY: boolean, options: object = {}) => {
  const [stdout, stderr] = [stream(isTTY), stream(isTTY)];
  return { out: new Terminal({ stdout, stderr, ...options }), stdout, stderr };
};

const evil = 'a\u001b[31mb\u001b[0m\u0007c\u202ed\r\u009be\u001b]0;title\u0007f';

describe('what is shown', () => {
  test('has no colour, cursor movement, bell or turned text of its own', () => {
    expect(neutralise(evil)).toBe('abcd]0;titlef');
    expect(neutralise('line\n\tindented')).toBe('line\n\tindented');
  });

  test('in one line keeps its words and loses its breaks', () => {
    expect(oneLine('a\n\n b\tc')).toBe('a b c');
    expect(oneLine('x'.repeat(300), 10)).toBe(`${'x'.repeat(9)}…`);
  });

  test('as JSON means the same as before', () => {
    const value = { text: `${evil}\u2028` };
    expect(JSON.parse(safeJson(value))).toEqual(value);
    expect(safeJson(value)).not.toMatch(/[\u007f-\u009f\u2028\u202e]/);
  });
});

describe('a terminal', () => {
  test('gets styles, another program does not', () => {
    const [watched, piped] = [terminal(true), terminal(false)];
    for (const { out } of [watched, piped]) out.print(`is ${styled('green', 'fine')}`);
    expect(watched.stdout.text).toBe('is \u001b[32mfine\u001b[39m\n');
    expect(piped.stdout.text).toBe('is fine\n');
  });

  test('with NO_COLOR gets none', () => {
    const { out, stdout } = terminal(true, { noColor: true });
    out.print(styled('red', 'plain'));
    expect(stdout.text).toBe('plain\n');
  });

  test('never gets a style out of data, not by the marks that styles are made of either', () => {
    const { out, stdout } = terminal(true);
    out.print(`\u001b[31m${styled('dim', 'a\ue002b')}\ue000`);
    expect(stdout.text).toBe('\u001b[2mab\u001b[22m\n');
  });

  test('with --json gets documents on stdout, and no progress', () => {
    const { out, stdout, stderr } = terminal(true, { json: true });
    out.print('text');
    out.progress('working');
    out.warn('careful');
    out.transient('1 s');
    out.document({ a: 1 });
    expect([JSON.parse(stdout.text), stderr.text]).toEqual([{ a: 1 }, '']);
  });

  test('that is gone is written to no more', () => {
    const { out, stdout } = terminal(false);
    out.print('first');
    stdout.fail();
    out.print('second');
    expect([stdout.text, out.isClosed]).toEqual(['first\n', true]);
  });

  test('shows a passing line only to a person, and takes it away again', () => {
    const [watched, piped] = [terminal(true), terminal(false)];
    for (const { out } of [watched, piped]) {
      out.transient('1 s');
      out.progress('done');
    }
    expect(watched.stderr.text).toBe('1 s\r\u001b[2Kdone\n');
    expect(piped.stderr.text).toBe('done\n');
  });
});

describe('formats', () => {
  test.each([
    [400, '0.4 s'],
    [12_400, '12 s'],
    [200_000, '3 m 20 s'],
    [7_500_000, '2 h 5 m'],
    [273_600_000, '3 d 4 h'],
  ])('%i ms are %s', (milliseconds, text) => {
    expect(duration(milliseconds)).toBe(text);
  });

  test('how long ago something was is told in its largest unit', () => {
    const now = Date.parse('2026-10-24T12:00:00.000Z');
    const at = (iso: string): string => ago(`2026-10-${iso}.000Z`, now);
    expect(at('24T11:59:30')).toBe('30 s ago');
    expect(at('24T11:30:00')).toBe('30 m ago');
    expect(at('24T07:30:00')).toBe('4 h ago');
    expect(at('20T12:00:00')).toBe('4 d ago');
  });

  test('money keeps what counts', () => {
    expect([0, 1.5, 0.0123, 0.0000046].map(usd)).toEqual([
      '$0.00',
      '$1.50',
      '$0.012',
      '$0.0000046',
    ]);
  });

  test('a nested state value is one line', () => {
    expect(stateText('a')).toBe('a');
    expect(stateText({ a: { b: 'c' } })).toBe('a.b.c');
    expect(stateText({ a: 'b', c: {} })).toBe('{a.b, c}');
  });

  test('a table takes no more than the width, but keeps whole what names a row', () => {
    const lines = table(['ID', 'TEXT'], [['short', 'x'.repeat(100)]], 30);
    expect(lines.at(-1)).toBe(`short  ${'x'.repeat(22)}…`);
    expect(table(['ID', 'T'], [['x'.repeat(50), 'y'.repeat(50)]], 30).at(-1)).toBe(
      `${'x'.repeat(50)}  ${'y'.repeat(7)}…`,
    );
  });
});
