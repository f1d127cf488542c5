/**
 * Group commit over the wire: appends of different runs that wait at the same moment share one call.
 *
 * 1. An append that finds nothing in flight goes alone, over the faster call.
 * 2. Appends to one stream keep their order: one waits for the answer of the one before it.
 * 3. A group that is refused was not written; each of its appends is then decided alone, so none pays for another.
 * 4. A group in doubt leaves each of its appends in doubt, to be repeated unchanged by whoever asked for it.
 * 5. Groups are bounded, in appends and in bytes, and so are the calls in flight.
 * 6. What cannot share a call does not wait for those that can.
 */
import { isEclError, OutcomeUnknown, type ErrorCode } from '../../core/errors.ts';
import type { AppendResult, StreamCheck } from '../../ports/event-store.ts';
import { isGroupable, type Appending, type PreparedAppend } from './appending.ts';

interface Waiting {
  readonly append: PreparedAppend;
  readonly checks: readonly StreamCheck[];
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: unknown) => void;
}

/** With one call on the wire the next group gathers, with a second the server never waits for one. */
const groupsMax = 2;
const singlesMax = 64;
const appendsMax = 64;
const bytesMax = 1024 * 1024;

export class GroupCommit {
  readonly #appending: Appending;
  #queue: Waiting[] = [];
  readonly #busy = new Set<string>();
  #groups = 0;
  #singles = 0;
  /** Calls that were made, and the appends in them. */
  readonly counts = { calls: 0, appends: 0 };
  #idle = (): void => {};

  constructor(appending: Appending) {
    this.#appending = appending;
  }

  append(append: PreparedAppend, checks: readonly StreamCheck[]): Promise<AppendResult> {
    const answer = new Promise<AppendResult>((resolve, reject) => {
      this.#queue.push({ append, checks, resolve, reject });
    });
    // What is asked for in the same turn goes together.
    if (this.#queue.length === 1) queueMicrotask(() => this.#send());
    return answer;
  }

  /** Resolves when nothing waits and nothing is in flight. */
  async drained(): Promise<void> {
    if (this.#isIdle) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  get #isIdle(): boolean {
    return this.#queue.length === 0 && this.#groups + this.#singles === 0;
  }

  #isShared({ append }: Waiting): boolean {
    return this.#appending.features.appendRecords && isGroupable(append);
  }

  #send(): void {
    while (this.#singles < singlesMax) {
      const single = this.#take((waiting) => !this.#isShared(waiting), 1);
      if (single.length === 0) break;
      this.#singles += 1;
      this.#commit(single, () => (this.#singles -= 1));
    }
    while (this.#groups < groupsMax) {
      const group = this.#take((waiting) => this.#isShared(waiting), appendsMax);
      if (group.length === 0) break;
      this.#groups += 1;
      this.#commit(group, () => (this.#groups -= 1));
    }
  }

  #commit(group: readonly Waiting[], done: () => void): void {
    this.counts.calls += 1;
    this.counts.appends += group.length;
    for (const { append } of group) this.#busy.add(append.stream);
    void this.#decide(group).finally(() => {
      done();
      for (const { append } of group) this.#busy.delete(append.stream);
      this.#send();
      if (this.#isIdle) this.#idle();
    });
  }

  /** The next appends of a kind that may go together, in the order in which they came; the others stay. */
  #take(isWanted: (waiting: Waiting) => boolean, max: number): Waiting[] {
    const group = new Group(max);
    const left: Waiting[] = [];
    const passed = new Set<string>();
    for (const waiting of this.#queue) {
      const { stream } = waiting.append;
      const isReady = isWanted(waiting) && !this.#busy.has(stream) && !passed.has(stream);
      if (!isReady || !group.take(waiting)) {
        left.push(waiting);
        passed.add(stream);
      }
    }
    this.#queue = left;
    return group.members;
  }

  async #decide(group: readonly Waiting[]): Promise<void> {
    if (group.length === 1) return this.#alone(group[0]!);
    const checks = new Map(
      group.flatMap((one) => one.checks.map((check) => [check.stream, check])),
    );
    try {
      const appends = group.map(({ append }) => append);
      const results = await this.#appending.many(appends, [...checks.values()]);
      group.forEach(({ resolve }, index) => resolve(results[index]!));
    } catch (error) {
      if (!wasDecided(error)) {
        for (const { append, reject } of group) reject(ofOne(append.stream, error));
        return;
      }
      await Promise.all(group.map((one) => this.#alone(one)));
    }
  }

  async #alone({ append, checks, resolve, reject }: Waiting): Promise<void> {
    try {
      if (checks.length === 0) return resolve(await this.#appending.one(append));
      const [result] = await this.#appending.many([append], checks);
      resolve(result!);
    } catch (error) {
      reject(error);
    }
  }
}

const undecided: readonly ErrorCode[] = [
  'store.outcome-unknown',
  'store.unavailable',
  'store.credentials',
  'store.closed',
];

/** Whether the server looked at the group and refused it. */
const wasDecided = (error: unknown): boolean => !undecided.some((code) => isEclError(error, code));

const ofOne = (stream: string, error: unknown): unknown =>
  error instanceof OutcomeUnknown
    ? new OutcomeUnknown({ stream, reason: String(error.details.reason) }, { cause: error.cause })
    : error;

/** Appends that can be one: no stream twice, written or checked, unless it is checked alike. */
class Group {
  readonly #max: number;
  readonly members: Waiting[] = [];
  readonly #written = new Set<string>();
  readonly #checked = new Map<string, number>();
  #bytes = 0;

  constructor(max: number) {
    this.#max = max;
  }

  take(waiting: Waiting): boolean {
    if (this.members.length > 0 && !this.#fits(waiting)) return false;
    this.members.push(waiting);
    this.#written.add(waiting.append.stream);
    for (const { stream, revision } of waiting.checks) this.#checked.set(stream, revision);
    this.#bytes += waiting.append.bytes;
    return true;
  }

  #fits({ append, checks }: Waiting): boolean {
    if (!isGroupable(append) || !isGroupable(this.members[0]!.append)) return false;
    if (this.members.length >= this.#max || this.#bytes + append.bytes > bytesMax) return false;
    if (this.#written.has(append.stream) || this.#checked.has(append.stream)) return false;
    return checks.every(
      ({ stream, revision }) =>
        !this.#written.has(stream) && (this.#checked.get(stream) ?? revision) === revision,
    );
  }
}
