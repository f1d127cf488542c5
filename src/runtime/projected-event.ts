/**
 * Journal events as projections get them: brought up to the current schema, with where and when they were recorded.
 *
 * 1. A payload that was moved out of the journal stays out: in its field stands the reference, and nothing is fetched.
 * 2. Only the fields named in `payloadFields` can be such references; an event in which another field had to be moved
 *    out is one that cannot be folded.
 * 3. What cannot be parsed is an error here; whoever folds decides to skip it.
 */
import { z } from 'zod';
import { EclError, isEclError } from '../core/errors.ts';
import { runIdOfStream } from '../core/ids.ts';
import {
  journalEventSchemas,
  type JournalData,
  type JournalEvent,
  type JournalEventType,
} from '../core/journal-events.ts';
import { schemaVersionOf, upcast } from '../core/upcasters.ts';
import type { RecordedEvent } from '../ports/event-store.ts';

/** Fields that may be too long for the journal; all others are names, ids, numbers and hashes. */
const payloadFields = [
  'accepts',
  'error',
  'event',
  'expected',
  'from',
  'got',
  'input',
  'output',
  'reason',
  'tags',
  'text',
  'to',
  'toolCalls',
  'value',
] as const;
type PayloadField = (typeof payloadFields)[number];

/** Stands for a field whose value was too long for the journal and lies in the artifact store. */
export interface PayloadReference {
  readonly '$ecl.blob': { readonly sha256: string; readonly bytes: number };
}

const marker = '$ecl.blob';

/** Whether a field holds a reference in place of its value. */
export const isPayloadReference = (value: unknown): value is PayloadReference =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, marker);

/** Data of an event, where a long field may be a reference. */
export type ProjectedData<Type extends JournalEventType> = {
  readonly [Name in keyof JournalData<Type>]: Name extends PayloadField
    ? JournalData<Type>[Name] | PayloadReference
    : JournalData<Type>[Name];
};

export interface ProjectedFields<Type extends JournalEventType> {
  readonly data: ProjectedData<Type>;
  /** Id of the run in whose journal it stands. */
  readonly run: string;
  readonly revision: number;
  readonly position: bigint;
  /** When it was recorded: ISO 8601, UTC, milliseconds. */
  readonly at: string;
  /** The process that recorded it: a uuid v7. */
  readonly writer: string;
}

/** A journal event as a projection folds it. */
export type ProjectedEvent<Type extends JournalEventType = JournalEventType> = {
  [Each in Type]: ProjectedFields<Each> & { readonly type: Each };
}[Type];

type EventSchemas = {
  readonly [Type in JournalEventType]: z.ZodType<ProjectedFields<Type>>;
};

const fieldsOf = (data: z.ZodType): z.ZodType =>
  z.object({
    data,
    run: z.string(),
    revision: z.number(),
    position: z.bigint(),
    at: z.string(),
    writer: z.string(),
  });

/**
 * Schemas of all events that a projection may fold, for `createStore({ schemas: { events } })`: with them the
 * transitions of the store know their events.
 */
export const projectedEvents = Object.fromEntries(
  Object.entries(journalEventSchemas).map(([type, data]) => [type, fieldsOf(data)]),
) as unknown as EventSchemas;

const looseSchemas = new Map<string, z.ZodType>();

/** The schema of a type without some of its fields, kept for the next event that lacks them. */
const schemaWithout = (type: JournalEventType, names: readonly string[]): z.ZodType => {
  const id = `${type} ${names.join(' ')}`;
  let schema = looseSchemas.get(id);
  if (schema === undefined) {
    const whole = journalEventSchemas[type] as z.ZodObject;
    schema = whole.omit(Object.fromEntries(names.map((name) => [name, true])) as never);
    looseSchemas.set(id, schema);
  }
  return schema;
};

/** An event some of whose fields are references: those are believed, all others are parsed. */
const withReferences = (type: JournalEventType, stored: object): JournalEvent | undefined => {
  const entries = Object.entries(stored);
  const isMovedOut = ([name, value]: [string, unknown]): boolean =>
    isPayloadReference(value) && (payloadFields as readonly string[]).includes(name);
  const movedOut = entries.filter(isMovedOut);
  const schema = schemaWithout(
    type,
    movedOut.map(([name]) => name),
  );
  const parsed = schema.safeParse(
    Object.fromEntries(entries.filter((entry) => !isMovedOut(entry))),
  );
  if (!parsed.success) return undefined;
  const data = { ...(parsed.data as object), ...Object.fromEntries(movedOut) };
  return { type, data } as unknown as JournalEvent;
};

const parseData = ({ type, data: text, metadata }: RecordedEvent): JournalEvent => {
  const schema = typeof metadata.schema === 'number' ? metadata.schema : 1;
  const data: unknown = JSON.parse(text);
  try {
    return upcast(type, schema, data);
  } catch (error) {
    const mayRefer = isEclError(error, 'event.invalid') && text.includes(`"${marker}"`);
    const known = type as JournalEventType;
    if (!mayRefer || schema !== schemaVersionOf(known)) throw error;
    const event = withReferences(known, data as object);
    if (event === undefined) throw error;
    return event;
  }
};

/** Events of one append come one after the other, so the last answer is the next one more often than not. */
let known: { readonly stream: string; readonly run: string | undefined } = {
  stream: '',
  run: undefined,
};

const runOf = (stream: string): string | undefined => {
  if (known.stream !== stream) known = { stream, run: runIdOfStream(stream) };
  return known.run;
};

/**
 * A stored event as projections fold it, or undefined for one of a stream that is no journal.
 *
 * @throws EclError `event.unknown-type`, `event.invalid`, SyntaxError
 */
export const projectedEvent = (recorded: RecordedEvent): ProjectedEvent | undefined => {
  const { stream, revision, position, metadata } = recorded;
  const run = runOf(stream);
  if (run === undefined) return undefined;
  const { at, writer = '' } = metadata;
  if (typeof at !== 'string') {
    const issues = 'it does not say when it was recorded';
    throw new EclError('event.invalid', { type: recorded.type, issues });
  }
  const { type, data } = parseData(recorded);
  return { type, data, run, revision, position, at, writer } as ProjectedEvent;
};
