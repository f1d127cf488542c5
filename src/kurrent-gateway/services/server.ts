/** What a client asks about the server: what it can do, and who belongs to the cluster. */
import type { sendUnaryData } from '@grpc/grpc-js';
import { empty, type Out } from '../protocol/protobuf.ts';
import { ClusterInfo, SupportedMethods } from '../protocol/server-messages.ts';
import { structuredUuid } from '../protocol/uuid.ts';
import { method } from './method.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** The version whose answers the gateway gives; clients decide by it what to send. */
export const protocolVersion = '26.0.3';

/** Everything that is served, with the features that clients look for. */
const supported: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'event_store.client.streams.streams': {
    append: [],
    batchappend: ['deadline_duration'],
    delete: [],
    read: ['position', 'events'],
    tombstone: [],
  },
  'event_store.client.gossip.gossip': { read: [] },
  'event_store.client.server_features.serverfeatures': { getsupportedmethods: [] },
  'kurrentdb.protocol.v2.streams.streamsservice': { appendrecords: [], appendsession: [] },
};

const methods = Object.entries(supported).flatMap(([serviceName, names]) =>
  Object.entries(names).map(([methodName, features]) => ({ serviceName, methodName, features })),
);

export const featuresMethod = method({
  path: '/event_store.client.server_features.ServerFeatures/GetSupportedMethods',
  request: empty,
  response: SupportedMethods,
});

export const handleFeatures = (
  _: unknown,
  answer: sendUnaryData<Out<typeof SupportedMethods>>,
): void => answer(null, { methods, eventStoreServerVersion: protocolVersion });

export const gossipMethod = method({
  path: '/event_store.client.gossip.Gossip/Read',
  request: empty,
  response: ClusterInfo,
});

export interface Member {
  readonly instanceId: string;
  readonly address: () => Address;
  readonly now: () => number;
}

const leader = 8;
const ticksPerMs = 10_000n;

/** A cluster of one, which leads. */
export const handleGossip =
  ({ instanceId, address, now }: Member) =>
  (_: unknown, answer: sendUnaryData<Out<typeof ClusterInfo>>): void => {
    const { host, port } = address();
    answer(null, {
      members: [
        {
          instanceId: structuredUuid(instanceId),
          timeStamp: BigInt(now()) * ticksPerMs,
          state: leader,
          isAlive: true,
          httpEndPoint: { address: host, port },
        },
      ],
    });
  };
