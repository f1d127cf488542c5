import { describe, expect, test } from 'vitest';
import { safeReason } from '../../src/core/safe-reason.ts';

const nothing = { secrets: [], prompts: [] };

describe('safeReason', () => {
  test('a plain message stays as it is', () => {
    const message = 'max_tokens: 200000 > 128000, the maximum of claude-opus-5-5';
    expect(
      safeReason(message, { secrets: ['s3cret-key'], prompts: ['Write about the sea.'] }),
    ).toBe(message);
  });

  test('secrets, and what looks like one, are taken out', () => {
    const hidden = { secrets: ['s3cret-key'], prompts: [] };
    expect(safeReason('bad key s3cret-key', hidden)).toBe('bad key [redacted]');
    expect(safeReason('bad key sk-ant-api03-abcdefgh', hidden)).toBe('bad key [redacted]');
    expect(safeReason('sent Authorization: Bearer abc.def', hidden)).toBe(
      'sent Authorization: [redacted]',
    );
  });

  test('a secret that the cut would halve leaves no half', () => {
    const secret = 'q'.repeat(40);
    const reason = safeReason(`${'x '.repeat(140)}${secret}`, { secrets: [secret], prompts: [] });
    expect(reason).not.toContain('qqq');
  });

  test('a message that quotes the prompt is dropped whole', () => {
    const prompts = ['The patient is called Ada Lovelace and lives in Ockham.', 'short'];
    expect(safeReason('cannot parse: ...called Ada Lovelace...', { secrets: [], prompts })).toBe(
      undefined,
    );
    expect(safeReason('cannot parse "short"', { secrets: [], prompts })).toBe(undefined);
    expect(safeReason('cannot parse', { secrets: [], prompts })).toBe('cannot parse');
  });

  test('prompts too large to search drop the message', () => {
    const prompts = ['x'.repeat(2 * 1024 * 1024)];
    expect(safeReason('too long', { secrets: [], prompts })).toBe(undefined);
  });

  test('it is one short line without control characters', () => {
    expect(safeReason('first\nsecond', nothing)).toBe('first');
    expect(safeReason('\u001b[31mred\u0007', nothing)).toBe('[31mred');
    expect(safeReason('x'.repeat(1000), nothing)).toHaveLength(300);
    expect(safeReason(' \n ', nothing)).toBe(undefined);
  });
});
