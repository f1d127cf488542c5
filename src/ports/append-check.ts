/**
 * What every event store refuses before it looks at a stream: a malformed append.
 *
 * 1. A refused append leaves no trace.
 * 2. What is accepted can be kept to the byte by every store: text that UTF-8 can hold, without NUL, which some drivers
 *    cut at.
 */
import { EclError } from '../core/errors.ts';
import type { Append, ExpectedRevision, StreamCheck } from './event-store.ts';

const usage = (reason: string): EclError => new EclError('usage.invalid', { reason });

const checkText = (what: string, path: string, text: string): void => {
  if ((text as string & { isWellFormed(): boolean }).isWellFormed() && !text.includes('\0')) return;
  const reason = 'it has a lone surrogate or a NUL, which cannot be kept to the byte';
  throw new EclError('input.not-json', { what, path, reason });
};

/** @throws EclError `usage.invalid`, `input.not-json` */
export const checkStream = (stream: string): void => {
  if (stream === '') throw usage('A stream has a name');
  checkText('A stream', 'name', stream);
};

/** @throws EclError `usage.invalid` */
export const checkExpectedRevision = (expected: ExpectedRevision): void => {
  if (typeof expected !== 'number' || (Number.isSafeInteger(expected) && expected >= 0)) return;
  throw usage(`An expected revision is a whole number from 0 on, not ${expected}`);
};

/** @throws EclError `usage.invalid` */
export const checkMaxCount = (maxCount: number | undefined): void => {
  if (maxCount === undefined || (Number.isSafeInteger(maxCount) && maxCount > 0)) return;
  throw usage(`A stream keeps a whole number of events from 1 on, not ${maxCount}`);
};

/** @throws EclError `usage.invalid`, `input.not-json` */
export const checkAppend = ({ stream, expectedRevision, events }: Append): void => {
  checkStream(stream);
  checkExpectedRevision(expectedRevision);
  if (events.length === 0) throw usage(`An append to ${stream} has at least one event`);
  for (const event of events) checkText(`The event ${event.type}`, 'data', event.data);
};

/** @throws EclError `usage.invalid`, `input.not-json` */
export const checkAppends = (appends: readonly Append[]): void => {
  const streams = new Set<string>();
  for (const append of appends) {
    checkAppend(append);
    if (streams.has(append.stream)) {
      throw usage(`An append names the stream ${append.stream} twice`);
    }
    streams.add(append.stream);
  }
};

/** @throws EclError `usage.invalid` */
export const checkChecks = (appends: readonly Append[], checks: readonly StreamCheck[]): void => {
  for (const { stream, revision } of checks) {
    checkStream(stream);
    checkExpectedRevision(revision);
    if (appends.some((append) => append.stream === stream)) {
      throw usage(`An append to ${stream} expects a revision of it; it needs no check beside that`);
    }
  }
};
