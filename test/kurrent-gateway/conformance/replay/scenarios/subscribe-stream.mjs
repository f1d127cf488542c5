// Catch-up subscriptions to one stream: the exact order of frames.

const append = (t, stream, count = 1) =>
  t.append({ stream, expect: 'any', events: t.events(count) });

export const scenarios = {
  async 'where-it-starts'(t) {
    const { stream } = await t.given('a', { events: 3 });
    for (const from of ['start', 0, 1, 2, 9, 'end', '18446744073709551615'])
      await t.subscribe({ stream, from });
    await t.as('structured uuids').subscribe({ stream, from: 1, uuids: 'structured' });
  },
  async live(t) {
    const { stream } = await t.given('a');
    const next = await t.subscribe({ stream, from: 'start', full: true });
    await append(t, stream);
    await next(1);
    await append(t, stream, 3);
    await next(3);
    await t.given('b');
    await t
      .as('nothing came of another stream')
      .append({ stream, expect: 'any', events: t.events(1) });
    await next(1);
  },
  async 'live-from-elsewhere'(t) {
    for (const from of ['end', 3]) {
      const { stream } = await t.given(`${from}`, { events: 2 });
      const next = await t.subscribe({ stream, from });
      await append(t, stream, 4);
      await next('@5');
    }
  },
  async 'missing-stream-comes-into-being'(t) {
    for (const from of ['start', 'end', 5]) {
      const next = await t.subscribe({ stream: t.s(`${from}`), from });
      await append(t, t.s(`${from}`), 8);
      await next('@7');
    }
  },
  async 'soft-delete'(t) {
    const { stream } = await t.given('a', { events: 2 });
    const next = await t.subscribe({ stream, from: 'start' });
    await t.delete({ stream, expect: 'any' });
    await t.as('to a soft-deleted stream').subscribe({ stream, from: 'start' });
    await append(t, stream);
    t.as('nothing came for the delete');
    await next(1);
  },
  async tombstone(t) {
    const { stream } = await t.given('a');
    const next = await t.subscribe({ stream, from: 'start' });
    await t.tombstone({ stream, expect: 'any' });
    await next('end');
    for (const from of ['start', 'end', 0])
      await t.as('to a tombstoned stream').subscribe({ stream, from, first: 'end' });
  },
  async malformed(t) {
    const { stream } = await t.given('a');
    const subscribe = (note, args) =>
      t.as(note).subscribe({ stream, from: 'start', first: 'end', ...args });
    await subscribe('backwards', { direction: 'backwards' });
    await subscribe('with a filter', { filter: { prefixes: ['x'] } });
    await subscribe('empty name', { stream: '' });
  },
  async 'with-the-client'(t) {
    const { stream } = await t.given('a', { events: 2 });
    for (const options of [{}, { fromRevision: 0n }, { fromRevision: 'end' }]) {
      const next = await t.clientSubscribe('subscribeToStream', [stream], { options });
      await t.client.appendToStream(stream, t.json());
      await next(1);
      await next.subscription.unsubscribe();
      t.as('after unsubscribe');
      await next('close');
    }
    const next = await t.clientSubscribe('subscribeToStream', [stream]);
    await t.client.tombstoneStream(stream);
    await next('error');
    await t.clientSubscribe('subscribeToStream', [stream], { first: 'error' });
  },
};
