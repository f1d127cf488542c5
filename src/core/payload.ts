/**
 * Event data as it is stored: JSON text under 64 KiB, with larger fields moved out by content address.
 *
 * 1. Sealing is a pure function of the data, so replay compares what it would store with what is stored, text by text,
 *    and never reads a blob for it.
 * 2. Only whole fields of the data move, the largest first, so the small ones stay readable in the journal.
 * 3. A field that looks like a reference is moved out too: what comes back is always what went in.
 */
import { EclError } from './errors.ts';
import { limits } from './limits.ts';
import { sha256 } from './sha256.ts';

const marker = '$ecl.blob';

export interface Blob {
  readonly sha256: string;
  readonly text: string;
}

export interface SealedData {
  readonly text: string;
  /** To be stored before the event is appended. */
  readonly blobs: readonly Blob[];
}

interface BlobReference {
  readonly [marker]: { readonly sha256: string; readonly bytes: number };
}

const noBlobs: readonly Blob[] = [];

const isReference = (value: unknown): value is BlobReference =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, marker);

/** Upper bound of the text's bytes, cheap for the usual short text. */
const exceeds = (text: string, bytes: number): boolean =>
  text.length > bytes || (text.length * 3 > bytes && Buffer.byteLength(text) > bytes);

const moveOut = (text: string): { reference: BlobReference; blob: Blob } => {
  const bytes = Buffer.byteLength(text);
  if (bytes > limits.payloadBytesMax) {
    throw new EclError('input.too-large', {
      what: 'The payload',
      bytes,
      limit: limits.payloadBytesMax,
    });
  }
  const digest = sha256(text);
  return { reference: { [marker]: { sha256: digest, bytes } }, blob: { sha256: digest, text } };
};

/** @throws EclError `input.too-large` when one field is beyond 16 MiB */
export const seal = (data: object): SealedData => {
  const text = JSON.stringify(data);
  const small = !exceeds(text, limits.eventBytesMax);
  if (small && !text.includes(`"${marker}"`)) return { text, blobs: noBlobs };

  const fields = Object.entries(data as Record<string, unknown>)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ({ name, value, text: JSON.stringify(value) }));
  const blobs: Blob[] = [];
  const references = new Map<string, BlobReference>();
  let size = Buffer.byteLength(text);
  for (const field of fields.toSorted((left, right) => right.text.length - left.text.length)) {
    const forced = isReference(field.value);
    if (!forced && size <= limits.eventBytesMax) continue;
    const { reference, blob } = moveOut(field.text);
    blobs.push(blob);
    references.set(field.name, reference);
    size += JSON.stringify(reference).length - Buffer.byteLength(field.text);
  }
  const sealed = fields.map(({ name, value }) => [name, references.get(name) ?? value]);
  return { text: JSON.stringify(Object.fromEntries(sealed)), blobs };
};

/** Data as it went in, or the addresses of the blobs that are still needed for it. */
export const open = (
  text: string,
  blobText: (sha256: string) => string | undefined,
): { data: unknown } | { missing: readonly string[] } => {
  const data: unknown = JSON.parse(text);
  if (!text.includes(`"${marker}"`) || typeof data !== 'object' || data === null) return { data };
  const missing: string[] = [];
  const opened = Object.entries(data).map(([name, value]: [string, unknown]) => {
    if (!isReference(value)) return [name, value];
    const content = blobText(value[marker].sha256);
    if (content === undefined) missing.push(value[marker].sha256);
    return [name, content === undefined ? undefined : JSON.parse(content)];
  });
  return missing.length > 0 ? { missing } : { data: Object.fromEntries(opened) };
};
