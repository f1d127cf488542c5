/**
 * Old shapes of stored types, brought up to the current one on reading. Stored events are never rewritten.
 *
 * 1. `schemaVersions` is what is written today; a type that is not named there has version 1.
 * 2. An upcaster lifts one type by one version. An event newer than this program knows is an error, not a guess.
 */
import { EclError } from './errors.ts';
import { journalEventSchemas, type JournalEvent, type JournalEventType } from './journal-events.ts';

type Upcast = (data: unknown) => unknown;

export const schemaVersions: Partial<Record<JournalEventType, number>> = {};

/** By type, then by the version that is lifted to the next one. */
const upcasters: Partial<Record<JournalEventType, Readonly<Record<number, Upcast>>>> = {};

export const schemaVersionOf = (type: JournalEventType): number => schemaVersions[type] ?? 1;

/**
 * A stored event as today's program knows it.
 * @throws EclError `event.unknown-type`, `event.invalid`
 */
export const upcast = (type: string, schema: number, stored: unknown): JournalEvent => {
  if (!Object.hasOwn(journalEventSchemas, type)) {
    throw new EclError('event.unknown-type', { type, schema });
  }
  const known = type as JournalEventType;
  const current = schemaVersionOf(known);
  if (schema > current) throw new EclError('event.unknown-type', { type, schema });
  let data = stored;
  for (let version = schema; version < current; version += 1) {
    const lift = upcasters[known]?.[version];
    if (lift === undefined) throw new EclError('event.unknown-type', { type, schema });
    data = lift(data);
  }
  return parseJournalEvent(known, data);
};

/** @throws EclError `event.invalid` */
export const parseJournalEvent = (type: JournalEventType, data: unknown): JournalEvent => {
  const parsed = journalEventSchemas[type].safeParse(data);
  if (parsed.success) return { type, data: parsed.data } as JournalEvent;
  const issues = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new EclError('event.invalid', { type, issues: issues.join('; ') });
};
