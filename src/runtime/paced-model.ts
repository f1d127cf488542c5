/**
 * A model that is called no faster than it may be, and not at all while its provider is down: a decorator of the port, so
 * that whoever calls knows nothing of it.
 *
 * A call waits for its turn instead of failing: no attempt is used up, and the time limit of the step bounds the wait.
 */
import type { Logger } from 'pino';
import {
  abandoned,
  answered,
  begun,
  defaultPacing,
  newPacing,
  nextCallAt,
  unanswered,
  type Pacing,
  type PacingPolicy,
} from '../core/call-pacing.ts';
import { EclError, isEclError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { CallOptions, Model, ModelChunk, ModelReply, ModelRequest } from '../ports/model.ts';

export interface ModelPace {
  /** Calls of one model that begin within a minute, in this process. @default no limit */
  readonly callsPerMinute?: number;
}

interface PacedModelParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pace: ModelPace;
}

const unansweredCodes = ['model.unavailable', 'model.overloaded', 'model.timeout'] as const;

const isUnanswered = (error: unknown): error is EclError =>
  unansweredCodes.some((code) => isEclError(error, code));

const retryAfterMsOf = ({ details }: EclError): number | undefined => {
  const wait = details['retryAfterMs'];
  return typeof wait === 'number' ? wait : undefined;
};

/** The calls of one model. */
class Lane {
  readonly #name: string;
  readonly #parts: PacedModelParts;
  readonly #policy: PacingPolicy;
  #pacing: Pacing = newPacing;
  readonly #waiting = new Set<() => void>();

  constructor(name: string, parts: PacedModelParts) {
    this.#name = name;
    this.#parts = parts;
    this.#policy = { ...defaultPacing, ...parts.pace };
  }

  /** Resolves when a call may begin, and counts it. */
  async turn(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const now = this.#parts.clock.now();
      const at = nextCallAt(this.#pacing, this.#policy);
      if (at <= now) {
        this.#pacing = begun(this.#pacing, this.#policy, now);
        return;
      }
      await this.#wait(at, signal);
    }
  }

  answered(): void {
    if (this.#pacing.failures > 0) this.#move(answered(this.#pacing));
  }

  abandoned(): void {
    this.#move(abandoned(this.#pacing));
  }

  failed(error: unknown, signal: AbortSignal): void {
    if (signal.aborted || isEclError(error, 'model.aborted')) this.abandoned();
    else if (isUnanswered(error)) this.#unanswered(error);
    else this.answered();
  }

  #unanswered(error: EclError): void {
    const { clock, logger } = this.#parts;
    const now = clock.now();
    this.#move(
      unanswered(this.#pacing, this.#policy, { now, retryAfterMs: retryAfterMsOf(error) }),
    );
    const waitMs = this.#pacing.closedUntil - now;
    if (waitMs > 0) {
      logger.warn({ model: this.#name, waitMs, code: error.code }, 'the model is left alone');
    }
  }

  #move(pacing: Pacing): void {
    this.#pacing = pacing;
    for (const wake of this.#waiting) wake();
  }

  #wait(at: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        cancel();
        resolve();
      };
      const cancel = at === Infinity ? () => {} : this.#parts.clock.schedule(at, wake);
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }
}

export class PacedModel implements Model {
  readonly id: string;
  readonly isLanguageModel: boolean;
  readonly #model: Model;
  readonly #parts: PacedModelParts;
  readonly #lanes = new Map<string, Lane>();

  constructor(model: Model, parts: PacedModelParts) {
    this.id = model.id;
    this.isLanguageModel = model.isLanguageModel;
    this.#model = model;
    this.#parts = parts;
  }

  async complete(request: ModelRequest, options: CallOptions): Promise<ModelReply> {
    const lane = this.#lane(request);
    await lane.turn(options.signal);
    try {
      const reply = await this.#model.complete(request, options);
      lane.answered();
      return reply;
    } catch (error) {
      lane.failed(error, options.signal);
      throw error;
    }
  }

  async *stream(request: ModelRequest, options: CallOptions): AsyncIterable<ModelChunk> {
    const lane = this.#lane(request);
    await lane.turn(options.signal);
    let isSettled = false;
    try {
      for await (const chunk of this.#model.stream(request, options)) {
        lane.answered();
        isSettled = true;
        yield chunk;
      }
    } catch (error) {
      lane.failed(error, options.signal);
      isSettled = true;
      throw error;
    } finally {
      // Whoever leaves before the first word has learned nothing of the provider.
      if (!isSettled) lane.abandoned();
    }
  }

  #lane({ model = this.id }: ModelRequest): Lane {
    let lane = this.#lanes.get(model);
    if (lane === undefined) this.#lanes.set(model, (lane = new Lane(model, this.#parts)));
    return lane;
  }
}
