/**
 * What must be true of a store and a ledger of calls, whatever was killed on the way. One checker for all tests.
 *
 * 1. Revisions without gaps, hash chain and replay: `verify` of ECL, and a count of its own.
 * 2. No call that was journaled is made again: each journaled reply comes from the last call of its request.
 * 3. Whatever completed, completed once; each invocation has one end.
 */
import { createEcl, type Ecl, type EclOptions, type PublicEvent } from 'ecl';
import pino from 'pino';
import type { Call } from './model-server.ts';

export interface History {
  readonly events: readonly PublicEvent[];
  /** Type of the last event that says something of the run as a whole, by stream. */
  readonly ends: ReadonlyMap<string, string>;
  /** Calls that were made more than once, because the process died before their reply was stored. */
  readonly repeated: number;
}

interface Data {
  readonly invocation?: string;
  readonly text?: string;
  readonly id?: string;
}

const numberIn = (text: string): number =>
  Number([...text.matchAll(/\[(\d+)\]/g)].at(-1)?.[1] ?? Number.NaN);

const assertTrue = (condition: boolean, what: string): void => {
  if (!condition) throw new Error(`history: ${what}`);
};

const checkStreams = (events: readonly PublicEvent[]): Map<string, string> => {
  const next = new Map<string, number>();
  const ends = new Map<string, string>();
  const settled = new Set<string>();
  const ids = new Set<string>();
  for (const { stream, revision, type, data, id } of events) {
    const expected = next.get(stream) ?? 0;
    assertTrue(revision === expected, `${stream} has ${revision} after ${expected - 1}`);
    next.set(stream, revision + 1);
    assertTrue(!ids.has(id), `the id ${id} is there twice`);
    ids.add(id);
    const { invocation, id: name } = data as Data;
    const closes = ['StepSucceeded', 'StepFailed', 'StepInterrupted', 'StepCancelled'];
    if (closes.includes(type)) {
      const step = `${stream} ${invocation}`;
      assertTrue(!settled.has(step), `${step} ended twice`);
      settled.add(step);
    }
    if (type === 'SignalReceived') {
      const signal = `${stream} ${name}`;
      assertTrue(!settled.has(signal), `${signal} was received twice`);
      settled.add(signal);
    }
    if (['RunCompleted', 'RunFailed', 'RunCancelled'].includes(type)) {
      assertTrue(!ends.has(stream), `${stream} ended twice`);
      ends.set(stream, type);
    }
  }
  return ends;
};

/** Compares journaled replies with the calls that the provider saw. */
const checkCalls = (events: readonly PublicEvent[], calls: readonly Call[]): number => {
  const lastOf = new Map<string, number>();
  for (const { body, number } of calls) lastOf.set(body, number);
  const replied = new Set<number>();
  for (const { stream, revision, type, data } of events) {
    if (type !== 'ModelReplied') continue;
    const number = numberIn((data as Data).text ?? '');
    const place = `${stream}@${revision}`;
    const call = calls[number - 1];
    assertTrue(call !== undefined, `${place} has a reply of no call: ${(data as Data).text}`);
    assertTrue(!replied.has(number), `${place} has the reply of call ${number} again`);
    replied.add(number);
    const last = lastOf.get(call!.body);
    assertTrue(
      last === number,
      `${place} journaled call ${number}, which was made again as call ${last}: ${call!.question}`,
    );
  }
  assertTrue(
    replied.size === lastOf.size,
    `${lastOf.size} requests were made, ${replied.size} replies are journaled`,
  );
  return calls.length - lastOf.size;
};

/** The part of a store that others share which is the test's own. */
export interface SharedPlace {
  readonly connectionString: string;
  readonly tenant: string;
  /** Where artifacts and read models are. */
  readonly folder: string;
}

const eventsOf = async (ecl: Ecl, place: string | SharedPlace): Promise<PublicEvent[]> => {
  const events: PublicEvent[] = [];
  const query = typeof place === 'string' ? {} : { tenant: place.tenant };
  for await (const event of ecl.events(query)) events.push(event);
  return events;
};

/** @throws Error that says what is wrong, and where */
const verifyAll = async (
  ecl: Ecl,
  place: string | SharedPlace,
  events: readonly PublicEvent[],
): Promise<void> => {
  const runs = new Set(events.map(({ stream }) => stream.slice('run-'.length)));
  // What others left in a store that they share is not ours to judge.
  const targets = typeof place === 'string' ? [undefined] : runs;
  for (const target of targets) {
    const verification = await ecl.verify(target);
    const faults = JSON.stringify(verification);
    assertTrue(verification.ok, `verify says ${faults}`);
  }
};

/** @throws Error that says what is wrong, and where */
export const checkHistory = async (
  place: string | SharedPlace,
  workflows: NonNullable<EclOptions['workflows']>,
  calls: readonly Call[],
): Promise<History> => {
  const logger = pino({ level: 'silent' });
  const where =
    typeof place === 'string'
      ? { store: `sqlite:${place}` }
      : { store: place.connectionString, dataFolder: place.folder };
  const ecl = await createEcl({ ...where, access: 'read', workflows, logger });
  try {
    const events = await eventsOf(ecl, place);
    await verifyAll(ecl, place, events);
    const ends = checkStreams(events);
    return { events, ends, repeated: checkCalls(events, calls) };
  } finally {
    await ecl.close();
  }
};
