/**
 * Journal events as server-sent events, with what models are giving meanwhile.
 *
 * 1. The reader pulls: nothing is read from the store before what came before it was taken, so a slow reader costs the
 *    memory of one event and slows nobody else.
 * 2. The id of an event is its position, so a reader that comes back with the last one it has misses and repeats nothing.
 * 3. What a model gives is no journal event: it has no id, is put together when the reader is slow, and is dropped
 *    beyond a bound. Its offset shows that.
 */
import type { Clock } from '../ports/clock.ts';
import type { PublicEvent } from '../runtime/event-feed.ts';
import type { ModelText } from '../runtime/model-text.ts';

export interface EventStreamOptions {
  /** Ends when `signal` aborts. */
  readonly events: AsyncIterable<PublicEvent>;
  readonly document: (event: PublicEvent) => object;
  /** Position after which it begins, when the client does not know it: it is told, to come back to it. */
  readonly position: string | undefined;
  /** Listens to what models give; undefined for a stream without. */
  readonly listen: ((listener: (piece: ModelText) => void) => () => void) | undefined;
  readonly heartbeatMs: number;
  readonly clock: Clock;
  readonly controller: AbortController;
  /** Called once, when the stream is over. */
  readonly ended: () => void;
}

/** Characters of model text that wait for a reader. */
const waitingTextMax = 64 * 1024;

/** Pieces that wait for the reader, one for each call. */
class WaitingText {
  readonly #pieces = new Map<string, ModelText>();
  #size = 0;

  add(piece: ModelText): void {
    if (this.#size + piece.text.length > waitingTextMax) return;
    const key = `${piece.execution} ${piece.call}`;
    const before = this.#pieces.get(key);
    // A piece that does not follow on the one that waits has lost some before it: the reader sees the gap.
    const follows = before !== undefined && before.offset + before.text.length === piece.offset;
    if (before !== undefined && !follows) return;
    this.#size += piece.text.length;
    this.#pieces.set(key, follows ? { ...before, text: before.text + piece.text } : piece);
  }

  get isEmpty(): boolean {
    return this.#pieces.size === 0;
  }

  take(): readonly ModelText[] {
    const pieces = [...this.#pieces.values()];
    this.#pieces.clear();
    this.#size = 0;
    return pieces;
  }
}

const encoder = new TextEncoder();
const comment = (text: string): Uint8Array => encoder.encode(`: ${text}\n\n`);

const eventFrame = (event: PublicEvent, document: object): Uint8Array =>
  encoder.encode(`id: ${event.position}\ndata: ${JSON.stringify(document)}\n\n`);

const textFrame = (piece: ModelText): Uint8Array =>
  encoder.encode(`event: model.text\ndata: ${JSON.stringify(piece)}\n\n`);

/** How long a client waits before it comes back, in milliseconds. */
const retryMs = 500;

class EventStream {
  readonly #options: EventStreamOptions;
  readonly #events: AsyncIterator<PublicEvent>;
  readonly #text = new WaitingText();
  readonly #stopListening: (() => void) | undefined;
  #next: IteratorResult<PublicEvent> | undefined;
  #failure: unknown;
  #isReading = false;
  #isOver = false;
  /** Whether anything was sent since the last sign of life was due. */
  #isQuiet = false;
  #isBeatDue = false;
  #cancelBeat = (): void => {};
  #wake = (): void => {};

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.#events = options.events[Symbol.asyncIterator]();
    this.#stopListening = options.listen?.((piece) => {
      this.#text.add(piece);
      this.#wake();
    });
  }

  start(output: ReadableStreamDefaultController<Uint8Array>): void {
    const { position } = this.#options;
    const start = position === undefined ? '' : `id: ${position}\nevent: start\ndata: {}\n`;
    output.enqueue(encoder.encode(`retry: ${retryMs}\n${start}: connected\n\n`));
    this.#beatLater();
  }

  /** Gives at least one frame, when there is one. */
  async pull(output: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.#read();
    await this.#something();
    const text = this.#text.take();
    for (const piece of text) output.enqueue(textFrame(piece));
    if (this.#isBeatDue && text.length === 0 && this.#next === undefined) {
      output.enqueue(comment('heartbeat'));
    }
    this.#isBeatDue = false;
    this.#isQuiet = false;
    const next = this.#next;
    if (this.#failure !== undefined) {
      this.end();
      output.error(this.#failure);
    } else if (next?.done === true) {
      this.end();
      output.close();
    } else if (next !== undefined) {
      this.#next = undefined;
      output.enqueue(eventFrame(next.value, this.#options.document(next.value)));
    }
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelBeat();
    this.#stopListening?.();
    this.#options.controller.abort();
    this.#events.return?.()?.catch(() => {});
    this.#wake();
    this.#options.ended();
  }

  /** Asks for the next event, once. */
  #read(): void {
    if (this.#isReading || this.#next !== undefined) return;
    this.#isReading = true;
    this.#events.next().then(
      (next) => {
        this.#isReading = false;
        this.#next = next;
        this.#wake();
      },
      (error: unknown) => {
        this.#failure = error;
        this.#wake();
      },
    );
  }

  /** One timer a stream, however many events pass. */
  #beatLater(): void {
    const { clock, heartbeatMs } = this.#options;
    this.#cancelBeat = clock.schedule(clock.now() + heartbeatMs, () => {
      if (this.#isQuiet) {
        this.#isBeatDue = true;
        this.#wake();
      }
      this.#isQuiet = true;
      this.#beatLater();
    });
  }

  /** Resolves when there is an event, a text, an end, or a sign of life to give. */
  #something(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      const isThere = this.#next !== undefined || this.#failure !== undefined;
      if (isThere || this.#isBeatDue || !this.#text.isEmpty) resolve();
    });
  }
}

export const eventStream = (options: EventStreamOptions): ReadableStream<Uint8Array> => {
  const stream = new EventStream(options);
  return new ReadableStream<Uint8Array>(
    {
      start: (output) => stream.start(output),
      pull: (output) => stream.pull(output),
      cancel: () => stream.end(),
    },
    { highWaterMark: 0 },
  );
};
