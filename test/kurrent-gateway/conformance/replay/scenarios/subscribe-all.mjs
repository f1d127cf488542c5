// Catch-up subscriptions to $all: positions, filters, checkpoints. They start at a position of the scenario's own.

const own = (t, more) => ({ on: 'stream', prefixes: [t.s('a')], ...more });
const write = async (t, ...names) => {
  for (const name of names) await t.given(name);
};

export const scenarios = {
  async unfiltered(t) {
    const { position } = await t.given('a');
    await write(t, 'b', 'a');
    for (const from of [position, 'end']) {
      const next = await t.subscribe({ all: true, from });
      await t.append({ stream: t.s('c'), expect: 'any', events: t.events(2) });
      await next(2);
    }
  },
  async 'from-the-last-position'(t) {
    const { position: from } = await t.given('a');
    await t.subscribe({ all: true, from });
    await t.subscribe({ all: true, from, filter: own(t) });
    await t
      .as('beyond the end')
      .subscribe({ all: true, from: { commit: '999999999999', prepare: '999999999999' } });
  },
  async 'filtered-from-the-ends'(t) {
    await write(t, 'b', 'a', 'b');
    await t.subscribe({ all: true, from: 'start', filter: own(t), collapse: true, first: 'event' });
    const next = await t.subscribe({ all: true, from: 'end', filter: own(t) });
    await write(t, 'b', 'a');
    await next('event');
  },
  async 'kinds-of-filter'(t) {
    const { position: from } = await t.given('a', { type: 'apple' });
    await t.given('b', { type: 'banana' });
    await t.given('a', { type: 'cherry' });
    const filters = [
      { on: 'type', prefixes: ['ban', 'ch'] },
      { on: 'type', regex: 'an' },
      { on: 'stream', regex: `^${t.s('')}b$` },
      own(t),
    ];
    for (const filter of filters) await t.subscribe({ all: true, from, filter });
  },
  async 'checkpoints-while-catching-up'(t) {
    const { position: from } = await t.given('a');
    for (let round = 0; round < 4; round++) await write(t, 'b', 'b', 'a');
    const windows = [
      [1, 1],
      [2, 1],
      [2, 2],
      [5, 1],
      [32, 1],
      [undefined, 1],
    ];
    for (const [max, multiplier] of windows)
      await t.subscribe({ all: true, from, filter: own(t, { max, multiplier }) });
  },
  async 'checkpoints-when-nothing-matches'(t) {
    const { position: from } = await t.given('a');
    await write(t, 'b', 'b', 'b', 'b', 'b');
    for (const max of [2, undefined])
      await t.subscribe({ all: true, from, filter: { on: 'stream', prefixes: ['zzz'], max } });
  },
  async 'checkpoints-when-live'(t) {
    const { position: from } = await t.given('a');
    const next = await t.subscribe({ all: true, from, filter: own(t, { max: 2 }) });
    await write(t, 'b', 'b', 'b', 'b', 'b', 'a');
    t.as('five others and one of its own');
    await next('event');
    await write(t, 'a', 'a', 'a');
    t.as('three of its own');
    await next('@4');
  },
  async 'resumed-from-a-checkpoint'(t) {
    const { position: from } = await t.given('a');
    await write(t, 'b', 'b', 'a', 'b', 'b', 'a');
    const {
      position: { commit, prepare },
    } = await t.subscribe({ all: true, from, filter: own(t, { max: 1 }), first: '/0' });
    for (const place of [
      { commit, prepare },
      { commit, prepare: commit },
    ])
      await t.subscribe({ all: true, from: place, filter: own(t) });
    await t
      .as('prepare 0 is before the event at that position')
      .subscribe({ all: true, from: { commit, prepare: '0' } });
    await t
      .as('prepare like commit is behind it')
      .subscribe({ all: true, from: { commit, prepare: commit } });
  },
  async 'deletes-and-metadata'(t) {
    const { stream, position: from } = await t.given('a');
    await t.client.setStreamMetadata(stream, { maxCount: 5 });
    const next = await t.subscribe({ all: true, from });
    await t.delete({ stream, expect: 'any' });
    await t.append({ stream, expect: 'any', events: t.events(1) });
    await t.reached(`$$${stream}`, 2);
    await t.tombstone({ stream, expect: 'any' });
    await next('$streamDeleted');
  },
  async malformed(t) {
    const { position: from } = await t.given('a');
    const subscribe = (note, more) =>
      t.as(note).subscribe({ all: true, from, first: 'end', ...more });
    await subscribe('multiplier 0', { filter: own(t, { multiplier: 0 }) });
    await subscribe('bad regex', { filter: { on: 'type', regex: '(' } });
    await subscribe('backwards', { direction: 'backwards' });
    await subscribe('prepare beyond commit', {
      from: { commit: from.commit, prepare: String(BigInt(from.commit) + 1n) },
    });
  },
  async 'with-the-client'(t) {
    const { position } = await t.given('a');
    await write(t, 'b', 'a', 'b');
    const fromPosition = { commit: BigInt(position.commit), prepare: BigInt(position.prepare) };
    const subscribe = (filter) =>
      t.clientSubscribe('subscribeToAll', [], {
        options: { fromPosition, filter: { checkpointInterval: 1, ...filter } },
      });
    const next = await subscribe({
      filterOn: 'streamName',
      prefixes: [t.s('a')],
      maxSearchWindow: 2,
    });
    await write(t, 'b', 'a');
    await next('data');
    t.as('without system events');
    await subscribe({ filterOn: 'eventType', regex: '^[^\\$].*' });
  },
};
