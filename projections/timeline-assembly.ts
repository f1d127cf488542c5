/**
 * Marks in their order become entries with a beginning, an end and a cause. Pure, and it reads forwards only: what began
 * before the first mark is not known, so its end is left out.
 */
import type { TimelineEntry, TimelineKind, TimelineUsage } from 'ecl';
import type { Mark } from './run-marks.ts';

/** An entry while it is made. */
export type Entry = { -readonly [Name in keyof TimelineEntry]: TimelineEntry[Name] };

const noUsage: TimelineUsage = { calls: 0, inputTokens: 0, outputTokens: 0, usd: 0, unpriced: 0 };

const isoOf = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** What comes from outside the machine, and so opens a decision: it causes what follows it. */
const facts = new Set([
  'RunStarted',
  'SignalReceived',
  'StepAttemptStarted',
  'StepSucceeded',
  'StepAttemptFailed',
  'StepFailed',
  'StepInterrupted',
  'ModelReplied',
  'ValueRecorded',
  'ArtifactStored',
  'TimerFired',
  'ChildCompleted',
  'ChildFailed',
  'SignalDelivered',
  'CancelRequested',
  'RunPaused',
  'RunResumed',
  'RunQuarantined',
]);

const withCall = (usage: TimelineUsage, mark: Mark): TimelineUsage => ({
  calls: usage.calls + 1,
  inputTokens: usage.inputTokens + (mark.inputTokens ?? 0),
  outputTokens: usage.outputTokens + (mark.outputTokens ?? 0),
  usd: usage.usd + (mark.usd ?? 0),
  unpriced: usage.unpriced + (mark.usd === undefined ? 1 : 0),
});

type Handler = (assembly: Assembly, mark: Mark) => void;

export class Assembly {
  /** In the order in which they began. */
  readonly entries: Entry[] = [];
  /** What goes on, by its kind and what pairs it. */
  readonly #open = new Map<string, Entry>();
  readonly #startedAttempts = new WeakSet<Entry>();
  #cause: number | undefined;
  #round: number | undefined;

  /** Takes the marks of a row. */
  take(marks: readonly Mark[]): void {
    for (const mark of marks) {
      if (facts.has(mark.type)) {
        this.#settleState();
        this.#cause = mark.revision;
      }
      handlers[mark.type]?.(this, mark);
    }
  }

  /** Says of the last state whether it waits; to be called when there is no more. */
  finish(): void {
    this.#settleState();
  }

  begin(mark: Mark, kind: TimelineKind, more: Partial<Entry> = {}): Entry {
    const cause = this.#cause === mark.revision ? undefined : this.#cause;
    const entry: Entry = {
      revision: mark.revision,
      kind,
      name: mark.name ?? '',
      startedAt: mark.at,
      ...(cause === undefined ? {} : { causedBy: cause }),
      writer: mark.writer,
      ...more,
    };
    this.entries.push(entry);
    return entry;
  }

  /** Begins what goes on until its end is told. */
  open(mark: Mark, kind: TimelineKind, more: Partial<Entry> = {}): Entry {
    const entry = this.begin(mark, kind, { outcome: 'running', ...more });
    this.#open.set(`${kind} ${mark.id ?? ''}`, entry);
    return entry;
  }

  /** Something that takes no time. */
  point(mark: Mark, kind: TimelineKind, more: Partial<Entry> = {}): Entry {
    return this.begin(mark, kind, { endedAt: mark.at, durationMs: 0, ...more });
  }

  end(kind: TimelineKind, mark: Mark, more: Partial<Entry>): void {
    const key = `${kind} ${mark.id ?? ''}`;
    const entry = this.#open.get(key);
    if (entry === undefined) return;
    this.#open.delete(key);
    this.#close(entry, mark, more);
  }

  /** Ends all of a kind, however many there are. */
  endAll(kind: TimelineKind, mark: Mark, more: Partial<Entry>): void {
    for (const [key, entry] of this.#open) {
      if (entry.kind !== kind) continue;
      this.#open.delete(key);
      this.#close(entry, mark, more);
    }
  }

  of(kind: TimelineKind, id: string | undefined): Entry | undefined {
    return this.#open.get(`${kind} ${id ?? ''}`);
  }

  /** What a fact of a step is caused by: its scheduling, where that is known. */
  causeOfStep({ id }: Mark): Partial<Entry> {
    const step = this.of('step', id);
    return step === undefined ? {} : { causedBy: step.revision };
  }

  schedule(mark: Mark): void {
    if (mark.round !== undefined) this.#round = mark.round;
    const step = this.open(mark, 'step', {
      attempts: 1,
      ...(mark.id === undefined ? {} : { invocation: mark.id }),
      ...(mark.round === undefined ? {} : { round: mark.round }),
    });
    this.#beginAttempt(mark, step, 1);
  }

