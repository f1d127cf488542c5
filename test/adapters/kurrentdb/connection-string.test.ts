import { describe, expect, test } from 'vitest';
import {
  parseConnectionString,
  redacted,
} from '../../../src/adapters/kurrentdb/connection-string.ts';
import { shownStore } from '../../../src/config.ts';
import { code } from '../../contracts/event-store/kit.ts';

describe('a connection string', () => {
  test.each([
    ['kurrentdb://ecl:s3cr%40t@db.example:2113', 'kurrentdb://***@db.example:2113'],
    ['esdb+discover://ecl:s3cr@db.example', 'kurrentdb+discover://***@db.example'],
    ['kurrentdb://a:s3cr@one,two:2114?tls=true', 'kurrentdb://***@one,two:2114?tls=true'],
  ])('is shown without user and password: %s', (text, shown) => {
    const parsed = parseConnectionString(text);
    expect(parsed.shown).toBe(shown);
    expect(parsed.full).toContain('s3cr');
    expect(shownStore(text)).not.toContain('s3cr');
    expect(redacted(`cannot reach ${text}`)).not.toContain('s3cr');
  });

  test('of one node spares the wait before its first connection, unless a person has set it', () => {
    expect(parseConnectionString('kurrentdb://a?tls=false').full).toBe(
      'kurrentdb://a?tls=false&discoveryInterval=10',
    );
    expect(parseConnectionString('kurrentdb://a?discoveryInterval=99').full).toBe(
      'kurrentdb://a?discoveryInterval=99',
    );
    expect(parseConnectionString('kurrentdb+discover://a').full).toBe('kurrentdb+discover://a');
  });

  test('cannot turn a refused append into one that looks stored', () => {
    const { full } = parseConnectionString('kurrentdb://a?throwOnAppendFailure=false&tls=false');
    expect(full).toBe('kurrentdb://a?tls=false&discoveryInterval=10');
  });

  test('names the same nodes in whatever order they are written', () => {
    const { nodes } = parseConnectionString('kurrentdb://b:2113,A:2113,c');
    expect(parseConnectionString('kurrentdb://c,b:2113,a:2113').nodes).toBe(nodes);
  });

  test.each(['kurrentdb:/a', 'kurrentdb://', 'kurrentdb://u:s3cr@et@a:2113', 'http://a'])(
    'that is none is refused without its secrets: %s',
    (text) => {
      expect(() => parseConnectionString(text)).toThrow(code('config.invalid'));
      expect(() => parseConnectionString(text)).not.toThrow(/s3cr/);
    },
  );
});
