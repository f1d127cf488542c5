// What a client asks of the server itself, before and beside its streams.
import { empty } from '../lib/wire.mjs';

const SERVICES = [
  'event_store.client.streams.streams',
  'event_store.client.persistent_subscriptions.persistentsubscriptions',
  'event_store.client.gossip.gossip',
  'event_store.client.server_features.serverfeatures',
  'event_store.client.operations.operations',
  'event_store.client.users.users',
  'event_store.client.monitoring.monitoring',
  'event_store.client.projections.projections',
  'kurrentdb.protocol.v2.streams.streamsservice',
];

export const scenarios = {
  async features(t) {
    const ask = (service, pick) =>
      t.unary('features', 'getSupportedMethods', empty(), {
        rpc: 'ServerFeatures/GetSupportedMethods',
        service,
        pick,
      });
    const lower = ({ methodName, serviceName }) =>
      methodName + serviceName === (methodName + serviceName).toLowerCase();
    const shape = (version) => version.replace(/^\d+\.\d+\.\d+$/, '<major.minor.patch>');
    const line = ({ methodName, features }) => [methodName, ...features].join(' ');
    await ask(undefined, ({ eventStoreServerVersion, methods }) => ({
      version: shape(eventStoreServerVersion),
      lowerCase: methods.every(lower),
    }));
    for (const service of SERVICES)
      await ask(service, ({ methods }) =>
        methods
          .filter(({ serviceName }) => serviceName === service)
          .map(line)
          .sort(),
      );
  },
  async gossip(t) {
    const ticks = ({ timeStamp, ...member }) => ({
      ...member,
      timeStamp: timeStamp.replace(/^\d{17,18}$/, '<ticks>'),
    });
    await t.unary('gossip', 'read', empty(), {
      rpc: 'Gossip/Read',
      pick: ({ members }) => members.map(ticks),
    });
  },
  async 'health-info-and-gossip-over-http'(t) {
    for (const query of ['', '?liveCode=200', '?liveCode=nonsense'])
      await t.http(`/health/live${query}`);
    await t.http('/info', (body) => ({
      keys: Object.keys(JSON.parse(body)).sort(),
      state: JSON.parse(body).state,
    }));
    await t.http('/gossip', (body) => ({
      member: Object.keys(JSON.parse(body).members[0]).sort(),
      state: JSON.parse(body).members[0].state,
    }));
  },
  async 'unknown-methods'(t) {
    for (const path of ['event_store.client.streams.Streams/Nonsense', 'no.such.Service/Method']) {
      await t.step(
        { rpc: path },
        () =>
          new Promise((_, reject) =>
            t.raw.generic.makeUnaryRequest(
              `/${path}`,
              (x) => x,
              (x) => x,
              Buffer.alloc(0),
              reject,
            ),
          ),
      );
    }
  },
  async 'discovery-through-gossip'(t) {
    const { stream } = await t.given('a');
    const client = t.target.open('', 'kurrentdb+discover');
    t.onEnd(() => client.dispose());
    await t.step({ client: 'appendToStream', discover: true }, async () => ({
      result: await client.appendToStream(stream, t.json()),
    }));
    await t.step({ client: 'readStream', discover: true }, async () => {
      const revisions = [];
      for await (const {
        event: { revision },
      } of client.readStream(stream))
        revisions.push(revision);
      return { result: revisions };
    });
  },
  async 'requires-leader'(t) {
    const headers = { 'requires-leader': 'true' };
    const { stream } = await t.given('a');
    await t.read({ stream, from: 'start', count: 1, headers });
    await t.append({ stream, expect: 'any', events: t.events(1), headers });
  },
};
