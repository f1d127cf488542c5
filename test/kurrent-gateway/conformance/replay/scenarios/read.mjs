// Reading streams.

const link = (t, target, fields) =>
  t.event({ type: '$>', contentType: 'application/octet-stream', data: target, ...fields });

export const scenarios = {
  async forwards(t) {
    const { stream } = await t.given('a', { events: 4 });
    const places = [
      ['start', 10],
      ['start', 4],
      ['start', 2],
      [1, 2],
      [3, 10],
      [4, 10],
      [500, 10],
      ['end', 10],
    ];
    for (const [from, count] of places) await t.read({ stream, from, count, compatibility: 1 });
  },
  async backwards(t) {
    const { stream } = await t.given('a', { events: 4 });
    const places = [
      ['end', 10],
      ['end', 2],
      [2, 2],
      [0, 10],
      [500, 2],
      ['start', 10],
    ];
    for (const [from, count] of places)
      await t.read({ stream, from, direction: 'backwards', count, compatibility: 1 });
  },
  async 'control-option'(t) {
    const { stream } = await t.given('a', { events: 2 });
    for (const compatibility of [undefined, 0, 1, 2, 99])
      for (const from of ['start', 5]) await t.read({ stream, from, count: 1, compatibility });
  },
  async 'missing-stream'(t) {
    const places = [{ from: 'start' }, { from: 5 }, { from: 'end', direction: 'backwards' }];
    for (const compatibility of [undefined, 1])
      for (const place of places)
        await t.read({ stream: t.s('a'), ...place, count: 1, compatibility });
    await t.client.readStream(t.s('a'));
  },
  async 'what-an-event-carries'(t) {
    const { stream } = await t.given('a', {
      events: [
        t.event({ metadata: '{"k":"v"}', data: '{"n":1}' }),
        t.event({
          type: 'binary',
          contentType: 'application/octet-stream',
          data: Buffer.from([0, 1, 255]),
          metadata: Buffer.from([255, 0]),
        }),
        t.event({ type: 'empty', data: '' }),
      ],
    });
    await t.read({ stream, from: 'start', count: 10, full: true });
    await t
      .as('structured uuids')
      .read({ stream, from: 'start', count: 1, uuids: 'structured', full: true });
    t.fullEvents = true;
    await t.client.readStream(stream);
  },
  async malformed(t) {
    const { stream } = await t.given('a');
    const read = (note, more) => t.as(note).read({ stream, from: 'start', count: 1, ...more });
    await read('no options', { omit: ['options'] });
    await read('neither stream nor all', { omit: ['stream'] });
    await read('neither count nor subscription', { omit: ['count'] });
    await read('neither filter nor no_filter', { omit: ['noFilter'] });
    await read('no uuid option', { uuids: null });
    await read('no start', { from: undefined });
    await read('a filter on a stream', { filter: { prefixes: ['x'] } });
    await read('empty stream name', { stream: '' });
    await read('count 0', { count: 0 });
    await read('greatest count', { count: '18446744073709551615' });
    await read('greatest revision', { from: '18446744073709551615' });
    await read('a revision beyond int64', { from: '9223372036854775808' });
  },
  async links(t) {
    const { stream } = await t.given('a', { events: 2 });
    for (const then of ['deleted', 'tombstoned']) await t.given(then, { then });
    const targets = [
      `9@${stream}`,
      `0@${t.s('none')}`,
      `0@${t.s('deleted')}`,
      `0@${t.s('tombstoned')}`,
      'nonsense',
    ];
    const events = [
      link(t, `1@${stream}`, { metadata: '{"m":1}' }),
      ...targets.map((target) => link(t, target)),
      t.event(),
    ];
    const { stream: links } = await t.given('links', { events });
    for (const resolveLinks of [false, true])
      await t.read({ stream: links, from: 'start', count: 10, resolveLinks });
    await t.read({ stream: links, from: 0, count: 1, resolveLinks: true, full: true });
    await t.read({ all: true, from: 'end', direction: 'backwards', count: 7, resolveLinks: true });
    await t.client.readStream(links, { resolveLinkTos: true });
    const next = await t.subscribe({ stream: links, from: 'start', resolveLinks: true });
    await t.append({ stream: links, expect: 'any', events: [link(t, `0@${stream}`)] });
    await next(1);
  },
  async 'many-events'(t) {
    const { stream } = await t.given('a', { events: 1200 });
    await t.read({ stream, from: 'start', count: 5000, compatibility: 1 });
    await t.read({ stream, from: 'end', direction: 'backwards', count: 5000, compatibility: 1 });
    await t.subscribe({ stream, from: 'start' });
  },
};
