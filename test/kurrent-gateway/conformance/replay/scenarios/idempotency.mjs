// Repeated appends: which are recognised as the same, which are refused, which are written twice.

const written = (t, name = 'a') => t.read({ stream: t.s(name), from: 'start', count: 20 });
const asClientEvents = (events) =>
  events.map(({ id }) => ({ id, type: 't', contentType: 'application/json', data: {} }));

export const scenarios = {
  async 'at-an-exact-revision'(t) {
    const [stream, first, second] = [t.s('a'), t.events(2), t.events(1)];
    const batch = (note, expect, events) => t.as(note).batch({ stream, expect, events });
    await batch('first', 'no_stream', first);
    await batch('first again', 'no_stream', first);
    await batch('second', 1, second);
    await batch('second again', 1, second);
    await batch('third', 2, t.events(1));
    await batch('second again, though the stream has moved on', 1, second);
    await batch('first again, though the stream has moved on', 'no_stream', first);
    await t
      .as('first again through unary Append')
      .append({ stream, expect: 'no_stream', events: first });
    await t
      .as('first again through AppendSession')
      .session([{ stream, expect: 'no_stream', records: first }]);
    await t
      .as('first again through the client')
      .client.appendToStream(stream, asClientEvents(first), { streamState: 'no_stream' });
    await written(t);
  },
  async 'with-any'(t) {
    const [stream, first] = [t.s('a'), t.events(2)];
    const batch = (note, expect, events) => t.as(note).batch({ stream, expect, events });
    await batch('first', 'any', first);
    await batch('second', 'any', t.events(1));
    for (const expect of ['any', 'stream_exists', 'no_stream', 1])
      await batch('first again', expect, first);
    await batch('first again at the current revision: written twice', 2, first);
    await batch('its first event with any, now at two places', 'any', first.slice(0, 1));
    await written(t);
  },
  async 'part-of-the-batch-is-old'(t) {
    const {
      stream,
      events: [a, b, c],
    } = await t.given('a', { events: 3 });
    const n = t.event();
    const batch = (note, expect, ...events) =>
      t.as(`${note}, ${expect}`).batch({ stream, expect, events });
    for (const expect of ['any', 'no_stream', 'stream_exists', 1])
      await batch('old, new', expect, c, n);
    for (const expect of ['any', 0]) await batch('new, old', expect, n, b);
    for (const expect of ['no_stream', 'any']) await batch('the first two of three', expect, a, b);
    for (const expect of [0, 'no_stream', 'any'])
      await batch('the last two of three', expect, b, c);
    for (const expect of ['no_stream', 'any']) await batch('another order', expect, b, a, c);
    for (const expect of ['any', 'no_stream'])
      await batch('one more behind the old', expect, a, b, c, t.event());
    await written(t);
  },
  async 'same-id'(t) {
    const {
      stream,
      events: [{ id }],
    } = await t.given('a');
    for (const expect of ['no_stream', 'any'])
      await t
        .as('other content')
        .batch({ stream, expect, events: [{ id, type: 'other', data: '{"x":1}' }] });
    await written(t);
    const e = t.event();
    for (const note of ['twice in one batch', 'again'])
      await t.as(note).batch({ stream: t.s('b'), expect: 'no_stream', events: [e, e] });
    await t.as('once').batch({ stream: t.s('b'), expect: 'any', events: [e] });
    await written(t, 'b');
    for (const expect of ['any', 'no_stream'])
      await t.as('in another stream').batch({ stream: t.s(`c-${expect}`), expect, events: [e] });
  },
  async 'after-a-soft-delete'(t) {
    const { stream, events } = await t.given('a', { events: 2, then: 'deleted' });
    for (const expect of ['stream_exists', 'any', 'no_stream'])
      await t.as('what was deleted').batch({ stream, expect, events });
    await written(t);
    await t.as('a new event').batch({ stream, expect: 1, events: t.events(1) });
    await t.reached(`$$${stream}`, 1);
    for (const expect of ['any', 'no_stream'])
      await t.as('what was deleted').batch({ stream, expect, events });
    await written(t);
  },
  async session(t) {
    const [a, b] = [t.events(2), t.events(1)];
    const both = (expect) => [
      { stream: t.s('a'), expect, records: a },
      { stream: t.s('b'), expect, records: b },
    ];
    await t.session(both('no_stream'));
    for (const expect of ['no_stream', 'any']) await t.as('again').session(both(expect));
    for (const expect of ['no_stream', 'any'])
      await t
        .as('one stream old, one new')
        .session([both(expect)[0], { stream: t.s('c'), expect, records: t.events(1) }]);
    await t
      .as('one stream of it through BatchAppend')
      .batch({ stream: t.s('a'), expect: 'no_stream', events: a });
    await t.given('a');
    await t.as('again, though one stream has moved on').session(both('no_stream'));
    for (const name of ['a', 'c']) await written(t, name);
  },
  async 'append-records'(t) {
    const { stream: lease } = await t.given('lease');
    const records = ['a', 'b', 'a'].map((name) => t.event({ stream: t.s(name) }));
    const append = (note, ...checks) =>
      t.as(note).appendRecords({
        records,
        checks: checks.map(([name, expect]) => ({ stream: t.s(name), expect })),
      });
    for (const note of ['first', 'again']) await append(note, ['a', 'no_stream'], ['lease', 0]);
    await append('again without checks');
    await append('again with the revision that it made', ['a', 1]);
    await t.given('lease');
    await append('again, though the lease has moved on', ['a', 'no_stream'], ['lease', 0]);
    await append('again, only the lease checked', ['lease', 0]);
    await t.as('other records').appendRecords({
      records: [t.event({ stream: t.s('a') })],
      checks: [{ stream: lease, expect: 0 }],
    });
    await written(t);
  },
  async 'append-records-checked-on-the-written-stream'(t) {
    const { stream } = await t.given('a', { events: 3 });
    const append = (note, records) =>
      t.as(note).appendRecords({ records, checks: [{ stream, expect: 2 }] });
    const records = t.events(2, { stream });
    for (const note of ['first', 'again']) await append(note, records);
    await t.given('a');
    await append('again, though the stream has moved on', records);
    await append('other ids', t.events(2, { stream }));
    await append('its first record only', records.slice(0, 1));
    await append('one more behind the old', [...records, t.event({ stream })]);
    await written(t);
  },
};
