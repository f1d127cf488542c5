// Reading $all. Everything starts at a position of the scenario's own, so that the rest of the log plays no part.

const NOWHERE = { commit: '999999999999', prepare: '999999999999' };
const GREATEST = { commit: '18446744073709551615', prepare: '18446744073709551615' };
const big = ({ commit, prepare }) => ({ commit: BigInt(commit), prepare: BigInt(prepare) });

export const scenarios = {
  async 'forwards-includes-the-position'(t) {
    const { position: from } = await t.given('a');
    await t.given('b', { events: 2 });
    for (const more of [{ count: 10 }, { count: 2 }, { count: 10, compatibility: 1 }])
      await t.read({ all: true, from, ...more });
    await t.client.readAll({ fromPosition: big(from), maxCount: 10 });
  },
  async 'backwards-excludes-the-position'(t) {
    await t.given('a', { events: 2 });
    const { position: from } = await t.given('b');
    await t.read({ all: true, from, direction: 'backwards', count: 2 });
    await t.read({ all: true, from: 'end', direction: 'backwards', count: 3, compatibility: 1 });
    for (const fromPosition of [big(from), 'end'])
      await t.client.readAll({ direction: 'backwards', fromPosition, maxCount: 2 });
  },
  async 'the-ends'(t) {
    await t.given('a');
    const read = (note, from, direction) =>
      t.as(note).read({ all: true, from, direction, count: 1 });
    await read('forwards from the end', 'end');
    await read('forwards from beyond the end', NOWHERE);
    await read('backwards from the start', 'start', 'backwards');
    await read('backwards from beyond the end', NOWHERE, 'backwards');
    await read('backwards from the greatest position', GREATEST, 'backwards');
  },
  async 'odd-positions'(t) {
    const {
      position: { commit },
    } = await t.given('a');
    await t.as('prepare 0').read({ all: true, from: { commit, prepare: '0' }, count: 5 });
    await t
      .as('prepare beyond commit')
      .read({ all: true, from: { commit, prepare: String(BigInt(commit) + 1n) }, count: 5 });
    await t.as('no start').read({ all: true, count: 1 });
  },
  async filters(t) {
    const { position: from } = await t.given('a', { events: 2, type: 'apple' });
    await t.given('b', { events: 2, type: 'banana' });
    await t.given('other', { events: 2, type: 'apricot' });
    const read = (note, filter, more) =>
      t.as(note).read({ all: true, from, count: 10, filter, ...more });
    await read('type prefix', { on: 'type', prefixes: ['ap'] });
    await read('type prefixes', { on: 'type', prefixes: ['apr', 'ban'] });
    await read('letter case counts', { on: 'type', prefixes: ['AP'] });
    await read('type regex', { on: 'type', regex: '^.*an.*$' });
    await read('regex without anchors', { on: 'type', regex: 'pri' });
    await read('stream prefixes', { on: 'stream', prefixes: [t.s('b'), t.s('o')] });
    await read('stream regex', { on: 'stream', regex: `^${t.s('')}[ab]$` });
    await read('nothing matches', { on: 'stream', prefixes: ['zzz'] });
    await read('count is of the matches', { on: 'type', prefixes: ['ap'] }, { count: 2 });
    await read('window 1', { on: 'type', prefixes: ['ban'], max: 1 });
    await read('prefix and regex together', { on: 'type', prefixes: ['ban'], regex: 'apple' });
    await read('an empty prefix', { on: 'type', prefixes: [''] }, { count: 2 });
    await read(
      'backwards',
      { on: 'stream', prefixes: [t.s('')] },
      { from: 'end', direction: 'backwards', count: 3 },
    );
    await read('bad regex', { on: 'type', regex: '(' });
    await read('multiplier 0', { on: 'type', prefixes: ['ap'], multiplier: 0 });
    await read('no expression', { on: 'type' });
  },
  async 'what-is-in-the-log'(t) {
    const { stream, position: from } = await t.given('a', { events: 2 });
    await t.client.setStreamMetadata(stream, { maxCount: 1 });
    for (const then of ['deleted', 'tombstoned']) await t.given(then, { then });
    await t.batch({ stream: t.s('zero-events'), expect: 'any' });
    await t.read({ all: true, from, count: 20 });
    await t.as('without system events').client.readAll({
      fromPosition: big(from),
      maxCount: 20,
      filter: { filterOn: 'eventType', regex: '^[^\\$].*' },
    });
  },
};
