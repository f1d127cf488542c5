// The official client on every state of a stream: which errors a user of it sees.
import { matrix } from '../lib/matrix.mjs';

const state = (expect) => (typeof expect === 'number' ? BigInt(expect) : expect);
const credentials = { username: 'u', password: 'p' };
const check = (streamName, expectedState) => ({ type: 'streamState', streamName, expectedState });

export const scenarios = {
  ...matrix('append', (t, stream, expect) =>
    t.client.appendToStream(stream, t.json(), { streamState: state(expect) }),
  ),
  ...matrix('append-with-credentials', (t, stream, expect) =>
    t.client.appendToStream(stream, t.json(), { streamState: state(expect), credentials }),
  ),
  ...matrix('multi-stream-append', (t, stream, expect) =>
    t.client.multiStreamAppend([
      { streamName: stream, expectedState: state(expect), events: [t.json()] },
    ]),
  ),
  ...matrix('append-records', (t, stream, expect) =>
    t.client.appendRecords(
      [{ streamName: stream, record: t.json() }],
      [check(stream, state(expect))],
    ),
  ),

  async 'what-it-writes'(t) {
    const stream = t.s('a');
    const octets = { ...t.json(), contentType: 'application/octet-stream', data: Buffer.from('x') };
    const both = [
      { ...t.json({ n: 1 }), metadata: { k: 'v' } },
      { ...octets, metadata: new Uint8Array([255, 1]) },
    ];
    await t.client.appendToStream(stream, both, { streamState: 'no_stream' });
    await t.client.appendToStream(stream, t.json('text'), { streamState: 1n, credentials });
    await t.client.multiStreamAppend([
      {
        streamName: stream,
        expectedState: 2n,
        events: [
          { ...t.json(), metadata: { k: 'v' } },
          { ...octets, id: t.id() },
        ],
      },
    ]);
    await t.client.appendRecords(
      [{ streamName: stream, record: { ...t.json(), metadata: { k: 'v' } } }],
      [check(stream, 4n)],
    );
    await t.read({ stream, from: 'start', count: 10, full: true });
    t.fullEvents = true;
    await t.client.readStream(stream);
  },
  async 'read-stream'(t) {
    const { stream } = await t.given('a', { events: 4 });
    const back = (fromRevision, maxCount) => ({ direction: 'backwards', fromRevision, maxCount });
    const forth = (fromRevision, maxCount) => ({ fromRevision, maxCount });
    const all = [
      {},
      forth('start', 2),
      forth(2n),
      forth(9n),
      forth('end'),
      back('end', 2),
      back(1n),
      back('start'),
    ];
    for (const options of all) await t.client.readStream(stream, options);
  },
  async 'v2-errors'(t) {
    const { stream } = await t.given('a');
    const append = (...names) =>
      names.map((name) => ({ streamName: t.s(name), expectedState: 'any', events: [t.json()] }));
    await t.client.multiStreamAppend([]);
    await t
      .as('no events')
      .client.multiStreamAppend([{ streamName: stream, expectedState: 'any', events: [] }]);
    await t.as('one stream twice').client.multiStreamAppend(append('c', 'c'));
    await t
      .as('second of two')
      .client.multiStreamAppend([
        ...append('c'),
        { streamName: stream, expectedState: 7n, events: [t.json()] },
      ]);
    await t.client.appendRecords([]);
    await t
      .as('two failed checks')
      .client.appendRecords(
        [{ streamName: t.s('c'), record: t.json() }],
        [check(stream, 7n), check(t.s('d'), 'stream_exists')],
      );
  },
  async 'delete-errors'(t) {
    const { stream } = await t.given('a', { events: 2 });
    await t.client.deleteStream(stream, { expectedRevision: 0n });
    await t.client.tombstoneStream(stream, { expectedRevision: 0n });
    await t.as('missing').client.deleteStream(t.s('none'));
    await t.client.deleteStream(stream, { expectedRevision: 1n });
    await t.client.tombstoneStream(stream);
    await t.client.deleteStream(stream);
  },
};
