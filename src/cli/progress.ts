/**
 * What happens to a run, as lines for people: one for each start and end of a step, model call, verdict, wait and timer.
 * Pure text; it says nothing of what a person cannot use.
 */
import type { JournalData, JournalEventType, MachineEvent } from '../core/journal-events.ts';
import { parentRunId, runIdOfStream } from '../core/ids.ts';
import { StepHistory, type StepRecord } from '../core/step-history.ts';
import type { PublicEvent } from '../runtime/event-feed.ts';
import { between, cost, duration, stateText, tokens } from './format.ts';
import { oneLine } from './sanitize.ts';
import { styled } from './terminal.ts';

const nameWidth = 14;

const line = (name: string, what: string): string => `  ${name.padEnd(nameWidth)} ${what}`;

const roundOf = ({ round }: StepRecord): string => (round === undefined ? '' : ` (round ${round})`);

const dataOf = <Type extends JournalEventType>(event: PublicEvent): JournalData<Type> =>
  event.data as JournalData<Type>;

const verdictStyle = { pass: 'green', revise: 'yellow', reject: 'red' } as const;

const firstLine = (text: string): string => oneLine(text.split('\n', 1)[0] ?? '', 120);

const endOf = (record: StepRecord): string => {
  const took = between(record.startedAt, record.endedAt ?? record.startedAt);
  if (record.verdict === undefined) return `done in ${took}`;
  const { decision, feedback } = record.verdict;
  const said = feedback.trim() === '' ? '' : `: ${firstLine(feedback)}`;
  return `${styled(verdictStyle[decision], decision)}${said}`;
};

const replyOf = (event: PublicEvent): string => {
  const { model, usage, cost: paid } = dataOf<'ModelReplied'>(event);
  const used = usage === undefined ? 'tokens unknown' : tokens(usage);
  const price = 'usd' in paid ? cost({ usd: paid.usd, unpriced: 0 }) : 'cost unknown';
  return `${model}: ${used}, ${price}`;
};

/** The id below the root: `~1`; nothing for a root. */
const childMark = (run: string): string =>
  parentRunId(run) === undefined ? '' : `${run.slice(run.indexOf('~'))} `;

interface OpenWait {
  readonly what: string;
  readonly dueAt: number;
}

export class Progress {
  readonly #histories = new Map<string, StepHistory>();
  readonly #waits = new Map<string, OpenWait>();

  /** Lines that say what the event means, often none. */
  take(event: PublicEvent): string[] {
    const run = runIdOfStream(event.stream) ?? event.stream;
    const history = this.#historyOf(run);
    const record = history.add(event);
    this.#noteWaits(run, event, record);
    const text = record === undefined ? this.#ofRun(event) : this.#ofStep(event, record);
    if (text === undefined) return [];
    const [name, what] = text;
    return [line(`${childMark(run)}${name}`, what)];
  }

  /** What goes on at this moment: steps that run, and what is waited for. */
  now(at: number): string | undefined {
    const running = [...this.#histories.values()]
      .flatMap((history) => history.records)
      .filter(({ status }) => status === 'running')
      .map(({ name, startedAt }) => `${name} ${duration(at - Date.parse(startedAt))}`);
    if (running.length > 0) return `  ${running.join(', ')}`;
    const next = [...this.#waits.values()].toSorted((left, right) => left.dueAt - right.dueAt)[0];
    return next === undefined ? undefined : `  ${next.what} in ${duration(next.dueAt - at)}`;
  }

  #historyOf(run: string): StepHistory {
    const known = this.#histories.get(run) ?? new StepHistory();
    this.#histories.set(run, known);
    return known;
  }

  #noteWaits(run: string, event: PublicEvent, record: StepRecord | undefined): void {
    if (record !== undefined) {
      const key = `${run}/${record.invocation}`;
      this.#waits.delete(key);
      if (record.retryAt !== undefined) {
        const dueAt = Date.parse(record.retryAt);
        this.#waits.set(key, { what: `${record.name} again`, dueAt });
      }
      return;
    }
    if (event.type === 'TimerSet') {
      const { id, dueAt } = dataOf<'TimerSet'>(event);
      this.#waits.set(`${run}/${id}`, { what: 'timer', dueAt });
    } else if (event.type === 'TimerFired' || event.type === 'TimerCancelled') {
      this.#waits.delete(`${run}/${dataOf<'TimerFired'>(event).id}`);
    } else if (['RunCompleted', 'RunFailed', 'RunCancelled', 'RunPaused'].includes(event.type)) {
      for (const key of this.#waits.keys()) if (key.startsWith(`${run}/`)) this.#waits.delete(key);
    }
  }

  #ofStep(event: PublicEvent, record: StepRecord): [string, string] | undefined {
    const { name } = record;
    switch (event.type) {
      case 'StepScheduled':
        return [name, `started${roundOf(record)}`];
      case 'StepAttemptStarted':
        return record.attempts > 1 ? [name, `attempt ${record.attempts}`] : undefined;
      case 'ModelReplied':
        return [name, styled('dim', replyOf(event))];
      case 'StepSucceeded':
        return [name, endOf(record)];
      case 'StepAttemptFailed': {
        const { error, retryAt } = dataOf<'StepAttemptFailed'>(event);
        const wait = duration(retryAt - Date.parse(event.metadata.at ?? ''));
        const why = oneLine(error.message);
        return [
          name,
          styled('yellow', `attempt ${record.attempts} failed, again in ${wait}: ${why}`),
        ];
      }
      case 'StepFailed':
        return [name, styled('red', `failed: ${oneLine(record.error?.message ?? '')}`)];
      case 'StepInterrupted':
        return [name, styled('yellow', 'interrupted, and it may run only once')];
      default:
        return undefined;
    }
  }

  #ofRun(event: PublicEvent): [string, string] | undefined {
    switch (event.type) {
      case 'RunStarted':
        return ['run', `started ${runIdOfStream(event.stream) ?? ''}`];
      case 'SignalReceived':
        return ['signal', eventText(dataOf<'SignalReceived'>(event).event)];
      case 'StateChanged': {
        const { to, accepts = [] } = dataOf<'StateChanged'>(event);
        const isGate = accepts.length > 0;
        return isGate ? ['wait', `${stateText(to)} takes ${accepts.join(', ')}`] : undefined;
      }
      case 'TimerSet': {
        const { dueAt } = dataOf<'TimerSet'>(event);
        const wait = duration(dueAt - Date.parse(event.metadata.at ?? ''));
        return ['timer', `due in ${wait}, at ${new Date(dueAt).toISOString()}`];
      }
      case 'TimerFired':
        return ['timer', 'fired'];
      case 'ChildSpawned': {
        const { run, workflow } = dataOf<'ChildSpawned'>(event);
        return ['child', `${workflow} as ${run}`];
      }
      case 'ArtifactStored':
        return ['artifact', dataOf<'ArtifactStored'>(event).name];
      case 'RunPaused':
        return ['paused', styled('yellow', oneLine(dataOf<'RunPaused'>(event).reason))];
      case 'RunResumed':
        return ['run', 'resumed'];
      case 'RunQuarantined':
        return [
          'run',
          styled('red', `quarantined: ${oneLine(dataOf<'RunQuarantined'>(event).reason)}`),
        ];
      default:
        return undefined;
    }
  }
}

const eventText = ({ type }: MachineEvent): string => type;
