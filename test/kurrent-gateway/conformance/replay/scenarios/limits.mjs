// Sizes: one event, one message, one append, names.

const MIB = 1024 * 1024;
const octets = (t, size, fields) =>
  t.event({
    type: 'b',
    contentType: 'application/octet-stream',
    data: Buffer.alloc(size, 97),
    ...fields,
  });

/** An official client of its own, since the greatest messages end the connection's append stream. */
async function alone(t, method, ...args) {
  const client = t.target.open();
  t.onEnd(() => client.dispose());
  await t.step({ client: method, args }, async () => ({ result: await client[method](...args) }));
}

export const scenarios = {
  async mebibytes(t) {
    await t.batch({ stream: t.s('a'), expect: 'no_stream', events: [octets(t, MIB)] });
    await t.append({
      stream: t.s('a'),
      expect: 0,
      events: [octets(t, MIB + 1), octets(t, 5 * MIB)],
    });
    await t.session([{ stream: t.s('a'), expect: 2, records: [octets(t, MIB, { format: 4 })] }]);
    await t.read({ stream: t.s('a'), from: 'start', count: 10 });
  },
  async 'appends-beyond-one-message'(t) {
    await t.as('7.5 MiB in frames of at most 3').client.appendToStream(
      t.s('a'),
      [0, 1, 2].map(() => octets(t, 2.5 * MIB)),
      { streamState: 'no_stream' },
    );
    await t
      .as('20 MiB, an event a message')
      .append({ stream: t.s('b'), expect: 'any', events: [0, 1].map(() => octets(t, 10 * MIB)) });
    await t
      .as('20 MiB in one message')
      .batch(
        { stream: t.s('c'), expect: 'any', events: [0, 1].map(() => octets(t, 10 * MIB)) },
        { take: 'end' },
      );
    await t.as('nothing of it').read({ stream: t.s('c'), from: 'start', count: 1 });
    await t.as('3000 events').client.appendToStream(
      t.s('d'),
      t.events(3000).map(({ id }) => ({ ...t.json(), id })),
    );
    await t.read({ stream: t.s('d'), from: 'end', direction: 'backwards', count: 1 });
  },
  async 'sixteen-mebibytes'(t) {
    const [v1, v2] = [(size) => octets(t, size), (size) => octets(t, size, { format: 4 })];
    await t
      .as('16 MiB less 20 kB')
      .batch({ stream: t.s('a'), expect: 'any', events: [v1(16 * MIB - 20_000)] });
    await t
      .as('16 MiB less 2 kB')
      .batch({ stream: t.s('a'), expect: 'any', events: [v1(16 * MIB - 2000)] });
    await t.as('16 MiB').append({ stream: t.s('a'), expect: 'any', events: [v1(16 * MIB)] });
    for (const size of [16 * MIB - 2000, 18 * MIB])
      await t.session([{ stream: t.s('b'), expect: 'any', records: [v2(size)] }]);
    await alone(t, 'appendToStream', t.s('a'), v1(16 * MIB));
    await alone(t, 'multiStreamAppend', [
      { streamName: t.s('b'), expectedState: 'any', events: [v1(16 * MIB + 1)] },
    ]);
  },
  async 'long-names'(t) {
    for (const length of [500, 5000]) {
      const long = 'x'.repeat(length);
      await t
        .as(`stream name of ${length}`)
        .batch({ stream: t.s(long), expect: 'any', events: t.events(1) });
      await t
        .as(`type of ${length}`)
        .batch({ stream: t.s('a'), expect: 'any', events: t.events(1, { type: long }) });
      await t
        .as(`type of ${length}`)
        .session([{ stream: t.s('a'), expect: 'any', records: t.events(1, { type: long }) }]);
    }
  },
};
