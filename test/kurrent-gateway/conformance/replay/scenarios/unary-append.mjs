// Unary Append: what the official client uses when a call carries credentials.
import { matrix } from '../lib/matrix.mjs';

export const scenarios = {
  ...matrix('on', (t, stream, expect) => t.append({ stream, expect, events: t.events(1) })),

  async 'zero-events'(t) {
    const { stream } = await t.given('a');
    for (const expect of ['any', 0, 7]) await t.as('existing').append({ stream, expect });
    await t.as('missing').append({ stream: t.s('b'), expect: 'any' });
  },
  async 'malformed-sequences'(t) {
    const stream = t.s('a');
    await t.as('nothing at all').append({ sequence: [] });
    await t
      .as('an event before the options')
      .append({ stream, expect: 'any', sequence: [t.event(), 'options'] });
    await t
      .as('options twice')
      .append({ stream, expect: 'any', sequence: ['options', 'options', t.event()] });
    await t.as('empty stream name').append({ stream: '', expect: 'any', events: t.events(1) });
    await t.as('no stream identifier').append({ expect: 'any', events: t.events(1) });
    await t.as('no expectation').append({ stream, events: t.events(1) });
  },
  async 'malformed-events'(t) {
    const append = (note, event) =>
      t.as(note).append({ stream: t.s('a'), expect: 'any', events: [t.event(), t.event(event)] });
    await append('no type', { headers: { 'content-type': 'application/json' } });
    await append('no content-type', { headers: { type: 't' } });
    await append('neither', { headers: {} });
    await append('no id', { id: null });
    await append('id that is no uuid', { id: 'nonsense' });
    await t
      .as('the good event before the bad one was not written either')
      .read({ stream: t.s('a'), from: 'start', count: 1 });
    await append('unknown content-type', { headers: { type: 't', 'content-type': 'text/plain' } });
    await append('keys beyond the known ones', {
      headers: { type: 't', 'content-type': 'application/json', extra: 'x', created: '1' },
    });
    await t.read({ stream: t.s('a'), from: 'start', count: 10, full: true });
  },
};
