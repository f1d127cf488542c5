/** What a client asks about the server: `ServerFeatures` and `Gossip`. */
import { bool, field, int64, message, repeated, text, uint32 } from './protobuf.ts';
import { Uuid } from './shared-messages.ts';

export const SupportedMethods = message({
  methods: repeated(
    1,
    message({
      methodName: field(1, text),
      serviceName: field(2, text),
      features: repeated(3, text),
    }),
  ),
  eventStoreServerVersion: field(2, text),
});

export const ClusterInfo = message({
  members: repeated(
    1,
    message({
      instanceId: field(1, Uuid),
      timeStamp: field(2, int64),
      state: field(3, uint32),
      isAlive: field(4, bool),
      httpEndPoint: field(5, message({ address: field(1, text), port: field(2, uint32) })),
    }),
  ),
});
