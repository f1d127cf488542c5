// v2 AppendRecords: records of several streams interleaved, with consistency checks on any stream, written to or not.
import { matrix } from '../lib/matrix.mjs';

export const scenarios = {
  ...matrix('check-only', (t, stream, expect) =>
    t.appendRecords({
      records: [t.event({ stream: t.s(`w${expect}`) })],
      checks: [{ stream, expect }],
    }),
  ),
  ...matrix('checked-and-written', (t, stream, expect) =>
    t.appendRecords({ records: [t.event({ stream })], checks: [{ stream, expect }] }),
  ),

  async 'without-checks'(t) {
    for (const then of [undefined, 'deleted', 'tombstoned']) {
      const { stream } = await t.given(`${then}`, { then });
      await t.as(then ?? 'existing').appendRecords({ records: [t.event({ stream })] });
    }
    await t.as('missing').appendRecords({ records: [t.event({ stream: t.s('a') })] });
  },
  async 'interleaved-streams'(t) {
    await t.appendRecords({
      records: ['a', 'b', 'a', 'c', 'b', 'a'].map((name) => t.event({ stream: t.s(name) })),
    });
    await t.read({ all: true, from: 'end', direction: 'backwards', count: 6 });
  },
  async 'every-failed-check-is-listed'(t) {
    const { stream: a } = await t.given('a', { events: 2 });
    const { stream: b } = await t.given('b', { then: 'deleted' });
    const { stream: c } = await t.given('c', { then: 'tombstoned' });
    const append = (...checks) =>
      t.appendRecords({
        records: [t.event({ stream: t.s('w') })],
        checks: checks.map(([stream, expect]) => ({ stream, expect })),
      });
    await append(
      [a, 0],
      [t.s('none'), 'stream_exists'],
      [b, 'stream_exists'],
      [c, 'stream_exists'],
      [t.s('other'), 'no_stream'],
    );
    await append([a, 0], [a, 1]);
    await t.read({ stream: t.s('w'), from: 'start', count: 1 });
  },
  async 'expectations-beyond-the-usual'(t) {
    const states = {
      missing: { events: 0 },
      existing: {},
      deleted: { then: 'deleted' },
      tombstoned: { then: 'tombstoned' },
    };
    for (const expect of [-3, -5, -6, undefined])
      for (const [name, state] of Object.entries(states)) {
        const { stream } = await t.given(`${name}${expect}`, state);
        await t.as(`${expect} on ${name}`).appendRecords({
          records: [t.event({ stream: t.s('w') })],
          checks: [{ stream, expect }],
        });
      }
  },
  async 'malformed-requests'(t) {
    const { stream } = await t.given('a');
    const records = [t.event({ stream: t.s('w') })];
    await t.as('nothing').appendRecords({});
    await t.as('checks only').appendRecords({ checks: [{ stream, expect: 0 }] });
    await t.as('record without a stream').appendRecords({ records: [t.event()] });
    await t
      .as('record without a schema')
      .appendRecords({ records: [t.event({ stream: t.s('w'), schema: false })] });
    await t.as('check without a stream').appendRecords({ records, checks: [{ expect: 0 }] });
    await t.as('check without a kind').appendRecords({ records, checks: [{ bare: true }] });
  },
  async 'a-lease-as-a-fence'(t) {
    const { stream: lease } = await t.given('lease');
    const write = (note, expect) =>
      t.as(note).appendRecords({
        records: t.events(2, { stream: t.s('run') }),
        checks: [{ stream: lease, expect }],
      });
    await write('holder', 0);
    await t.given('lease');
    await write('the lease has moved on', 0);
    await write('new holder', 1);
    await t.read({ stream: t.s('run'), from: 'start', count: 10 });
    await t
      .as('being checked did not move it')
      .read({ stream: lease, from: 'end', direction: 'backwards', count: 1 });
  },
};
