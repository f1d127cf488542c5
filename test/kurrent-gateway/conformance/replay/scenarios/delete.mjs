// Soft delete, tombstone and revival.
import { matrix } from '../lib/matrix.mjs';

const forwards = (t, stream) => t.read({ stream, from: 'start', count: 10, compatibility: 1 });
const backwards = (t, stream) =>
  t.read({ stream, from: 'end', direction: 'backwards', count: 10, compatibility: 1 });
const log = (t, count, full) =>
  t.read({ all: true, from: 'end', direction: 'backwards', count, full });

export const scenarios = {
  ...matrix('delete', (t, stream, expect) => t.delete({ stream, expect })),
  ...matrix('tombstone', (t, stream, expect) => t.tombstone({ stream, expect })),

  async 'what-a-soft-delete-leaves'(t) {
    const { stream } = await t.given('a', { events: 2, then: 'deleted' });
    await forwards(t, stream);
    await backwards(t, stream);
    await t.read({ stream: `$$${stream}`, from: 'start', count: 10, full: true });
    await log(t, 3);
    await t.client.readStream(stream);
    await t.client.getStreamMetadata(stream);
  },
  async revival(t) {
    const { stream } = await t.given('a', { events: 2, then: 'deleted' });
    await t.append({ stream, expect: 'no_stream', events: t.events(1) });
    await t.reached(`$$${stream}`, 1);
    await forwards(t, stream);
    await backwards(t, stream);
    await t.read({ stream, from: 0, count: 1, compatibility: 1 });
    await forwards(t, `$$${stream}`);
    await t
      .as('event, then metadata')
      .read({ all: true, from: 'end', direction: 'backwards', count: 4 });
    await t.delete({ stream, expect: 'any' });
    await t.append({ stream, expect: 'any', events: t.events(2) });
    await t.reached(`$$${stream}`, 3);
    await forwards(t, stream);
  },
  async 'revival-and-other-metadata'(t) {
    const { stream } = await t.given('a', { events: 2 });
    await t.client.setStreamMetadata(stream, { maxCount: 7, custom: { k: 'v' } });
    await t.delete({ stream, expect: 'any' });
    await t.append({ stream, expect: 'any', events: t.events(1) });
    await t.reached(`$$${stream}`, 2);
    await forwards(t, `$$${stream}`);
    await forwards(t, stream);
  },
  async 'revival-by-nothing'(t) {
    for (const expect of ['any', 'no_stream', 1]) {
      const { stream } = await t.given(`${expect}`, { events: 2, then: 'deleted' });
      await t.as('by zero events').batch({ stream, expect });
      await t.reached(`$$${stream}`, 1);
      await forwards(t, stream);
      await forwards(t, `$$${stream}`);
    }
    const { stream } = await t.given('a', { events: 2, then: 'deleted' });
    await t.as('by metadata').client.setStreamMetadata(stream, { maxCount: 7 });
    await t.reached(`$$${stream}`, 2);
    await forwards(t, stream);
    await forwards(t, `$$${stream}`);
  },
  async 'deleted-again'(t) {
    const { stream } = await t.given('a', { events: 2 });
    for (const expect of [1, 1, 'any']) await t.delete({ stream, expect });
    for (const expect of [1, 'any']) await t.tombstone({ stream, expect });
    await t.delete({ stream, expect: 'any' });
  },
  async 'what-a-tombstone-leaves'(t) {
    const { stream } = await t.given('a', { then: 'tombstoned' });
    await t.read({ stream, from: 'start', count: 10 });
    await forwards(t, stream);
    await backwards(t, stream);
    await forwards(t, `$$${stream}`);
    await t.append({
      stream: `$$${stream}`,
      expect: 'any',
      events: t.events(1, { type: '$metadata' }),
    });
    await log(t, 2, true);
    await t.client.readStream(stream);
    await t.client.getStreamMetadata(stream);
    await t.client.setStreamMetadata(stream, { maxCount: 1 });
    t.fullEvents = true;
    await t.client.readAll({ direction: 'backwards', fromPosition: 'end', maxCount: 1 });
  },
  async malformed(t) {
    for (const remove of ['delete', 'tombstone']) {
      await t.as('empty stream name')[remove]({ stream: '', expect: 'any' });
      await t.as('no stream identifier')[remove]({ expect: 'any' });
      await t.as('no expectation')[remove]({ stream: t.s('a') });
      await t.as('a metadata stream')[remove]({ stream: `$$${t.s('a')}`, expect: 'any' });
    }
  },
};
