/**
 * Old shapes of stored types, brought up to the current one on reading. Stored events are never rewritten.
 *
 * 1. `versions` is what is written today; a type that is not named there has version 1.
 * 2. An upcaster lifts one type by one version. An event newer than this program knows is an error, not a guess.
 */
import { EclError } from './errors.ts';
import { journalEventSchemas, type JournalEvent, type JournalEventType } from './journal-events.ts';

type Upcast = (data: unknown) => unknown;

export interface Upcasting {
  /** What is written today; a type that is not named has version 1. */
  readonly versions: Partial<Record<JournalEventType, number>>;
  /** By type, then by the version that is lifted to the next one. */
  readonly upcasters: Partial<Record<JournalEventType, Readonly<Record<number, Upcast>>>>;
}

const today: Upcasting = { versions: {}, upcasters: {} };

export const schemaVersionOf = (type: JournalEventType): number => today.versions[type] ?? 1;

/**
 * A stored event as today's program knows it.
 *
 * @param upcasting other tables, for a test of this function
 * @throws EclError `event.unknown-type`, `event.invalid`
 */
export const upcast = (
  type: string,
  schema: number,
  stored: unknown,
  { versions, upcasters }: Upcasting = today,
): JournalEvent => {
  if (!Object.hasOwn(journalEventSchemas, type)) {
    throw new EclError('event.unknown-type', { type, schema });
  }
  const known = type as JournalEventType;
  const current = versions[known] ?? 1;
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
