// v2 AppendSession (the client's multiStreamAppend): several streams, all or nothing.
import { matrix } from '../lib/matrix.mjs';

const one = (t, name, expect = 'any') => ({ stream: t.s(name), expect, records: t.events(1) });

export const scenarios = {
  ...matrix('on', (t, stream, expect) => t.session([{ stream, expect, records: t.events(1) }])),

  async 'two-streams'(t) {
    await t.session([{ ...one(t, 'a', 'no_stream'), records: t.events(2) }, one(t, 'b')]);
    for (const name of ['a', 'b'])
      await t.read({ stream: t.s(name), from: 'start', count: 10, full: true });
  },
  async 'one-conflict-refuses-all'(t) {
    await t.given('b');
    await t.given('c', { then: 'tombstoned' });
    await t.session([one(t, 'a', 'no_stream'), one(t, 'b', 7)]);
    await t.as('two conflicts').session([one(t, 'a', 3), one(t, 'b', 7)]);
    await t.as('a conflict and a tombstone').session([one(t, 'b', 7), one(t, 'c')]);
    await t.as('a good one and a tombstone').session([one(t, 'b', 0), one(t, 'c')]);
    await t.read({ stream: t.s('a'), from: 'start', count: 10 });
    await t.read({ stream: t.s('b'), from: 'start', count: 10 });
  },
  async 'one-stream-twice'(t) {
    await t.session([one(t, 'a'), one(t, 'a')]);
    await t.as('differing in case only').session([one(t, 'b'), one(t, 'B')]);
  },
  async 'expectations-beyond-the-usual'(t) {
    await t.given('a');
    for (const expect of [undefined, -3, -5, -6])
      await t.as(`${expect}`).session([{ ...one(t, 'a'), expect }]);
  },
  async 'malformed-requests'(t) {
    await t.as('no request').session([]);
    await t.as('no records').session([{ stream: t.s('a'), expect: 'any' }]);
    await t.as('no stream').session([{ expect: 'any', records: t.events(1) }]);
    await t.as('the second of two').session([one(t, 'a'), { stream: t.s('b'), expect: 'any' }]);
    await t.read({ stream: t.s('a'), from: 'start', count: 1 });
  },
  async 'malformed-records'(t) {
    const session = (note, record) =>
      t.as(note).session([{ stream: t.s('a'), expect: 'any', records: [t.event(record)] }]);
    await session('no schema', { schema: false });
    await session('no type', { type: '' });
    await session('type with a space', { type: 'two words' });
    await session('type starting with $', { type: '$t' });
    await session('no format', { format: 0 });
    await session('id that is no uuid', { id: 'nonsense' });
    await session('no id', { id: undefined });
    await session('no data', { data: '' });
    await session('property named $x', { properties: { $x: 'v' } });
    await session('data that is no json, format json', { data: 'not json' });
    await session('a stream in the record too', { stream: t.s('b') });
    await t.read({ stream: t.s('a'), from: 'start', count: 20 });
  },
  async 'how-v2-records-look-to-v1'(t) {
    const record = (format, properties, data) => t.event({ format, properties, data });
    const properties = {
      text: 'v',
      number: 1.5,
      whole: 3,
      yes: true,
      nothing: null,
      list: ['a', 1],
      object: { k: 'v' },
    };
    await t.session([
      {
        stream: t.s('a'),
        expect: 'no_stream',
        records: [
          record(1, properties),
          record(1, {}),
          record(2, {}, '\x01'),
          record(3, {}, 'avro'),
          record(4, { text: 'v' }, Buffer.from([0, 255])),
        ],
      },
    ]);
    await t.read({ stream: t.s('a'), from: 'start', count: 20, full: true });
    t.fullEvents = true;
    await t.client.readStream(t.s('a'));
  },
  async 'system-streams'(t) {
    await t.session([{ ...one(t, 'a'), stream: `$${t.s('a')}` }]);
    await t.as('metadata').session([
      {
        stream: `$$${t.s('b')}`,
        expect: 'any',
        records: [t.event({ type: '$metadata', data: '{"$maxCount":1}' })],
      },
    ]);
    await t.given('b', { events: 3 });
    await t.read({ stream: t.s('b'), from: 'start', count: 10 });
  },
};
