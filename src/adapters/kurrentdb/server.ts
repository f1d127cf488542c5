/**
 * What the server is and can do, asked once it takes appends.
 *
 * 1. The test is an append without events: it goes the whole way of one, to the disks of a quorum, and stores nothing.
 */
import { ANY } from '@kurrent/kurrentdb-client';
import { lastPosition } from './all-reading.ts';
import type { AppendFeatures } from './appending.ts';
import { isPassing, type Connection } from './connection.ts';
import { monotonicMs } from './timing.ts';

export interface Server extends AppendFeatures {
  readonly version: string;
  /** How long the append without events took, or the read of a reader. */
  readonly readyMs: number;
}

const streams = '/kurrentdb.protocol.v2.streams.StreamsService';

/** The stream that no event is ever stored in. */
export const probeStream = 'ecl-ready';

/** @throws what the client throws */
export const askServer = async (
  connection: Connection,
  access: 'write' | 'read',
): Promise<Server> => {
  let begun = monotonicMs();
  const ask = async (): Promise<unknown> => {
    begun = monotonicMs();
    if (access === 'read') return lastPosition(connection);
    return connection.use('the first append', (client) =>
      client.appendToStream(probeStream, [], { streamState: ANY }),
    );
  };
  await connection.persistently(ask, isPassing);
  const readyMs = monotonicMs() - begun;
  const features = await connection.persistently(() => connection.features());
  return {
    version: features.serverVersion,
    appendRecords: features.supports({ path: `${streams}/AppendRecords` }),
    appendSession: features.supports({ path: `${streams}/AppendSession` }),
    readyMs,
  };
};
