/**
 * Whether an append is the retry of one that succeeded, asked where the store cannot be asked: it answers an append,
 * and some appends are to be refused, or to be changed, unless they are retries.
 */
import { WrongExpectedRevision } from '../core/errors.ts';
import type { AppendResult, EventStore, ExpectedRevision } from '../ports/event-store.ts';

/** Newest events among which a retry without an exact revision is looked for. */
const windowEvents = 1_000;

/**
 * The first answer, or undefined when not all of it is stored at its place.
 * @throws WrongExpectedRevision when without an exact revision a part of it is stored
 */
export const findRepetition = async (
  store: EventStore,
  stream: string,
  expected: ExpectedRevision,
  ids: readonly string[],
): Promise<AppendResult | undefined> => {
  if (expected === 'any' || expected === 'stream-exists') {
    return findAnywhere(store, stream, expected, ids);
  }
  const from = expected === 'no-stream' ? 0 : expected + 1;
  let answer: AppendResult | undefined;
  let index = 0;
  for await (const event of store.readStream(stream, { from, limit: ids.length })) {
    if (event.id !== ids[index] || event.revision !== from + index) return undefined;
    answer = { revision: event.revision, position: event.position };
    index += 1;
  }
  return index === ids.length ? answer : undefined;
};

const findAnywhere = async (
  store: EventStore,
  stream: string,
  expected: ExpectedRevision,
  ids: readonly string[],
): Promise<AppendResult | undefined> => {
  const wanted = new Set(ids);
  const found = new Map<string, AppendResult>();
  let last = -1;
  const newest = store.readStream(stream, { direction: 'backwards', limit: windowEvents });
  for await (const { id, revision, position } of newest) {
    last = Math.max(last, revision);
    if (wanted.has(id)) found.set(id, { revision, position });
  }
  if (!found.has(ids[0]!)) return undefined;
  if (ids.every((id) => found.has(id))) return found.get(ids.at(-1)!);
  throw new WrongExpectedRevision({ stream, expected, actual: last });
};
