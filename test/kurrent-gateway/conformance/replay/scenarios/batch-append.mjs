// BatchAppend: what the official client uses for every append without credentials.
import { matrix } from '../lib/matrix.mjs';

export const scenarios = {
  ...matrix('on', (t, stream, expect) => t.batch({ stream, expect, events: t.events(1) })),

  async 'several-frames-are-one-append'(t) {
    const [stream, correlation] = [t.s('a'), t.id()];
    const more = (count, final) => ({
      correlation,
      options: false,
      events: t.events(count),
      final,
    });
    await t.batch([
      { correlation, stream, expect: 'no_stream', events: t.events(2), final: false },
      more(1, false),
      more(0, true),
    ]);
    await t.read({ stream, from: 'start', count: 10 });
  },
  async 'interleaved-correlations'(t) {
    const [one, two] = [t.id(), t.id()];
    const first = (correlation, name) => ({
      correlation,
      stream: t.s(name),
      expect: 'no_stream',
      events: t.events(1),
      final: false,
    });
    const last = (correlation) => ({ correlation, options: false, events: t.events(1) });
    await t.batch([first(one, 'a'), first(two, 'b'), last(two), last(one)], { take: 2 });
    for (const name of ['a', 'b']) await t.read({ stream: t.s(name), from: 'start', count: 10 });
  },
  async 'incomplete-appends-are-not-answered'(t) {
    const whole = () => ({ stream: t.s('whole'), expect: 'any', events: t.events(1) });
    await t
      .as('never final')
      .batch([{ stream: t.s('a'), expect: 'any', events: t.events(1), final: false }, whole()]);
    await t.as('no options').batch([{ options: false, events: t.events(1) }, whole()]);
    await t.read({ stream: t.s('a'), from: 'start', count: 10 });
  },
  async pipelined(t) {
    const { stream } = await t.given('a');
    const frame = (expect, name = 'a') => ({ stream: t.s(name), expect, events: t.events(1) });
    await t.batch(
      [
        frame('no_stream'),
        frame(0),
        frame('stream_exists', 'none'),
        frame(1),
        frame('any', 'b'),
        frame(1),
      ],
      { take: 6 },
    );
    await t.read({ stream, from: 'start', count: 10 });
  },
  async 'half-close-before-the-answer'(t) {
    await t.batch({ stream: t.s('a'), expect: 'any', events: t.events(1) }, { halfClose: true });
  },
  async 'ids-in-structured-form'(t) {
    await t.batch({
      structured: true,
      stream: t.s('a'),
      expect: 'any',
      events: t.events(1, { structured: true }),
    });
    await t.read({ stream: t.s('a'), from: 'start', count: 1 });
  },
  async 'zero-events'(t) {
    const { stream } = await t.given('a');
    for (const expect of ['any', 0, 7, 'no_stream', 'stream_exists'])
      await t.as('existing').batch({ stream, expect });
    for (const expect of ['no_stream', 'stream_exists', 'any'])
      await t.as('missing').batch({ stream: t.s(expect), expect });
    await t
      .as('still missing')
      .read({ stream: t.s('any'), from: 'start', count: 1, compatibility: 1 });
    for (const expect of ['any', 0])
      await t
        .as('tombstoned')
        .batch({ stream: (await t.given(`t${expect}`, { then: 'tombstoned' })).stream, expect });
  },
  async deadlines(t) {
    const frame = (name, more) => ({
      stream: t.s(name),
      expect: 'any',
      events: t.events(1),
      ...more,
    });
    await t.as('an absolute deadline in the past').batch(frame('a', { deadlineMs: -5000 }));
    await t.as('an absolute deadline ahead').batch(frame('b', { deadlineMs: 5000 }));
    await t.as('a duration').batch(frame('c', { durationMs: 5000 }));
    await t.read({ stream: t.s('a'), from: 'start', count: 1 });
  },
  async 'malformed-options'(t) {
    const events = t.events(1);
    await t.as('empty stream name').batch({ stream: '', expect: 'any', events });
    await t.as('no stream identifier').batch({ expect: 'any', events });
    await t.as('no expectation').batch({ stream: t.s('a'), events });
    await t
      .as('no correlation id')
      .batch({ correlation: null, stream: t.s('a'), expect: 'any', events });
  },
  async 'malformed-events'(t) {
    const batch = (note, event) =>
      t.as(note).batch({ stream: t.s('a'), expect: 'any', events: [t.event(event)] });
    await batch('no type', { headers: { 'content-type': 'application/json' } });
    await batch('no content-type', { headers: { type: 't' } });
    await batch('empty type', { headers: { type: '', 'content-type': 'application/json' } });
    await batch('unknown content-type', { headers: { type: 't', 'content-type': 'text/plain' } });
    await batch('no id', { id: null });
    await batch('id that is no uuid', { id: 'nonsense' });
    await batch('data that is no json, declared json', { data: 'not json' });
    await t.read({ stream: t.s('a'), from: 'start', count: 10, full: true });
  },
  async names(t) {
    const batch = (name, event) =>
      t.batch({ stream: name, expect: 'any', events: [t.event(event)] });
    await batch(`$${t.s('a')}`);
    await batch(t.s('a'), { type: '$t' });
    await batch(t.s('æß-ж-中'), { type: 'Größe', data: '{"ж":"中"}' });
    await t.read({ stream: t.s('æß-ж-中'), from: 'start', count: 1 });
  },
};
