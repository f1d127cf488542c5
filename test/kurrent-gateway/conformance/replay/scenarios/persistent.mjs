// Persistent subscriptions. In a file of their own: a gateway may not serve them at first.
import { kurrent } from '../lib/target.mjs';

const settings = (changes) =>
  kurrent.persistentSubscriptionToStreamSettingsFromDefaults({
    startFrom: 'start',
    checkPointAfter: 60_000,
    ...changes,
  });

/** What an info says, less what depends on the moment. */
const steady = ({
  stats: { parkedMessageCount, outstandingMessagesCount, totalInFlightMessages, retryBufferCount },
  connections,
  ...rest
}) => ({
  ...rest,
  stats: { parkedMessageCount, outstandingMessagesCount, totalInFlightMessages, retryBufferCount },
  connections: connections.length,
});

/** Records the info of a group once `settled` holds: the server counts with some delay. */
const info = (t, stream, group, settled = () => true) =>
  t.step({ client: 'getPersistentSubscriptionToStreamInfo', stream, group }, async () => {
    for (let tries = 0; ; tries++) {
      const answer = await t.target.client.getPersistentSubscriptionToStreamInfo(stream, group);
      if (settled(answer.stats, answer.connections.length) || tries === 50)
        return { result: steady(answer) };
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });

const forget = (t, stream, group) =>
  t.onEnd(() =>
    t.target.client.deletePersistentSubscriptionToStream(stream, group).catch(() => {}),
  );

/** A stream and a group on it, not recorded, removed again at the end. */
async function given(t, { events = 4, name = 'a', group = 'g', ...changes } = {}) {
  const { stream, events: written } = await t.given(name, { events });
  await t.target.client.createPersistentSubscriptionToStream(stream, group, settings(changes));
  forget(t, stream, group);
  const ids = written.map(({ id }) => id);
  return {
    stream,
    ids,
    consumer: (more) => t.persistent({ stream, group, ...more }),
    info: (settled) => info(t, stream, group, settled),
  };
}

const idle = ({ outstandingMessagesCount }) => outstandingMessagesCount === 0;
const parked = (count) => (stats) => idle(stats) && stats.parkedMessageCount === count;

export const scenarios = {
  async 'create-update-delete'(t) {
    const { stream } = await t.given('a', { events: 2 });
    for (const note of ['first', 'again'])
      await t.as(note).client.createPersistentSubscriptionToStream(stream, 'g', settings());
    await info(t, stream, 'g');
    await t.client.updatePersistentSubscriptionToStream(
      stream,
      'g',
      settings({ maxRetryCount: 3, messageTimeout: 5000, startFrom: 1n }),
    );
    await info(t, stream, 'g');
    for (const note of ['first', 'again'])
      await t.as(note).client.deletePersistentSubscriptionToStream(stream, 'g');
  },
  async 'missing-group'(t) {
    const { stream } = await t.given('a');
    await t.client.updatePersistentSubscriptionToStream(stream, 'g', settings());
    await t.client.getPersistentSubscriptionToStreamInfo(stream, 'g');
    await t.client.replayParkedMessagesToStream(stream, 'g');
    await t.client.listPersistentSubscriptionsToStream(stream);
    await t.persistent({ stream, group: 'g' }).opened('end');
  },
  async 'create-on-other-streams'(t) {
    for (const then of [undefined, 'deleted', 'tombstoned']) {
      const { stream } = await t.given(`${then}`, { events: then ? 1 : 0, then });
      await t
        .as(then ?? 'missing')
        .client.createPersistentSubscriptionToStream(stream, 'g', settings());
      forget(t, stream, 'g');
    }
    await t
      .as('empty group name')
      .client.createPersistentSubscriptionToStream(t.s('x'), '', settings());
    forget(t, t.s('x'), '');
    await t
      .as('buffer below batch')
      .client.createPersistentSubscriptionToStream(
        t.s('x'),
        'g',
        settings({ historyBufferSize: 10, readBatchSize: 20 }),
      );
  },
  async list(t) {
    const { stream } = await given(t);
    await given(t, { events: 0, group: 'h' });
    for (const [method, ...args] of [
      ['listPersistentSubscriptionsToStream', stream],
      ['listAllPersistentSubscriptions'],
    ]) {
      await t.step({ client: method, args }, async () => {
        const own = (await t.target.client[method](...args)).filter(
          ({ eventSource }) => eventSource === stream,
        );
        return {
          result: own
            .map(({ eventSource, groupName, status }) => `${eventSource} ${groupName} ${status}`)
            .sort(),
        };
      });
    }
  },
  async acknowledged(t) {
    const g = await given(t);
    const consumer = g.consumer();
    await consumer.opened(5);
    consumer.ack(g.ids[0], g.ids[1]);
    for (const id of g.ids.slice(2)) consumer.ack(id);
    const {
      events: [live],
    } = await t.given('a');
    await consumer.frames(1);
    consumer.ack(live.id);
    await g.info(idle);
    consumer.cancel();
    await g.info((_, connections) => connections === 0);
  },
  async 'where-it-starts'(t) {
    for (const startFrom of ['start', 2n, 'end']) {
      const consumer = (await given(t, { name: `${startFrom}`, startFrom })).consumer();
      await consumer.opened(1);
      await t.given(`${startFrom}`);
      await consumer.frames('@4');
    }
  },
  async 'buffer-size-holds-back'(t) {
    const g = await given(t);
    const consumer = g.consumer({ bufferSize: 1 });
    await consumer.opened(2);
    for (const id of g.ids.slice(0, 3)) {
      consumer.ack(id);
      await consumer.frames(1);
    }
  },
  async 'retry-park-skip-stop'(t) {
    const g = await given(t, { events: 5 });
    const consumer = g.consumer();
    await consumer.opened(6);
    for (const _ of [1, 2]) {
      consumer.nack('retry', 'once more', g.ids[0]);
      await consumer.frames(1);
    }
    consumer.ack(g.ids[0]);
    consumer.nack('park', 'put aside', g.ids[1]);
    consumer.nack('skip', 'never mind', g.ids[2]);
    consumer.nack('stop', 'enough', g.ids[3]);
    consumer.nack('unknown', 'what then', g.ids[4]);
    await consumer.frames(1);
    consumer.ack(g.ids[4]);
    await g.info(parked(1n));
    await t.read({
      stream: `$persistentsubscription-${g.stream}::g-parked`,
      from: 'start',
      count: 10,
    });
  },
  async 'parked-and-replayed'(t) {
    const g = await given(t, { events: 3 });
    const consumer = g.consumer();
    await consumer.opened(4);
    consumer.nack('park', 'why not', ...g.ids);
    await g.info(parked(3n));
    await t.as('two of three').client.replayParkedMessagesToStream(g.stream, 'g', { stopAt: 2 });
    const {
      result: { frames },
    } = await consumer.frames(2);
    consumer.ack(...frames.map((line) => / \$> (\S+)/.exec(line)[1]));
    t.as('acknowledged by the ids of the links');
    await g.info(parked(1n));
    await t.as('the rest').client.replayParkedMessagesToStream(g.stream, 'g');
    await consumer.frames(1);
  },
  async 'unanswered-messages-are-retried-then-parked'(t) {
    const g = await given(t, { events: 1, messageTimeout: 500, maxRetryCount: 2 });
    await g.consumer().opened(4);
    await g.info(parked(1n));
  },
  async 'most-subscribers'(t) {
    const g = await given(t, { maxSubscriberCount: 1, events: 1 });
    await g.consumer().opened(2);
    t.as('one too many');
    await g.consumer().opened('end');
  },
  async 'changed-while-connected'(t) {
    for (const [name, ...more] of [
      ['updatePersistentSubscriptionToStream', settings({ maxRetryCount: 1 })],
      ['deletePersistentSubscriptionToStream'],
    ]) {
      const g = await given(t, { name, events: 1 });
      const consumer = g.consumer();
      await consumer.opened(2);
      await t.client[name](g.stream, 'g', ...more);
      await consumer.frames('end');
    }
  },
  async 'consumer-strategies'(t) {
    for (const consumerStrategyName of [
      'RoundRobin',
      'DispatchToSingle',
      'Pinned',
      'PinnedByCorrelation',
    ]) {
      const g = await given(t, { name: consumerStrategyName, events: 0, consumerStrategyName });
      const consumers = [g.consumer(), g.consumer()];
      for (const consumer of consumers) await consumer.opened(1);
      await t.given(consumerStrategyName, { events: 4 });
      await t
        .as(consumerStrategyName)
        .step({ note: 'events that each consumer got, sorted' }, async () => {
          const sizes = () => consumers.map(({ inbox }) => inbox.size).sort();
          while (sizes()[0] + sizes()[1] < 4)
            await new Promise((resolve) => setTimeout(resolve, 20));
          return { result: sizes() };
        });
    }
  },
  async links(t) {
    const { stream } = await t.given('a');
    const link = t.event({
      type: '$>',
      contentType: 'application/octet-stream',
      data: `0@${stream}`,
    });
    const g = await given(t, { name: 'links', events: [link], resolveLinkTos: true });
    const consumer = g.consumer();
    await consumer.opened(2);
    consumer.ack(g.ids[0]);
    t.as('acknowledged by the id of the link');
    await g.info(idle);
  },
  async 'to-all'(t) {
    const { position } = await t.given('a', { events: 2 });
    const group = t.s('g');
    const startFrom = { commit: BigInt(position.commit), prepare: BigInt(position.prepare) };
    const all = kurrent.persistentSubscriptionToAllSettingsFromDefaults({
      startFrom,
      checkPointAfter: 60_000,
    });
    const filter = { filterOn: 'streamName', prefixes: [t.s('a')], checkpointInterval: 1 };
    const { client } = t.target;
    t.onEnd(() => client.deletePersistentSubscriptionToAll(group).catch(() => {}));
    for (const note of ['first', 'again'])
      await t.as(note).client.createPersistentSubscriptionToAll(group, all, { filter });
    await t.step({ client: 'getPersistentSubscriptionToAllInfo', group }, async () => ({
      result: steady(await client.getPersistentSubscriptionToAllInfo(group)),
    }));
    await t.given('b');
    const {
      events: [{ id }],
    } = await t.given('a');
    const consumer = t.persistent({ group });
    await consumer.opened(2);
    consumer.ack(id);
    await t.client.updatePersistentSubscriptionToAll(group, all);
    for (const note of ['first', 'again'])
      await t.as(note).client.deletePersistentSubscriptionToAll(group);
    await t.client.getPersistentSubscriptionToAllInfo(group);
  },
  async 'with-the-client'(t) {
    const { stream } = await given(t, { events: 2 });
    const next = await t.clientSubscribe(
      'subscribeToPersistentSubscriptionToStream',
      [stream, 'g'],
      { first: '@1' },
    );
    await t.client.deletePersistentSubscriptionToStream(stream, 'g');
    await next('error');
    await t.clientSubscribe('subscribeToPersistentSubscriptionToStream', [stream, 'none'], {
      first: 'error',
    });
  },
};
