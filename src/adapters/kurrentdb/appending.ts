/**
 * Appends as calls to the server.
 *
 * 1. One stream goes over the first protocol, the fastest; several streams, or checks, over AppendRecords or, where that
 *    is missing, AppendSession: all or none.
 * 2. An append that was certainly not written is tried again while patience lasts. One in doubt never is: the caller
 *    repeats it unchanged, and the server knows it again by its ids at its place.
 * 3. A retry is known by ids and place, never by place alone, so that a loser is refused however often it asks.
 */
import { ANY, NO_STREAM, STREAM_EXISTS } from '@kurrent/kurrentdb-client';
import { EclError } from '../../core/errors.ts';
import type {
  Append,
  AppendResult,
  ExpectedRevision,
  StreamCheck,
} from '../../ports/event-store.ts';
import { lastPosition } from './all-reading.ts';
import type { Connection } from './connection.ts';
import { appendFailure, failureOf, refusalOf, violationOf } from './errors.ts';
import { isRecordType, textsOf, toClientEvent, type ClientEvent } from './event-codec.ts';
import { readStream } from './stream-reading.ts';
import { schemaFormats, states } from './wire-messages.ts';
import { appendRecords } from './wire.ts';

/** What the server offers for appends over several streams. */
export interface AppendFeatures {
  readonly appendRecords: boolean;
  readonly appendSession: boolean;
}

/** An append with its events as the client takes them, which nobody else holds. */
export interface PreparedAppend extends Append {
  readonly clientEvents: readonly ClientEvent[];
  readonly bytes: number;
}

/** The server ends the whole call, with every append on it, at 16 MiB; 1 MiB is the most of servers before 25.1. */
const eventBytesMax = 15 * 1024 * 1024;

/** @throws EclError `input.not-json`, `input.too-large` */
export const prepare = (append: Append): PreparedAppend => {
  let bytes = 0;
  for (const { type, data } of append.events) {
    const size = Buffer.byteLength(data);
    bytes += size;
    if (size <= eventBytesMax) continue;
    const what = `The event ${type}`;
    throw new EclError('input.too-large', { what, bytes: size, limit: eventBytesMax });
  }
  return {
    ...append,
    events: [...append.events],
    bytes,
    clientEvents: append.events.map(toClientEvent),
  };
};

const stateOf = (
  expected: ExpectedRevision,
): bigint | typeof ANY | typeof NO_STREAM | typeof STREAM_EXISTS => {
  switch (expected) {
    case 'any':
      return ANY;
    case 'no-stream':
      return NO_STREAM;
    case 'stream-exists':
      return STREAM_EXISTS;
    default:
      return BigInt(expected);
  }
};

/** Whether an append can stand in one with others: its place is exact, and its types are allowed there. */
export const isGroupable = ({ expectedRevision, events }: Append): boolean =>
  (typeof expectedRevision === 'number' || expectedRevision === 'no-stream') &&
  events.every(({ type }) => isRecordType(type));

const wasNotWritten = (error: unknown): boolean =>
  ['not-reached', 'not-leader'].includes(failureOf(error).kind);

export class Appending {
  readonly #connection: Connection;
  readonly features: AppendFeatures;

  constructor(connection: Connection, features: AppendFeatures) {
    this.#connection = connection;
    this.features = features;
  }

