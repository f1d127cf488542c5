/**
 * How the events of one append stand in one row: `head` and `body`.
 *
 * 1. `body` is the texts of data, one after the other, each kept to the byte.
 * 2. `head` is JSON: the metadata that all events share, then `[flags, type, length, own metadata, id]` for each;
 *    lengths are counted as JavaScript counts them.
 * 3. What can be derived is left out and flagged: an id that comes from the hash, a `prev` that is the hash before
 *    it, a cause that is the first event of the append.
 * 4. A row that is not so is damaged: reading it names stream and revision.
 */
import { EclError } from '../../core/errors.ts';
import { eventIdOfHash } from '../../core/hash-chain.ts';
import type { EventData, EventMetadata, RecordedEvent } from '../../ports/event-store.ts';

export interface EncodedAppend {
  readonly head: string;
  readonly body: string;
}

/** Where a row stands: what its events need that is not in its texts. */
export interface RowPlace {
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly count: number;
}

const idFromHash = 1;
const prevIsHashBefore = 2;
const causeIsFirst = 4;

type Fields = Record<string, unknown>;
type Entry = [flags: number, type: string, length: number, own: Fields, id?: string];

const put = (fields: Fields, name: string, value: unknown): void => {
  // An assignment to this one name would set the prototype instead.
  if (name !== '__proto__') fields[name] = value;
  else Object.defineProperty(fields, name, { value, enumerable: true });
};

const isShareable = (value: unknown): boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

const sharedFields = (events: readonly EventData[]): Fields => {
  const first = events[0]!.metadata;
  const shared: Fields = {};
  for (const name of Object.keys(first)) {
    const value = first[name];
    if (!isShareable(value)) continue;
    let index = 1;
    while (index < events.length && events[index]!.metadata[name] === value) index += 1;
    if (index === events.length) put(shared, name, value);
  }
  return shared;
};

const encodeEntry = (events: readonly EventData[], index: number, shared: Fields): Entry => {
  const { id, type, data, metadata } = events[index]!;
  const before = index === 0 ? undefined : events[index - 1]!.metadata.hash;
  const own: Fields = {};
  let flags = 0;
  for (const name of Object.keys(metadata)) {
    const value = metadata[name];
    if (shared[name] === value && isShareable(value)) continue;
    if (name === 'prev' && typeof value === 'string' && value === before) flags |= prevIsHashBefore;
    else if (name === '$causationId' && index > 0 && value === events[0]!.id) flags |= causeIsFirst;
    else put(own, name, value);
  }
  const { hash } = metadata;
  if (typeof hash === 'string' && id === eventIdOfHash(hash)) {
    return [flags | idFromHash, type, data.length, own];
  }
  return [flags, type, data.length, own, id];
};

/** @throws EclError `input.not-json` when metadata cannot be written as JSON */
export const encodeAppend = (events: readonly EventData[]): EncodedAppend => {
  const shared = sharedFields(events);
  let body = '';
  const head: unknown[] = [shared];
  for (let index = 0; index < events.length; index += 1) {
    head.push(encodeEntry(events, index, shared));
    body += events[index]!.data;
  }
  try {
    return { head: JSON.stringify(head), body };
  } catch (cause) {
    const what = `The event ${events[0]!.type}`;
    const details = { what, path: 'metadata', reason: String(cause) };
    throw new EclError('input.not-json', details, { cause });
  }
};

const corrupt = ({ stream, revision }: RowPlace, reason: string, cause?: unknown): EclError =>
  new EclError('store.corrupt', { stream, revision, reason }, { cause });

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isEntry = (value: unknown): value is Entry =>
  Array.isArray(value) &&
  typeof value[0] === 'number' &&
  typeof value[1] === 'string' &&
  Number.isSafeInteger(value[2]) &&
  isFields(value[3]) &&
  (typeof value[4] === 'string' || (value[0] & idFromHash) !== 0);

const parseHead = (place: RowPlace, head: string): [Fields, ...Entry[]] => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(head);
  } catch (cause) {
    throw corrupt(place, 'its head is not JSON', cause);
  }
  if (!Array.isArray(parsed) || !isFields(parsed[0]) || parsed.length !== place.count + 1) {
    throw corrupt(place, `its head does not describe ${place.count} events`);
  }
  for (let index = 1; index < parsed.length; index += 1) {
    if (!isEntry(parsed[index])) {
      const revision = place.revision + index - 1;
      throw corrupt({ ...place, revision }, 'its head has no such event');
    }
  }
  return parsed as [Fields, ...Entry[]];
};

/** Both together; `Object.assign` is many times faster than a spread on Node 20, but sets a prototype. */
const merge = (shared: Fields, own: Fields): Fields =>
  Object.hasOwn(own, '__proto__') || Object.hasOwn(shared, '__proto__')
    ? { ...shared, ...own }
    : Object.assign({}, shared, own);

const metadataOf = (
  shared: Fields,
  [flags, , , own]: Entry,
  earlier: readonly RecordedEvent[],
): EventMetadata => {
  const metadata: { prev?: string; $causationId?: string } & Fields = merge(shared, own);
  const before = earlier.at(-1)?.metadata.hash;
  if ((flags & prevIsHashBefore) !== 0 && before !== undefined) metadata.prev = before;
  if ((flags & causeIsFirst) !== 0 && earlier[0] !== undefined) {
    metadata.$causationId = earlier[0].id;
  }
  return metadata;
};

/** @throws EclError `store.corrupt` */
export const decodeAppend = (place: RowPlace, { head, body }: EncodedAppend): RecordedEvent[] => {
  const [shared, ...entries] = parseHead(place, head);
  const events: RecordedEvent[] = [];
  let offset = 0;
  for (const entry of entries) {
    const [flags, type, length, , id] = entry;
    const metadata = metadataOf(shared, entry, events);
    const revision = place.revision + events.length;
    const isDerived = (flags & idFromHash) !== 0;
    if (isDerived && typeof metadata.hash !== 'string') {
      throw corrupt({ ...place, revision }, 'it has no hash to derive its id from');
    }
    events.push({
      id: isDerived ? eventIdOfHash(metadata.hash!) : id!,
      type,
      data: body.slice(offset, offset + length),
      metadata,
      stream: place.stream,
      revision,
      position: BigInt(place.position + events.length),
    });
    offset += length;
  }
  if (offset !== body.length) {
    throw corrupt(place, `its data has ${body.length} characters, not ${offset}`);
  }
  return events;
};
