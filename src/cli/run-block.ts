/** A run as a block of text: what it is, how it stands, what it gave, what it waits for, and the commands to go on. */
import { isPlainObject } from '../core/json-value.ts';
import { rootRunId } from '../core/ids.ts';
import { StepHistory, type StepUsage } from '../core/step-history.ts';
import type { RunDocument } from '../runtime/run-document.ts';
import type { Context } from './context.ts';
import { between, bytes, cost, count, instant, stateText, tokens } from './format.ts';
import { neutralise, oneLine, safeJson } from './sanitize.ts';
import type { OpenedRuns, RunControl, Runs } from './runs.ts';
import { styled, type Style } from './terminal.ts';

const outputLinesMax = 40;
const labelWidth = 10;

const statusStyles: Readonly<Record<RunDocument['status'], Style>> = {
  running: 'cyan',
  waiting: 'yellow',
  paused: 'yellow',
  blocked: 'red',
  quarantined: 'red',
  completed: 'green',
  failed: 'red',
  cancelled: 'red',
};

export const statusText = (status: RunDocument['status']): string =>
  styled(statusStyles[status], status);

const labelled = (label: string, text: string): string =>
  `${label.padEnd(labelWidth)} ${text}`.trimEnd();

/** What the steps of a run did, from its journal. */
const readHistory = async (runs: Runs, run: string): Promise<StepHistory> => {
  const history = new StepHistory();
  for await (const event of runs.events({ run })) history.add(event);
  return history;
};

const headLines = (run: RunDocument, { isLeft }: RunDetails): string[] => {
  const state = stateText(run.state);
  const showsState = state !== '' && run.endedAt === undefined;
  const where = showsState ? ` in ${state}` : '';
  const left = isLeft ? ', but no process works on it' : '';
  return [
    labelled('run', styled('bold', run.id)),
    labelled('status', `${statusText(run.status)}${where}${left}`),
    labelled('workflow', `${run.workflow} ${run.version}`),
  ];
};

const timeLine = (run: RunDocument): string => {
  const { startedAt, endedAt } = run;
  return endedAt === undefined
    ? labelled('started', `${instant(startedAt)} UTC, last event ${instant(run.updatedAt)}`)
    : labelled('time', `${between(startedAt, endedAt)}, ended ${instant(endedAt)} UTC`);
};

const usageLine = (usage: StepUsage): string[] =>
  usage.calls === 0
    ? []
    : [
        labelled(
          'models',
          `${count(usage.calls)} ${usage.calls === 1 ? 'call' : 'calls'} to ${usage.models.join(', ')}: ${tokens(usage)}, ${cost(usage)}`,
        ),
      ];

const fieldLines = (name: string, value: unknown): string[] => {
  if (typeof value !== 'string') return `${name}: ${safeJson(value, 2)}`.split('\n');
  const lines = neutralise(value).split('\n');
  return lines.length === 1
    ? [`${name}: ${lines[0]!}`]
    : [`${name}:`, ...lines.map((line) => `  ${line}`)];
};

const allLines = (value: unknown): string[] => {
  if (typeof value === 'string') return neutralise(value).split('\n');
  if (typeof value === 'object' && value !== null && isPlainObject(value)) {
    return Object.entries(value).flatMap(([name, part]) => fieldLines(oneLine(name), part));
  }
  return safeJson(value, 2).split('\n');
};

/** A value as text: texts stand as they are, anything else as JSON, cut after some lines. */
const valueLines = (value: unknown): string[] => {
  const lines = allLines(value);
  const shown = lines.slice(0, outputLinesMax).map((line) => `  ${line}`);
  const more = lines.length - outputLinesMax;
  return more > 0 ? [...shown, styled('dim', `  … ${more} more lines, see --json`)] : shown;
};

/** What a person decides about: the draft, what the review said of it, and what the state says. */
const decisionLines = (run: RunDocument, { history, description }: RunDetails): string[] => {
  if (run.status !== 'waiting') return [];
  const { lastOutput, lastVerdict } = history;
  return [
    ...(lastOutput === undefined
      ? []
      : [labelled(lastOutput.name, ''), ...valueLines(lastOutput.output)]),
    ...(lastVerdict === undefined || lastVerdict.decision === 'pass'
      ? []
      : [labelled('review', lastVerdict.decision), ...valueLines(lastVerdict.feedback)]),
    ...(description === undefined ? [] : [labelled('asks', oneLine(description, 400))]),
  ];
};

const errorLines = ({ error }: RunDocument): string[] =>
  error === undefined ? [] : [labelled('error', `${error.code}: ${neutralise(error.message)}`)];

const artifactLines = ({ artifacts }: RunDocument): string[] =>
  artifacts.flatMap(({ name, path, bytes: size }) => [
    labelled('artifact', `${oneLine(name)} (${bytes(size)})`),
    labelled('', path),
  ]);

