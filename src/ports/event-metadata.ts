/** Metadata between a caller and a store: the store keeps it as JSON does, and what the caller changes later changes nothing. */
import { EclError } from '../core/errors.ts';
import type { EventMetadata } from './event-store.ts';

const isPlain = (value: unknown): boolean =>
  typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);

/**
 * Metadata as it is stored: what JSON leaves out is not in it.
 *
 * @throws EclError `input.not-json`
 */
export const storedMetadata = (type: string, metadata: EventMetadata): EventMetadata => {
  // What holds plain values only, as ECL's own does, needs no detour over text.
  if (Object.values(metadata).every(isPlain)) return { ...metadata };
  try {
    return JSON.parse(JSON.stringify(metadata)) as EventMetadata;
  } catch (cause) {
    const details = { what: `The event ${type}`, path: 'metadata', reason: String(cause) };
    throw new EclError('input.not-json', details, { cause });
  }
};
