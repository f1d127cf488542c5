/**
 * Server-sent events, without a gap and without a repetition over any number of connections: each begins after the last
 * event that the one before has given.
 */
import { EclError, isEclError } from '../../core/errors.ts';
import { Event, eventStreamMediaType, ModelText } from '../contract/event.ts';
import { pause, type Asked, type Transport } from './transport.ts';

export type StreamItem =
  | { readonly kind: 'event'; readonly event: Event }
  /** What a model gives; it is worth nothing once its attempt failed or another execution of it began. */
  | { readonly kind: 'model-text'; readonly text: ModelText };

export interface StreamOptions {
  readonly path: string;
  readonly query: NonNullable<Asked['query']>;
  /** Position after which to begin, or `start` or `end`. */
  readonly from: string;
  readonly signal: AbortSignal;
}

interface Frame {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

const retryMsMin = 100;
const retryMsMax = 5_000;
/** A frame holds one event; a server that sends more without an end is none of ours. */
const frameLengthMax = 64 * 1024 * 1024;
/** Without a sign of life for so long the connection is taken for dead. */
const silenceMsMax = 60_000;

const frameOf = (text: string): Frame => {
  let id: string | undefined;
  let event = 'message';
  const data: string[] = [];
  for (const line of text.split('\n')) {
    const [, field, value] = /^(id|event|data): ?(.*)$/.exec(line) ?? [];
    if (field === 'id') id = value;
    else if (field === 'event') event = value!;
    else if (field === 'data') data.push(value!);
  }
  return { id, event, data: data.join('\n') };
};

/** The frames of one connection; it ends when the connection does. */
async function* framesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Frame> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of body as unknown as AsyncIterable<Uint8Array>) {
    rest += decoder.decode(bytes, { stream: true });
    for (let at = rest.indexOf('\n\n'); at !== -1; at = rest.indexOf('\n\n')) {
      yield frameOf(rest.slice(0, at));
      rest = rest.slice(at + 2);
    }
    if (rest.length > frameLengthMax) {
      throw new EclError('server.failed', { reason: 'an event of its stream has no end' });
    }
  }
}

/** Aborts when nothing came for too long. */
class Watchdog {
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  feed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(), silenceMsMax);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

const isLasting = (error: unknown): boolean =>
  isEclError(error) && !error.retryable && error.code !== 'server.failed';

const parsed = <Value>(parse: (value: unknown) => Value, data: string): Value => {
  try {
    return parse(JSON.parse(data));
  } catch (error) {
    const reason = 'an event of its stream cannot be read';
    throw new EclError('server.failed', { reason }, { cause: error });
  }
};

/**
 * Events as they come, until the signal aborts.
 *
 * @throws EclError what the server refuses for good; a connection that is lost is made again instead
 */
export async function* followEvents(
  transport: Transport,
  { path, query, from, signal }: StreamOptions,
): AsyncGenerator<StreamItem> {
  let position = from;
  for (let retryMs = retryMsMin; !signal.aborted;) {
    const watchdog = new Watchdog();
    try {
      watchdog.feed();
      const answer = await transport.ask(path, {
        query: { ...query, from: position },
        headers: { accept: eventStreamMediaType },
        signal: AbortSignal.any([signal, watchdog.signal]),
        repeatable: false,
      });
      for await (const { id, event, data } of framesOf(answer.body!)) {
        watchdog.feed();
        retryMs = retryMsMin;
        if (id !== undefined) position = id;
        if (event === 'model.text') {
          yield { kind: 'model-text', text: parsed((value) => ModelText.parse(value), data) };
        } else if (event === 'message' && data !== '') {
          yield { kind: 'event', event: parsed((value) => Event.parse(value), data) };
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      if (isLasting(error)) throw error;
    } finally {
      watchdog.stop();
    }
    await pause(retryMs, signal);
    retryMs = Math.min(retryMsMax, retryMs * 2);
  }
}
