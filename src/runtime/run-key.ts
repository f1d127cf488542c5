/** The key of a run that was started without one. */
import { canonicalJson } from '../core/json-value.ts';
import { sha256 } from '../core/sha256.ts';
import type { IdGenerator } from '../ports/id-generator.ts';

const keyLength = 32;

/** The same workflow and input, or the same idempotency key, give the same run. */
export const runKey = (
  workflow: string,
  from: { input: unknown } | { idempotencyKey: string },
): string =>
  sha256(
    'input' in from
      ? `${workflow}\n${canonicalJson(from.input ?? null)}`
      : `${workflow}\nidempotency-key\n${from.idempotencyKey}`,
  ).slice(0, keyLength);

export const randomKey = (ids: IdGenerator): string =>
  ids.uuid().replaceAll('-', '').slice(0, keyLength);
