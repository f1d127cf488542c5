/**
 * The fetch that the SDK gets: what leaves and what comes back is bounded here.
 *
 * 1. Only headers that ECL knows of leave; the SDK would add those of an environment variable, over the key even.
 * 2. Redirects are not followed, so the key never goes to another address.
 * 3. An answer larger than a payload may be is cut off, not held in memory.
 */
import { limits } from '../../core/limits.ts';

/** An answer went on beyond the largest payload. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge';
}

const allowedHeader =
  /^(?:accept|content-type|user-agent|authorization|anthropic-version|idempotency-key|x-stainless-.*|traceparent|tracestate|baggage)$/;

const allowedHeaders = (
  headers: ConstructorParameters<typeof Headers>[0],
  key: string,
): Headers => {
  const allowed = new Headers();
  for (const [name, value] of new Headers(headers)) {
    if (allowedHeader.test(name)) allowed.set(name, value);
  }
  allowed.set('authorization', `Bearer ${key}`);
  return allowed;
};

const bounded = (response: Response): Response => {
  if (response.body === null) return response;
  let bytes = 0;
  const counting = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      bytes += chunk.byteLength;
      if (bytes > limits.payloadBytesMax) controller.error(new AnswerTooLarge('cut off'));
      else controller.enqueue(chunk);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(counting), { status, statusText, headers });
};

/** A fetch that sends the key and bounds the answer. */
export const guardedFetch =
  (apiKey: string): typeof fetch =>
  async (url, init) => {
    const headers = allowedHeaders(init?.headers, apiKey);
    return bounded(await fetch(url, { ...init, headers, redirect: 'manual' }));
  };