  /**
   * The first attempt begins with its step, so that its start is recorded says nothing new; a second start of the same
   * attempt says that the process of the first one is gone.
   */
  startAttempt(mark: Mark): void {
    const step = this.of('step', mark.id);
    const running = this.of('attempt', mark.id);
    const attempt = mark.attempt ?? 1;
    if (running?.attempt === attempt) {
      const isAgain = this.#startedAttempts.has(running) || running.writer !== mark.writer;
      if (!isAgain) {
        this.#startedAttempts.add(running);
        return;
      }
      this.end('attempt', mark, { outcome: 'interrupted' });
    }
    if (step === undefined) return;
    Object.assign(step, { attempts: Math.max(step.attempts ?? 1, attempt), outcome: 'running' });
    delete step.dueAt;
    this.#startedAttempts.add(this.#beginAttempt(mark, step, attempt));
  }

  endAttempt(mark: Mark, outcome: string): void {
    const step = this.of('step', mark.id);
    const attempts = mark.attempt ?? 1;
    if (step !== undefined) step.attempts = Math.max(step.attempts ?? 1, attempts);
    const error = mark.error === undefined ? {} : { error: mark.error };
    this.end('attempt', mark, { outcome, ...error });
  }

  endStep(mark: Mark, outcome: string): void {
    const step = this.of('step', mark.id);
    this.endAttempt(mark, outcome);
    if (step === undefined) return;
    const round = mark.verdict === undefined ? step.round : (step.round ?? this.#round);
    const said = {
      ...(mark.verdict === undefined ? {} : { verdict: mark.verdict }),
      ...(round === undefined ? {} : { round }),
      ...(mark.error === undefined ? {} : { error: mark.error }),
    };
    delete step.dueAt;
    if (outcome === 'done') delete step.error;
    this.end('step', mark, { outcome, ...said });
    if (mark.verdict !== undefined) {
      const { invocation } = step;
      this.point(mark, 'verdict', {
        name: step.name,
        causedBy: step.revision,
        ...(invocation === undefined ? {} : { invocation }),
        ...said,
      });
    }
  }

  reply(mark: Mark): void {
    const step = this.of('step', mark.id);
    const latencyMs = mark.latencyMs ?? 0;
    this.begin(mark, 'model-call', {
      startedAt: isoOf(Date.parse(mark.at) - latencyMs),
      endedAt: mark.at,
      durationMs: latencyMs,
      outcome: 'done',
      ...this.causeOfStep(mark),
      ...(mark.id === undefined ? {} : { invocation: mark.id }),
      attempt: mark.attempt ?? 1,
      usage: withCall(noUsage, mark),
    });
    if (step !== undefined) step.usage = withCall(step.usage ?? noUsage, mark);
  }

  enter(mark: Mark): void {
    this.end('state', { ...mark, id: '' }, { outcome: 'left' });
    const { events } = mark;
    this.open({ ...mark, id: '' }, 'state', events === undefined ? {} : { events });
  }

  /** The end of a run takes steps, timers and its state with it; children and signals go on by themselves. */
  endRun(mark: Mark, outcome: string): void {
    for (const [key, entry] of this.#open) {
      const gone = { step: 'cancelled', attempt: 'cancelled', timer: 'cancelled' } as const;
      if (entry.kind === 'child' || entry.kind === 'sent' || entry.kind === 'run') continue;
      const how = entry.kind in gone ? gone[entry.kind as keyof typeof gone] : 'left';
      this.#open.delete(key);
      this.#close(entry, mark, { outcome: how });
    }
    this.end(
      'run',
      { ...mark, id: '' },
      {
        outcome,
        ...(mark.error === undefined ? {} : { error: mark.error }),
        ...(mark.reason === undefined ? {} : { reason: mark.reason }),
      },
    );
  }

  #beginAttempt(mark: Mark, step: Entry, attempt: number): Entry {
    const { id } = mark;
    const cause = mark.revision === step.revision ? step.causedBy : step.revision;
    return this.open(mark, 'attempt', {
      name: step.name,
      attempt,
      ...(cause === undefined ? {} : { causedBy: cause }),
      ...(id === undefined ? {} : { invocation: id }),
      ...(step.round === undefined ? {} : { round: step.round }),
    });
  }

  #close(entry: Entry, mark: Mark, more: Partial<Entry>): void {
    const durationMs = Math.max(0, Date.parse(mark.at) - Date.parse(entry.startedAt));
    Object.assign(entry, { endedAt: mark.at, durationMs, endedBy: mark.revision, ...more });
  }

  /** Whether the state waits for somebody is clear once its decision is over. */
  #settleState(): void {
    const state = this.of('state', '');
    if (state?.events === undefined || state.kind !== 'state') return;
    const works = [...this.#open.values()].some(({ kind }) => kind === 'step' || kind === 'child');
    if (!works) Object.assign(state, { kind: 'wait', outcome: 'waiting' });
  }
}

