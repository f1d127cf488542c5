// Stream metadata and what it hides.

const both = async (t, stream) => {
  await t.read({ stream, from: 'start', count: 10, compatibility: 1 });
  await t.read({ stream, from: 'end', direction: 'backwards', count: 10, compatibility: 1 });
};
const append = (t, stream, expect) => t.append({ stream, expect, events: t.events(1) });

export const scenarios = {
  async 'set-and-get'(t) {
    const { stream } = await t.given('a');
    await t.client.getStreamMetadata(stream);
    await t.client.setStreamMetadata(stream, {
      maxCount: 100,
      maxAge: 3600,
      truncateBefore: 0,
      cacheControl: 5,
      acl: { readRoles: ['x'] },
      custom: 'v',
    });
    await t.client.getStreamMetadata(stream);
    await t.read({ stream: `$$${stream}`, from: 'start', count: 10, full: true });
    for (const streamState of ['no_stream', 0n])
      await t.client.setStreamMetadata(stream, { maxCount: 1 }, { streamState });
    await t.as('replaced as a whole').client.getStreamMetadata(stream);
  },
  async 'of-a-missing-stream'(t) {
    await t.client.setStreamMetadata(t.s('a'), { maxCount: 1 });
    await both(t, t.s('a'));
    await t.append({ stream: t.s('a'), expect: 'no_stream', events: t.events(3) });
    await both(t, t.s('a'));
  },
  async 'max-count'(t) {
    const { stream } = await t.given('a', { events: 5 });
    await t.client.setStreamMetadata(stream, { maxCount: 2 });
    await both(t, stream);
    await t.read({ stream, from: 0, count: 1, compatibility: 1 });
    await t.read({ stream, from: 2, direction: 'backwards', count: 10, compatibility: 1 });
    await append(t, stream, 4);
    await both(t, stream);
    await t
      .as('all are still in the log')
      .read({ all: true, from: 'end', direction: 'backwards', count: 7 });
    await t.client.setStreamMetadata(stream, {});
    await t.as('lifted again').read({ stream, from: 'start', count: 10 });
  },
  async 'truncate-before'(t) {
    const { stream } = await t.given('a', { events: 5 });
    for (const [truncateBefore, last] of [
      [3, 4],
      [5, 5],
      [100, 6],
    ]) {
      await t.client.setStreamMetadata(stream, { truncateBefore });
      await both(t, stream);
      await append(t, stream, last);
    }
    await both(t, stream);
    for (const expect of ['no_stream', 'stream_exists']) await append(t, stream, expect);
  },
  async 'max-age'(t) {
    const { stream } = await t.given('a', { events: 2 });
    await t.client.setStreamMetadata(stream, { maxAge: 1000 });
    await both(t, stream);
    await t.client.setStreamMetadata(stream, { maxAge: 1 });
    await new Promise((resolve) => setTimeout(resolve, 2500));
    t.as('all have expired');
    await both(t, stream);
    await append(t, stream, 1);
  },
  async 'a-subscription-sees-what-is-left'(t) {
    const { stream } = await t.given('a', { events: 5 });
    await t.client.setStreamMetadata(stream, { maxCount: 2 });
    const next = await t.subscribe({ stream, from: 'start' });
    await t.append({ stream, expect: 4, events: t.events(3) });
    await next(3);
  },
  async 'that-is-not-metadata'(t) {
    const { stream } = await t.given('a', { events: 3 });
    const cases = {
      'no json': { data: 'junk' },
      'of another type': { type: 'other', data: '{"$maxCount":1}' },
      'a text for a number': { data: '{"$maxCount":"x"}' },
      octets: { contentType: 'application/octet-stream', data: '{"$tb":1}' },
    };
    for (const [note, fields] of Object.entries(cases)) {
      await t.as(note).append({
        stream: `$$${stream}`,
        expect: 'any',
        events: [t.event({ type: '$metadata', ...fields })],
      });
      await t.read({ stream, from: 'start', count: 10 });
    }
  },
};
