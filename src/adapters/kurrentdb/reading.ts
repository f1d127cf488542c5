/**
 * Reads and subscriptions as frames to be pulled.
 *
 * 1. Memory is bounded: who pulls slowly holds the flow back.
 * 2. However it is left, the call on the server ends with it.
 * 3. A call that stands still is given up, and with it a connection over which nothing else comes either.
 */
import type { Connection } from './connection.ts';
import {
  commandError,
  endRead,
  openRead,
  type Frame,
  type FrameStream,
  type ReadOptions,
} from './wire.ts';

const flowMax = 512;

/** Frames until the server ends the call. @throws what the client throws, or NoAnswer when nothing comes */
export async function* frames(
  connection: Connection,
  options: ReadOptions,
  answerMs = connection.patience.answerMs,
): AsyncGenerator<Frame> {
  const release = await connection.readSlots.take();
  let flow: Flow | undefined;
  try {
    const listen = (stream: FrameStream): void => {
      flow = new Flow(stream);
    };
    await connection.use('a read', (client) => openRead(client, options, listen));
    for (;;) {
      const batch = await connection.use('a read', () => flow!.next(), answerMs);
      if (batch === undefined) return;
      yield* batch;
    }
  } finally {
    if (flow !== undefined) endRead(flow.stream);
    release();
  }
}

class Flow {
  readonly stream: FrameStream;
  #frames: Frame[] = [];
  #failure: { readonly error: unknown } | undefined;
  #isOver = false;
  #wake = (): void => {};

  constructor(stream: FrameStream) {
    this.stream = stream;
    stream.on('error', (error) => {
      this.#failure ??= { error: commandError(error) };
      this.#wake();
    });
    stream.on('end', () => {
      this.#isOver = true;
      this.#wake();
    });
    stream.on('data', (frame: Frame) => {
      this.#frames.push(frame);
      if (this.#frames.length >= flowMax) stream.pause();
      this.#wake();
    });
  }

  /** What has come, at least one frame; undefined at the end. */
  async next(): Promise<readonly Frame[] | undefined> {
    while (this.#frames.length === 0) {
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#isOver) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const batch = this.#frames;
    this.#frames = [];
    this.stream.resume();
    return batch;
  }
}