const endWith =
  (kind: TimelineKind, outcome: string): Handler =>
  (assembly, mark) =>
    assembly.end(kind, mark, {
      outcome,
      ...(mark.error === undefined ? {} : { error: mark.error }),
    });

const invocationOf = ({ id }: Mark): Partial<Entry> => (id === undefined ? {} : { invocation: id });
const dueOf = ({ dueAt }: Mark): Partial<Entry> =>
  dueAt === undefined ? {} : { dueAt: isoOf(dueAt) };
const to = (mark: Mark): Partial<Entry> => (mark.to === undefined ? {} : { to: mark.to });
const from = (mark: Mark): Partial<Entry> => (mark.from === undefined ? {} : { from: mark.from });
const reason = (mark: Mark): Partial<Entry> =>
  mark.reason === undefined ? {} : { reason: mark.reason };

const pause: Handler = (assembly, mark) => {
  if (mark.id !== undefined) {
    assembly.endAttempt(mark, 'failed');
    const step = assembly.of('step', mark.id);
    if (step !== undefined) step.outcome = 'paused';
  }
  const error = mark.error === undefined ? {} : { error: mark.error };
  openHold(assembly, mark, { kind: 'paused', ...error });
};

/** Steps side by side may each pause their run; what holds it lasts until the resume, whichever came first. */
const openHold = (
  assembly: Assembly,
  mark: Mark,
  { kind, ...more }: Partial<Entry> & { kind: 'paused' | 'quarantined' },
): Entry =>
  assembly.open({ ...mark, id: String(mark.revision) }, kind, {
    outcome: kind,
    ...reason(mark),
    ...more,
  });

const retry: Handler = (assembly, mark) => {
  assembly.endAttempt(mark, 'failed');
  const step = assembly.of('step', mark.id);
  if (step === undefined) return;
  Object.assign(step, { outcome: 'retrying', error: mark.error, ...dueOf(mark) });
};

const resume: Handler = (assembly, mark) => {
  for (const kind of ['paused', 'quarantined'] as const) {
    assembly.endAll(kind, mark, { outcome: 'resumed' });
  }
  assembly.point(mark, 'resumed', reason(mark));
};

const handlers: Readonly<Record<string, Handler>> = {
  RunStarted: (assembly, mark) => assembly.open({ ...mark, id: '' }, 'run', from(mark)),
  RunCompleted: (assembly, mark) => assembly.endRun(mark, 'completed'),
  RunFailed: (assembly, mark) => assembly.endRun(mark, 'failed'),
  RunCancelled: (assembly, mark) => assembly.endRun(mark, 'cancelled'),
  RunPaused: pause,
  RunResumed: resume,
  RunQuarantined: (assembly, mark) => openHold(assembly, mark, { kind: 'quarantined' }),
  CancelRequested: (assembly, mark) => assembly.point(mark, 'cancel-requested', reason(mark)),
  StateChanged: (assembly, mark) => assembly.enter(mark),
  SignalReceived: (assembly, mark) => assembly.point(mark, 'signal', from(mark)),
  StepScheduled: (assembly, mark) => assembly.schedule(mark),
  StepAttemptStarted: (assembly, mark) => assembly.startAttempt(mark),
  StepAttemptFailed: retry,
  StepSucceeded: (assembly, mark) => assembly.endStep(mark, 'done'),
  StepFailed: (assembly, mark) => assembly.endStep(mark, 'failed'),
  StepInterrupted: (assembly, mark) => assembly.endStep(mark, 'interrupted'),
  StepCancelled: (assembly, mark) => assembly.endStep(mark, 'cancelled'),
  ModelReplied: (assembly, mark) => assembly.reply(mark),
  ValueRecorded: (assembly, mark) =>
    assembly.point(mark, 'value', { ...assembly.causeOfStep(mark), ...invocationOf(mark) }),
  ArtifactStored: (assembly, mark) =>
    assembly.point(mark, 'artifact', {
      ...assembly.causeOfStep(mark),
      ...invocationOf(mark),
      ...(mark.bytes === undefined ? {} : { bytes: mark.bytes }),
      ...(mark.sha256 === undefined ? {} : { sha256: mark.sha256 }),
    }),
  TimerSet: (assembly, mark) => {
    assembly.end('timer', mark, { outcome: 'cancelled' });
    assembly.open(mark, 'timer', { ...dueOf(mark), ...to(mark) });
  },
  TimerFired: endWith('timer', 'fired'),
  TimerCancelled: endWith('timer', 'cancelled'),
  ChildSpawned: (assembly, mark) => assembly.open(mark, 'child', to(mark)),
  ChildCompleted: endWith('child', 'completed'),
  ChildFailed: endWith('child', 'failed'),
  ChildCancelled: endWith('child', 'cancelled'),
  SignalSent: (assembly, mark) => assembly.open(mark, 'sent', to(mark)),
  SignalDelivered: endWith('sent', 'delivered'),
  EventEmitted: (assembly, mark) => assembly.point(mark, 'emitted'),
};
