/** A journal event as a CloudEvent 1.0. */
import { runIdOfStream } from '../core/ids.ts';
import type { PublicEvent } from '../runtime/event-feed.ts';
import type { CloudEvent } from './contract/event.ts';

/** Digits of the largest revision, so that a sequence sorts as text. */
const sequenceDigits = 20;

const given = (name: string, value: string | undefined): Record<string, string> =>
  value === undefined || value === '' ? {} : { [name]: value };

export const cloudEvent = (event: PublicEvent): CloudEvent => {
  const { stream, revision, position, id, type, data, metadata } = event;
  const run = runIdOfStream(stream) ?? stream;
  return {
    specversion: '1.0',
    id,
    source: `/api/v1/runs/${encodeURIComponent(run)}`,
    type: `ecl.${type}.v${metadata.schema ?? 1}`,
    subject: run,
    ...given('time', metadata.at),
    datacontenttype: 'application/json',
    data,
    sequence: String(revision).padStart(sequenceDigits, '0'),
    position,
    ...given('tenant', metadata.tenant),
    ...given('correlationid', metadata.$correlationId),
    ...given('causationid', metadata.$causationId),
  };
};
