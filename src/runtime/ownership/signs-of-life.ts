/**
 * The signs of life of this process: one appended every `beatMs`, and when it was last seen in the log.
 *
 * A timer that does not fire, because the wall clock was set back, is made up for when others are heard meanwhile.
 */
import type { Clock } from '../../ports/clock.ts';

export interface SignsOfLifeParts {
  readonly clock: Clock;
  readonly beatMs: number;
  /** How many the others may miss before they take this process for dead. */
  readonly missedMax: number;
  /** Appends the nth one. */
  readonly tell: (beat: number) => Promise<void>;
  readonly failed: (error: unknown) => void;
}

export class SignsOfLife {
  readonly #parts: SignsOfLifeParts;
  /** When the last one that was seen in the log was sent. */
  #seenAt = -Infinity;
  #sentAt = -Infinity;
  #beat = 0;
  #othersHeard = 0;
  #isTelling = false;
  #isOver = false;
  #cancelNext = (): void => {};

  constructor(parts: SignsOfLifeParts) {
    this.#parts = parts;
  }

  /** Whether the others cannot have taken this process for dead yet. */
  get isFresh(): boolean {
    const { clock, beatMs, missedMax } = this.#parts;
    return clock.now() - this.#seenAt < beatMs * (missedMax - 1);
  }

  /** Appends the first one; the next ones follow by themselves. */
  async begin(): Promise<void> {
    await this.#send();
    this.heardOwn(this.#beat);
    this.#tellLater();
  }

  /** Appends one out of turn. */
  show(): void {
    void this.#tell();
  }

  end(): void {
    this.#isOver = true;
    this.#cancelNext();
  }

  /** One that was sent before a pause of this process says nothing of the time since. */
  heardOwn(beat: number): void {
    if (beat === this.#beat) this.#seenAt = this.#sentAt;
  }

  /** @param members how many processes are known */
  heardAnother(members: number): void {
    this.#othersHeard += 1;
    const { clock, beatMs } = this.#parts;
    const sinceLast = clock.now() - this.#sentAt;
    // Never sooner than by the timer: others count on the time between two of them.
    const isDue = sinceLast >= beatMs || sinceLast < 0;
    if (isDue && this.#othersHeard > 2 * members) void this.#tell();
  }

  #tellLater(): void {
    this.#cancelNext();
    if (this.#isOver) return;
    const { clock, beatMs } = this.#parts;
    this.#cancelNext = clock.schedule(clock.now() + beatMs, () => void this.#tell());
  }

  async #tell(): Promise<void> {
    this.#othersHeard = 0;
    if (this.#isTelling || this.#isOver) return;
    this.#isTelling = true;
    try {
      await this.#send();
    } catch (error) {
      this.#parts.failed(error);
    }
    this.#isTelling = false;
    this.#tellLater();
  }

  #send(): Promise<void> {
    this.#beat += 1;
    this.#sentAt = this.#parts.clock.now();
    return this.#parts.tell(this.#beat);
  }
}
