import { describe, expect, test } from 'vitest';
import { journalEventTypes } from '../../src/core/journal-events.ts';
import {
  parseJournalEvent,
  schemaVersionOf,
  upcast,
  type Upcasting,
} from '../../src/core/upcasters.ts';

const unknown = expect.objectContaining({ code: 'event.unknown-type' }) as Error;
const invalid = expect.objectContaining({ code: 'event.invalid' }) as Error;

describe('upcast', () => {
  test('an event of today is read as it is', () => {
    for (const type of journalEventTypes) expect(schemaVersionOf(type)).toBe(1);
    expect(upcast('TimerFired', 1, { id: 't' })).toEqual({ type: 'TimerFired', data: { id: 't' } });
  });

  test('a newer event, or one of a version that nothing lifts, is an error and not a guess', () => {
    expect(() => upcast('TimerFired', 2, { id: 't' })).toThrow(unknown);
    expect(() => upcast('TimerFired', 0, { id: 't' })).toThrow(unknown);
    expect(() => upcast('TimerFired', 0.5, { id: 't' })).toThrow(unknown);
  });

  test('an old event is lifted version by version, up to the one of today', () => {
    const upcasting: Upcasting = {
      versions: { TimerFired: 3 },
      upcasters: {
        TimerFired: {
          1: (data) => ({ timer: data }),
          2: (data) => ({ id: `${(data as { timer: string }).timer}!` }),
        },
      },
    };
    const lifted = { type: 'TimerFired', data: { id: 't!' } };
    expect(upcast('TimerFired', 1, 't', upcasting)).toEqual(lifted);
    expect(upcast('TimerFired', 2, { timer: 't' }, upcasting)).toEqual(lifted);
    expect(upcast('TimerFired', 3, { id: 't!' }, upcasting)).toEqual(lifted);
    expect(() => upcast('TimerFired', 2, { timer: 't' }, { ...upcasting, upcasters: {} })).toThrow(
      unknown,
    );
    expect(() => upcast('TimerFired', 3, { timer: 't' }, upcasting)).toThrow(invalid);
  });

  test.each(['Unheard', '__proto__', 'constructor', ''])('the type "%s" is unknown', (type) => {
    expect(() => upcast(type, 1, {})).toThrow(unknown);
  });
});

describe('parseJournalEvent', () => {
  test('names what does not fit', () => {
    expect(() => parseJournalEvent('TimerSet', { id: 't', dueAt: -1, event: {} })).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/TimerSet does not fit its schema: .*dueAt.*; event\.type/),
      }) as Error,
    );
  });

  test('refuses an event without a type, or with one that is too long', () => {
    for (const type of ['', 'x'.repeat(257), 7]) {
      expect(() => parseJournalEvent('EventEmitted', { event: { type } })).toThrow(invalid);
    }
  });

  test('keeps all that a machine event carries', () => {
    const event = { type: 'x', deep: { a: [1, null] } };
    expect(parseJournalEvent('EventEmitted', { event }).data).toEqual({ event });
  });
});