  /** @throws WrongExpectedRevision, OutcomeUnknown, EclError `store.stream-deleted`, `store.unavailable` */
  async one(append: PreparedAppend): Promise<AppendResult> {
    const { stream, expectedRevision, clientEvents } = append;
    try {
      const streamState = stateOf(expectedRevision);
      const result = await this.#call((client) =>
        client.appendToStream(stream, [...clientEvents], { streamState }),
      );
      const position = result.position?.commit ?? (await lastPosition(this.#connection)) ?? 0n;
      return { revision: Number(result.nextExpectedRevision), position };
    } catch (error) {
      throw refusalOf(error, append) ?? appendFailure(this.#connection.shown, stream, error);
    }
  }

  /**
   * Several streams in one append; the position of each answer is that of the last event of all.
   *
   * @throws WrongExpectedRevision, CheckFailed, OutcomeUnknown, EclError
   */
  async many(
    appends: readonly PreparedAppend[],
    checks: readonly StreamCheck[] = [],
  ): Promise<AppendResult[]> {
    try {
      const { position, responses } = await this.#written(appends, checks);
      const revisions = new Map(
        responses.map(({ streamName, revision }) => [streamName, revision]),
      );
      const place = position ?? (await lastPosition(this.#connection)) ?? 0n;
      return appends.map(({ stream }) => ({
        revision: Number(revisions.get(stream)),
        position: place,
      }));
    } catch (error) {
      const streams = appends.map(({ stream }) => stream).join(', ');
      throw (
        violationOf(error, appends, checks) ?? appendFailure(this.#connection.shown, streams, error)
      );
    }
  }

  /** The same, with the position of the last event of each. */
  async manyPlaced(
    appends: readonly PreparedAppend[],
    checks: readonly StreamCheck[],
  ): Promise<AppendResult[]> {
    const results = await this.many(appends, checks);
    return Promise.all(
      results.map(async ({ revision, position }, index) => {
        const { stream } = appends[index]!;
        const events = readStream(this.#connection, stream, { from: revision, limit: 1 });
        for await (const event of events) return { revision, position: event.position };
        return { revision, position };
      }),
    );
  }

  async #written(
    appends: readonly PreparedAppend[],
    checks: readonly StreamCheck[],
  ): Promise<Written> {
    if (!this.features.appendRecords) return this.#session(appends);
    const request = { records: appends.flatMap(recordsOf), checks: checksOf(appends, checks) };
    const answer = await this.#call((client) => appendRecords(client, request));
    const responses = (answer.revisions ?? []).map(({ stream = '', revision = 0n }) => ({
      streamName: stream,
      revision,
    }));
    return { responses, ...(answer.position === undefined ? {} : { position: answer.position }) };
  }

  #session(appends: readonly PreparedAppend[]): Promise<Written> {
    const requests = appends.map(({ stream, expectedRevision, clientEvents }) => ({
      streamName: stream,
      expectedState: stateOf(expectedRevision),
      events: clientEvents.map((event) => ({ ...event, metadata: textsOf(event) })),
    }));
    return this.#call((client) => client.multiStreamAppend(requests));
  }

  #call<T>(work: (client: Connection['client']) => Promise<T>): Promise<T> {
    return this.#connection.persistently(async () => {
      try {
        return await this.#connection.use('an append', work);
      } catch (error) {
        if (failureOf(error).kind === 'not-leader') await this.#findLeader();
        throw error;
      }
    }, wasNotWritten);
  }

  /** The client goes to the leader when a call that asks for it is turned away, which appends do not. */
  async #findLeader(): Promise<void> {
    await lastPosition(this.#connection).catch(() => undefined);
  }
}

const recordsOf = ({ stream, events, clientEvents }: PreparedAppend) =>
  clientEvents.map((event, index) => ({
    recordId: event.id,
    properties: propertiesOf(event),
    schema: {
      format: event.contentType === 'application/json' ? schemaFormats.json : schemaFormats.bytes,
      name: event.type,
    },
    data: events[index]!.data,
    stream,
  }));

const propertiesOf = (event: ClientEvent): Record<string, { readonly stringValue: string }> =>
  Object.fromEntries(
    Object.entries(textsOf(event)).map(([name, stringValue]) => [name, { stringValue }]),
  );

const checksOf = (appends: readonly PreparedAppend[], checks: readonly StreamCheck[]) => {
  const expected = appends.flatMap(({ stream, expectedRevision }) => {
    // No check stands for "any": the server takes none with that.
    if (expectedRevision === 'any') return [];
    if (expectedRevision === 'no-stream') return [{ stream, expectedState: states.noStream }];
    if (expectedRevision === 'stream-exists')
      return [{ stream, expectedState: states.streamExists }];
    return [{ stream, expectedState: expectedRevision }];
  });
  const resting = checks.map(({ stream, revision }) => ({ stream, expectedState: revision }));
  return [...expected, ...resting].map((streamState) => ({ streamState }));
};

interface Written {
  readonly position?: bigint;
  readonly responses: readonly { readonly streamName: string; readonly revision: bigint }[];
}
