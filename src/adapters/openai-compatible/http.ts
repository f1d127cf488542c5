/**
 * One POST over HTTP. It is `node:http` and not `fetch`: fetch gives up after five minutes without a byte, which a
 * local model on a processor needs before its first word, and follows redirects with the key.
 *
 * 1. A body larger than the largest payload is cut off, not held in memory.
 * 2. A connection that breaks before the end of the body is an error of the reading.
 */
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { limits } from '../../core/limits.ts';

/** An answer went on beyond the largest payload. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge';
}

export interface Answer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly isEventStream: boolean;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

async function* bounded(message: IncomingMessage): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > limits.payloadBytesMax) throw new AnswerTooLarge('cut off');
    yield chunk;
  }
}

const answerOf = (message: IncomingMessage): Answer => {
  const header = (name: string): string | undefined => {
    const value = message.headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  return {
    status: message.statusCode ?? 0,
    header,
    isEventStream: (header('content-type') ?? '').includes('text/event-stream'),
    body: bounded(message),
  };
};

/** Sends a JSON body and resolves with the head of the answer. */
export const post = (url: URL, options: PostOptions): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    const headers = {
      ...options.headers,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(options.body)),
      'user-agent': 'ecl',
    };
    const request = send(url, { method: 'POST', headers, signal: options.signal });
    request.on('response', (message) => resolve(answerOf(message)));
    request.on('error', reject);
    request.end(options.body);
  });

/** The whole body as text. */
export const readAll = async ({ body }: Answer): Promise<string> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
};
