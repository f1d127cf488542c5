/** What a client of the first version proposes, read from its messages. */
import type { ExpectedRevision } from '../ports/event-store.ts';
import type { WireExpectation, WireProposed } from './protocol/streams-messages.ts';
import { uuidOf } from './protocol/uuid.ts';
import { invalid, malformed, missingProperty } from './refusals.ts';
import type { ProposedEvent } from './stored-event.ts';

const nothing = Buffer.alloc(0);

/** @throws InvalidCall */
export const streamName = ({ streamIdentifier }: WireExpectation): string => {
  const name = streamIdentifier?.streamName?.toString('utf8') ?? '';
  if (name === '') throw malformed('A stream has a name');
  return name;
};

/**
 * @param request name of the message that says what is expected
 * @throws InvalidCall where no revision is expected, not even any
 */
export const expectedRevision = (options: WireExpectation, request: string): ExpectedRevision => {
  if (options.revision !== undefined) return Number(options.revision);
  if (options.noStream !== undefined) return 'no-stream';
  if (options.anyRevision !== undefined) return 'any';
  if (options.streamExists !== undefined) return 'stream-exists';
  throw invalid(`'None' is not a valid EventStore.Client.Streams.${request}`);
};

/** @throws InvalidCall */
export const proposedEvent = (proposed: WireProposed): ProposedEvent => {
  const type = proposed.metadata?.get('type');
  const contentType = proposed.metadata?.get('content-type');
  if (type === undefined) throw missingProperty('type');
  if (contentType === undefined) throw missingProperty('content-type');
  if (type === '') throw malformed('An event has a type');
  const id = uuidOf(proposed.id);
  if (id === undefined) throw malformed('An event has an id that is a uuid');
  return {
    id,
    type,
    // What is neither JSON nor octets is stored as octets.
    isJson: contentType === 'application/json',
    data: proposed.data ?? nothing,
    metadata: proposed.customMetadata ?? nothing,
  };
};
