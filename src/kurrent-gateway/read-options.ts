/** What a Read asks for, read from its request once. */
import { eventFilter, type EventFilter } from './event-filter.ts';
import type { Position, UuidForm } from './frames.ts';
import type { WireReadOptions } from './protocol/streams-messages.ts';
import { invalid, malformed, unreadable, type InvalidCall } from './refusals.ts';

interface Common {
  readonly isBackwards: boolean;
  readonly isSubscription: boolean;
  /** `Infinity` for a subscription. */
  readonly count: number;
  readonly resolveLinks: boolean;
  readonly uuids: UuidForm;
}

export interface StreamRead extends Common {
  readonly stream: string;
  /** A revision, which may lie beyond the numbers of JavaScript's integers. */
  readonly from: bigint | 'start' | 'end';
  /** Whether the reader is told where the stream begins and ends. */
  readonly tellsEnds: boolean;
}

export interface AllRead extends Common {
  readonly stream: undefined;
  readonly from: Position | 'start' | 'end';
  readonly filter: EventFilter | undefined;
}

const revisionMax = 0x7fff_ffff_ffff_ffffn;
const endOfStream = 0xffff_ffff_ffff_ffffn;

/** As the real server names the request in what it says about it. */
const wireType = 'EventStore.Client.Streams.ReadReq+Types+Options+';

const readError = (reason: string, parameter: string): InvalidCall =>
  unreadable(`Unexpected ReadStreamResult: Error >> ${reason}. (Parameter '${parameter}')`);

/** @throws InvalidCall */
export const readOptions = (options: WireReadOptions | undefined): StreamRead | AllRead => {
  if (options === undefined) throw malformed('A read has options');
  const { stream, all, count, subscription, filter, noFilter, uuidOption } = options;
  if (stream === undefined && all === undefined)
    throw invalid(`'None' is not a valid ${wireType}StreamOptionOneofCase`);
  checkCombination(options);
  if (uuidOption === undefined)
    throw invalid(`'uuidOption' is a required argument of type ${wireType}Types+UUIDOption`);
  if (count === 0n) throw readError('maxCount should be positive', 'maxCount');
  const common: Common = {
    isBackwards: options.readDirection === 1,
    isSubscription: subscription !== undefined,
    count: count === undefined ? Infinity : Number(count),
    resolveLinks: options.resolveLinks ?? false,
    uuids: uuidOption.structured === undefined ? 'string' : 'structured',
  };
  if (stream === undefined) {
    return {
      ...common,
      stream: undefined,
      from: allStart(all!),
      filter: noFilter === undefined ? allFilter(filter!, common) : undefined,
    };
  }
  const name = stream.streamIdentifier?.streamName?.toString('utf8') ?? '';
  if (name === '') throw malformed('A stream has a name');
  const tellsEnds = (options.controlOption?.compatibility ?? 0) >= 1;
  return { ...common, stream: name, from: streamStart(stream, common), tellsEnds };
};

const checkCombination = (options: WireReadOptions): void => {
  const { stream, count, subscription, filter, noFilter, readDirection } = options;
  const parts = [
    stream === undefined ? 'All' : 'Stream',
    count === undefined ? (subscription === undefined ? 'None' : 'Subscription') : 'Count',
    readDirection === 1 ? 'Backwards' : 'Forwards',
    filter === undefined ? (noFilter === undefined ? 'None' : 'NoFilter') : 'Filter',
  ];
  const [place, extent, direction, filtering] = parts;
  const isValid =
    extent !== 'None' &&
    filtering !== 'None' &&
    !(place === 'Stream' && filtering === 'Filter') &&
    !(extent === 'Subscription' && direction === 'Backwards');
  if (!isValid) throw invalid(`The combination of (${parts.join(', ')}) is invalid.`);
};

const streamStart = (
  { revision, start, end }: NonNullable<WireReadOptions['stream']>,
  { isBackwards, isSubscription }: Common,
): StreamRead['from'] => {
  const from =
    revision ?? (start === undefined ? (end === undefined ? undefined : 'end') : 'start');
  if (from === undefined) throw malformed('A read of a stream starts somewhere');
  const isEnd = from === 'end' || from === endOfStream;
  if (isEnd && !isBackwards && !isSubscription) {
    throw readError('fromEventNumber should be non negative', 'fromEventNumber');
  }
  if (isEnd) return 'end';
  if (typeof from === 'bigint' && from > revisionMax) throw malformed('There is no such revision');
  return from;
};

const allStart = ({
  position,
  start,
  end,
}: NonNullable<WireReadOptions['all']>): AllRead['from'] => {
  if (start !== undefined) return 'start';
  if (end !== undefined) return 'end';
  if (position === undefined) throw malformed('A read of all starts somewhere');
  const { commitPosition: commit = 0n, preparePosition: prepare = 0n } = position;
  if (commit === endOfStream && prepare === endOfStream) return 'end';
  if (prepare > commit) throw malformed('The prepare position lies beyond the commit position');
  return { commit, prepare };
};

const allFilter = (
  wire: NonNullable<WireReadOptions['filter']>,
  { isSubscription }: Common,
): EventFilter => {
  const filter = eventFilter(wire);
  if (isSubscription && filter.windowsPerCheckpoint === 0) {
    throw unreadable('The multiplier of checkpoints is 1 or more');
  }
  return filter;
};
