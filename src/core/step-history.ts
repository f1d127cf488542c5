/**
 * What the steps of a run did, folded from its journal: one record an invocation, for a person or a program to read.
 *
 * 1. It needs no machine, so it works on a run that is blocked or does not replay.
 * 2. A cost that is not known is counted as unknown, never as 0.
 */
import type { ErrorDocument } from './errors.ts';
import type { JournalData, JournalEventType } from './journal-events.ts';
import { splitRound, Verdict } from './rounds.ts';

export interface StepRecord {
  readonly invocation: string;
  readonly name: string;
  /** The round it belongs to, from 1; undefined outside rounds. */
  readonly round: number | undefined;
  status: 'running' | 'retrying' | 'done' | 'failed' | 'interrupted' | 'cancelled';
  /** Attempts so far, the running one included. */
  attempts: number;
  readonly startedAt: string;
  endedAt: string | undefined;
  /** When the next attempt is due. */
  retryAt: string | undefined;
  /** What it said, when it is a review. */
  verdict: Verdict | undefined;
  error: ErrorDocument | undefined;
  readonly usage: StepUsage;
}

export interface StepUsage {
  calls: number;
  inputTokens: number;
  outputTokens: number;
  usd: number;
  /** Calls of unknown cost: `usd` is a lower bound then. */
  unpriced: number;
  readonly models: string[];
}

/** A recorded event, as a store's reader gets it. */
export interface HistoryEvent {
  readonly type: string;
  readonly data: unknown;
  readonly metadata: { readonly at?: string };
}

const emptyUsage = (): StepUsage => ({
  calls: 0,
  inputTokens: 0,
  outputTokens: 0,
  usd: 0,
  unpriced: 0,
  models: [],
});

const dataOf = <Type extends JournalEventType>(event: HistoryEvent): JournalData<Type> =>
  event.data as JournalData<Type>;

const roundOf = (input: unknown): number | undefined => {
  const { input: inner, revision } = splitRound(input);
  return inner === input ? undefined : revision.round;
};

const endings = {
  StepFailed: 'failed',
  StepInterrupted: 'interrupted',
  StepCancelled: 'cancelled',
} as const;

const addCall = (usage: StepUsage, reply: JournalData<'ModelReplied'>): void => {
  usage.calls += 1;
  const { inputTokens = 0, outputTokens = 0 } = reply.usage ?? {};
  const { cacheReadTokens = 0, cacheWriteTokens = 0 } = reply.usage ?? {};
  usage.inputTokens += inputTokens + cacheReadTokens + cacheWriteTokens;
  usage.outputTokens += outputTokens;
  if ('usd' in reply.cost) usage.usd += reply.cost.usd;
  else usage.unpriced += 1;
  if (!usage.models.includes(reply.model)) usage.models.push(reply.model);
};

export class StepHistory {
  readonly #records = new Map<string, StepRecord>();
  #lastOutput: { readonly name: string; readonly output: unknown } | undefined;

  /** What the last step gave that was no review: the draft that a person decides about. */
  get lastOutput(): { readonly name: string; readonly output: unknown } | undefined {
    return this.#lastOutput;
  }

  /** What the last review said. */
  get lastVerdict(): Verdict | undefined {
    return [...this.#records.values()].findLast(({ verdict }) => verdict !== undefined)?.verdict;
  }

  /** In the order in which they were scheduled. */
  get records(): readonly StepRecord[] {
    return [...this.#records.values()];
  }

  /** All steps together. */
  get usage(): StepUsage {
    const total = emptyUsage();
    for (const { usage } of this.#records.values()) {
      total.calls += usage.calls;
      total.inputTokens += usage.inputTokens;
      total.outputTokens += usage.outputTokens;
      total.usd += usage.usd;
      total.unpriced += usage.unpriced;
      for (const model of usage.models) if (!total.models.includes(model)) total.models.push(model);
    }
    return total;
  }

  /**
   * Takes the next event of the journal.
   *
   * @returns the record that it changed, if any
   */
  add(event: HistoryEvent): StepRecord | undefined {
    const at = event.metadata.at ?? '';
    if (event.type === 'StepScheduled') return this.#schedule(dataOf<'StepScheduled'>(event), at);
    const record = this.#records.get(String((event.data as { invocation?: unknown }).invocation));
    if (record === undefined) return undefined;
    switch (event.type) {
      case 'StepAttemptStarted':
        Object.assign(record, {
          status: 'running',
          attempts: dataOf<'StepAttemptStarted'>(event).attempt,
          retryAt: undefined,
        });
        break;
      case 'ModelReplied':
        addCall(record.usage, dataOf<'ModelReplied'>(event));
        break;
      case 'StepAttemptFailed': {
        const { attempt, error, retryAt } = dataOf<'StepAttemptFailed'>(event);
        record.attempts = attempt;
        Object.assign(record, { status: 'retrying', error, retryAt: iso(retryAt) });
        break;
      }
      case 'StepSucceeded':
        this.#succeed(record, dataOf<'StepSucceeded'>(event), at);
        break;
      case 'StepFailed':
      case 'StepInterrupted':
      case 'StepCancelled':
        Object.assign(record, { status: endings[event.type], endedAt: at, retryAt: undefined });
        if (event.type === 'StepFailed') {
          const { attempt, error } = dataOf<'StepFailed'>(event);
          Object.assign(record, { attempts: attempt, error });
        }
        break;
      default:
        return undefined;
    }
    return record;
  }

  #schedule({ invocation, name, input }: JournalData<'StepScheduled'>, at: string): StepRecord {
    const record: StepRecord = {
      invocation,
      name,
      round: roundOf(input),
      status: 'running',
      attempts: 1,
      startedAt: at,
      endedAt: undefined,
      retryAt: undefined,
      verdict: undefined,
      error: undefined,
      usage: emptyUsage(),
    };
    this.#records.set(invocation, record);
    return record;
  }

  #succeed(record: StepRecord, data: JournalData<'StepSucceeded'>, at: string): void {
    const verdict = Verdict.safeParse(data.output);
    if (!verdict.success) this.#lastOutput = { name: record.name, output: data.output };
    Object.assign(record, {
      status: 'done',
      attempts: data.attempt,
      endedAt: at,
      retryAt: undefined,
      error: undefined,
      ...(verdict.success ? { verdict: verdict.data } : {}),
    });
  }
}

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();