export interface RunDetails {
  readonly history: StepHistory;
  /** What the state that it is in says of itself. */
  readonly description: string | undefined;
  /** It has work left that no process goes on with. */
  readonly isLeft: boolean;
}

/** What the innermost state says of itself that says something. */
const descriptionOf = async (
  { library }: OpenedRuns,
  handle: RunControl,
  { workflow, version, state }: RunDocument,
): Promise<string | undefined> => {
  const snapshot = handle.getSnapshot();
  if (hasNodes(snapshot)) {
    return snapshot._nodes.findLast((node) => node.description !== undefined)?.description;
  }
  // A server tells the state, and its machine is at hand where the workflow is.
  const all = await library.all();
  const same = all.find(
    (each) => each.workflow.id === workflow && each.workflow.version === version,
  );
  return same === undefined ? undefined : describedState(same.workflow.machine.root, state);
};

const hasNodes = (snapshot: unknown): snapshot is { _nodes: readonly { description?: string }[] } =>
  typeof snapshot === 'object' && snapshot !== null && '_nodes' in snapshot;

interface StateNode {
  readonly description?: string | undefined;
  readonly states: Readonly<Record<string, StateNode>>;
}

const describedState = (node: StateNode, value: unknown): string | undefined => {
  const inner: [string, unknown][] =
    typeof value === 'string'
      ? [[value, undefined]]
      : Object.entries((value ?? {}) as Record<string, unknown>);
  const described = inner.map(([name, part]) => {
    const child = node.states[name];
    return child === undefined ? undefined : (describedState(child, part) ?? child.description);
  });
  return described.findLast((text) => text !== undefined);
};

/** What a run's journal and machine say beyond its document. */
export const runDetails = async (
  opened: OpenedRuns,
  handle: RunControl,
  run: RunDocument,
): Promise<RunDetails> => ({
  history: await readHistory(opened.runs, handle.id),
  description: await descriptionOf(opened, handle, run),
  isLeft: run.status === 'running' && !(await opened.isWorkedOn()),
});

/** Everything but what to do next. */
export const runBlock = (run: RunDocument, details: RunDetails): string[] => [
  ...headLines(run, details),
  timeLine(run),
  ...usageLine(details.history.usage),
  ...errorLines(run),
  ...(run.output === undefined ? [] : [labelled('output', ''), ...valueLines(run.output)]),
  ...decisionLines(run, details),
  ...artifactLines(run),
];

const roundsCommands: Readonly<Record<string, readonly string[]>> = {
  'rounds.accepted': ['--accept'],
  'rounds.extended': ['--more-rounds', '2'],
  'rounds.replaced': ['--output', 'JSON'],
};

/** The commands that answer what a run waits for. */
const answers = (context: Context, run: RunDocument): string[] =>
  run.waitingFor
    .filter(({ event }) => event !== 'timer')
    .map(({ event }) => {
      const rounds = roundsCommands[event];
      return rounds === undefined
        ? context.commandLine('signal', run.id, event)
        : context.commandLine('resume', run.id, ...rounds);
    });

/** Children that wait for a person while their parent only waits for them. */
const waitingBelow = async (runs: Runs, run: RunDocument): Promise<RunDocument[]> => {
  if (run.status !== 'running') return [];
  const { items } = await runs.list({ parent: run.id });
  const below: RunDocument[] = [];
  for (const { id } of items) {
    const child = await (await runs.get(id)).document();
    below.push(...(child.waitingFor.length > 0 ? [child] : await waitingBelow(runs, child)));
  }
  return below;
};

/** What to do about a run that rests. */
export const nextLines = async (
  context: Context,
  runs: Runs,
  { run, details }: { readonly run: RunDocument; readonly details: RunDetails },
): Promise<string[]> => {
  const lines: string[] = [];
  if (details.isLeft) {
    lines.push('To go on with it:', `  ${context.commandLine('resume', rootRunId(run.id))}`);
  }
  for (const child of await waitingBelow(runs, run)) {
    lines.push(`The child run ${child.id} waits for you:`);
    lines.push(...answers(context, child).map((command) => `  ${command}`));
  }
  const deadline = run.waitingFor.find(({ dueAt }) => dueAt !== undefined)?.dueAt;
  const commands = answers(context, run);
  if (commands.length > 0) {
    const until = deadline === undefined ? '' : ` (until ${instant(deadline)} UTC)`;
    lines.push(`It waits for you${until}:`, ...commands.map((command) => `  ${command}`));
  }
  if (run.status === 'paused' || run.status === 'quarantined') {
    lines.push('When what is wrong is mended:', `  ${context.commandLine('resume', run.id)}`);
  }
  if (run.status === 'failed' || run.status === 'cancelled') {
    lines.push('It is over: the same input with --new is a new run.');
  }
  lines.push(
    `Look closer: ${context.commandLine('status', run.id)}`,
    `             ${context.commandLine('trace', run.id)}`,
  );
  return lines;
};
