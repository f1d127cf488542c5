/**
 * What a run did, as a tree: rounds with their drafts and reviews, attempts where there were several, waits, and child runs
 * with theirs. Pure text.
 */
import type { TimelineEntry } from '../ports/status-queries.ts';
import { cost, duration, tokens } from './format.ts';
import { oneLine } from './sanitize.ts';
import { table } from './table.ts';
import { styled, type Style } from './terminal.ts';
import type { Timelines } from './timelines.ts';

interface Node {
  readonly label: string;
  /** Time, tokens, cost, result. */
  readonly cells: readonly [string, string, string, string];
  readonly below: readonly Node[];
}

export interface TreeOptions {
  readonly width: number;
  /** Until when what goes on has lasted, in milliseconds since 1970. */
  readonly now: number;
}

const verdictStyles: Readonly<Record<string, Style>> = {
  pass: 'green',
  revise: 'yellow',
  reject: 'red',
};
const outcomeStyles: Readonly<Record<string, Style>> = {
  failed: 'red',
  interrupted: 'yellow',
  retrying: 'yellow',
  paused: 'yellow',
  waiting: 'yellow',
  running: 'cyan',
};

const resultMax = 80;

/** How something ended or stands, in a few words. */
export const resultOf = ({ verdict, error, reason, outcome = '' }: TimelineEntry): string => {
  if (verdict !== undefined) {
    const feedback = oneLine(verdict.feedback, resultMax);
    const decision = styled(verdictStyles[verdict.decision] ?? 'yellow', verdict.decision);
    return feedback === '' ? decision : `${decision}: ${feedback}`;
  }
  const style = outcomeStyles[outcome];
  const shown = style === undefined ? outcome : styled(style, outcome);
  const why = error?.message ?? reason;
  return why === undefined ? shown : `${shown}: ${oneLine(why, resultMax)}`;
};

/** How long something lasted, or has lasted so far. */
export const timeOf = ({ startedAt, durationMs }: TimelineEntry, now: number): string =>
  duration(durationMs ?? now - Date.parse(startedAt));

const usageCells = ({ usage }: TimelineEntry): [string, string] =>
  usage === undefined || usage.calls === 0 ? ['', ''] : [tokens(usage), cost(usage)];

class Forest {
  readonly #timelines: Timelines;
  readonly #now: number;

  constructor(timelines: Timelines, now: number) {
    this.#timelines = timelines;
    this.#now = now;
  }

  of(run: string): Node[] {
    const entries = this.#timelines.get(run) ?? [];
    const shown = entries.filter(({ kind }) => ['step', 'wait', 'child', 'paused'].includes(kind));
    const nodes: Node[] = [];
    for (let at = 0; at < shown.length;) {
      const { kind, round } = shown[at]!;
      let end = at + 1;
      if (kind === 'step' && round !== undefined) {
        while (shown[end]?.kind === 'step' && shown[end]?.round === round) end += 1;
        nodes.push(this.#round(round, shown.slice(at, end), entries));
      } else nodes.push(this.#node(shown[at]!, entries));
      at = end;
    }
    return nodes;
  }

  #round(round: number, steps: readonly TimelineEntry[], entries: readonly TimelineEntry[]): Node {
    const from = Date.parse(steps[0]!.startedAt);
    const ends = steps.map(({ endedAt }) =>
      endedAt === undefined ? this.#now : Date.parse(endedAt),
    );
    const decision = steps.findLast(({ verdict }) => verdict !== undefined)?.verdict?.decision;
    return {
      label: `round ${round}`,
      cells: [
        duration(Math.max(...ends) - from),
        '',
        '',
        decision === undefined ? '' : styled(verdictStyles[decision] ?? 'yellow', decision),
      ],
      below: steps.map((step) => this.#node(step, entries)),
    };
  }

  #node(entry: TimelineEntry, entries: readonly TimelineEntry[]): Node {
    const time = timeOf(entry, this.#now);
    switch (entry.kind) {
      case 'step':
        return {
          label: entry.name,
          cells: [time, ...usageCells(entry), resultOf(entry)],
          below: this.#attempts(entry, entries),
        };
      case 'child':
        return {
          label: `child run ${entry.to ?? entry.name}`,
          cells: [time, '', '', resultOf(entry)],
          below: this.of(entry.to ?? ''),
        };
      case 'wait':
        return {
          label: `wait in ${entry.name}`,
          cells: [time, '', '', waitResult(entry, entries)],
          below: [],
        };
      default:
        return { label: entry.kind, cells: [time, '', '', resultOf(entry)], below: [] };
    }
  }

  /** One attempt that went as it should is the step itself. */
  #attempts({ invocation }: TimelineEntry, entries: readonly TimelineEntry[]): Node[] {
    const attempts = entries.filter(
      (each) => each.kind === 'attempt' && each.invocation === invocation,
    );
    if (attempts.length < 2) return [];
    return attempts.map((attempt) => ({
      label: `attempt ${attempt.attempt ?? 1}`,
      cells: [timeOf(attempt, this.#now), '', '', resultOf(attempt)],
      below: [],
    }));
  }
}

/** What a state waits for, or what ended its wait. */
export const waitResult = (wait: TimelineEntry, entries: readonly TimelineEntry[]): string => {
  if (wait.endedAt === undefined) {
    return styled('yellow', `waits for ${oneLine((wait.events ?? []).join(', '), resultMax)}`);
  }
  const next = entries.find(({ revision }) => revision === wait.endedBy);
  const cause = next?.causedBy;
  const signal = entries.find(({ kind, revision }) => kind === 'signal' && revision === cause);
  if (signal !== undefined) return `got ${oneLine(signal.name, resultMax)}`;
  const timer = entries.find(({ kind, endedBy }) => kind === 'timer' && endedBy === cause);
  return timer === undefined ? 'left' : 'its time was over';
};

const draw = (nodes: readonly Node[], indent = ''): string[][] =>
  nodes.flatMap(({ label, cells, below }, at) => {
    const isLast = at === nodes.length - 1;
    const [branch, trunk] = isLast ? ['└─ ', '   '] : ['├─ ', '│  '];
    return [[`${indent}${branch}${oneLine(label)}`, ...cells], ...draw(below, `${indent}${trunk}`)];
  });

/** The tree as lines of a table; none when nothing was done yet. */
export const stepTree = (timelines: Timelines, run: string, options: TreeOptions): string[] => {
  const rows = draw(new Forest(timelines, options.now).of(run));
  if (rows.length === 0) return [];
  return table(['STEPS', 'TIME', 'TOKENS', 'COST', 'RESULT'], rows, options.width);
};
