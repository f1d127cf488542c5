/** Journal events over HTTP, as ECL's own documents and as CloudEvents. */
import { z } from 'zod';

export const eventStreamMediaType = 'text/event-stream';
export const cloudEventMediaType = 'application/cloudevents+json';
export const cloudEventBatchMediaType = 'application/cloudevents-batch+json';

export const Event = z
  .object({
    stream: z.string(),
    revision: z.number().int(),
    position: z.string().meta({ description: 'A decimal number, as text' }),
    id: z.string(),
    type: z.string(),
    data: z.unknown(),
    metadata: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Event', description: 'A journal event' });
export type Event = z.infer<typeof Event>;

export const CloudEvent = z
  .object({
    specversion: z.literal('1.0'),
    id: z.string(),
    source: z.string(),
    type: z.string(),
    subject: z.string(),
    time: z.string().optional(),
    datacontenttype: z.literal('application/json'),
    data: z.unknown(),
    sequence: z.string().meta({ description: 'The revision, in twenty digits: it sorts as text' }),
    position: z.string(),
    tenant: z.string().optional(),
    correlationid: z.string().optional(),
    causationid: z.string().optional(),
  })
  .meta({ id: 'CloudEvent', description: 'A journal event as a CloudEvent 1.0' });
export type CloudEvent = z.infer<typeof CloudEvent>;

/** Text that a model is giving, before its reply is recorded. */
export const ModelText = z
  .object({
    run: z.string(),
    invocation: z.string(),
    attempt: z.number().int(),
    execution: z.string().meta({ description: 'One life of the attempt: a crash begins another' }),
    call: z.number().int(),
    offset: z.number().int().meta({ description: 'Characters of this call before this piece' }),
    text: z.string(),
  })
  .meta({ id: 'ModelText' });
export type ModelText = z.infer<typeof ModelText>;
