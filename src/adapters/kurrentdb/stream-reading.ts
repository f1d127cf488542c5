/**
 * Reads of one stream, in pages.
 *
 * 1. Every read is bounded, and one that breaks off goes on behind the last event that it gave.
 */
import { limits } from '../../core/limits.ts';
import type { ReadStreamOptions, RecordedEvent } from '../../ports/event-store.ts';
import type { Connection } from './connection.ts';
import { fromWire } from './event-codec.ts';
import { frames } from './reading.ts';
import type { ReadOptions } from './wire.ts';

const streamOptions = (stream: string, from: number | 'start' | 'end'): ReadOptions => ({
  stream: {
    streamIdentifier: { streamName: Buffer.from(stream) },
    ...(typeof from === 'number' ? { revision: from } : { [from]: {} }),
  },
  noFilter: {},
  controlOption: { compatibility: 1 },
});

/** Events of a stream as the port has them. @throws what the client throws */
export async function* readStream(
  connection: Connection,
  stream: string,
  { from, direction = 'forwards', limit = Infinity }: ReadStreamOptions,
): AsyncGenerator<RecordedEvent> {
  const step = direction === 'forwards' ? 1 : -1;
  let next: number | 'start' | 'end' = from ?? (step === 1 ? 'start' : 'end');
  // Reading backwards from beyond the end begins at the last event, forwards from beyond int64 is an error.
  if (next === 0 && step === 1) next = 'start';
  let left = limit;
  let count = 0;
  let given = 0;
  const page = (): AsyncGenerator<RecordedEvent> => {
    given = 0;
    count = Math.min(left, limits.readBatchMax);
    return events(connection, {
      ...streamOptions(stream, next),
      readDirection: step === 1 ? 0 : 1,
      count,
    });
  };
  while (left > 0) {
    for await (const event of connection.persistentItems(page)) {
      given += 1;
      left -= 1;
      next = event.revision + step;
      yield event;
      if (left <= 0) return;
    }
    if (given < count || (typeof next === 'number' && next < 0)) return;
  }
}

/** The events among the frames of a read. */
export async function* events(
  connection: Connection,
  options: ReadOptions,
  answerMs?: number,
): AsyncGenerator<RecordedEvent> {
  for await (const { event } of frames(connection, options, answerMs)) {
    if (event?.event !== undefined) yield fromWire(event.event);
  }
}

/** Revision of the last event that a stream has. */
export const lastRevision = async (
  connection: Connection,
  stream: string,
): Promise<number | undefined> => {
  const last = readStream(connection, stream, { direction: 'backwards', limit: 1 });
  for await (const { revision } of last) return revision;
  return undefined;
};
