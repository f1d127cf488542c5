/** What `ecl doctor` finds: facts about this process, the store, the model and the workflows, and what is wrong. */
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import type { Provenance } from '../config.ts';
import { defaultStore, environment, isKurrentDb, shownStore } from '../config.ts';
import type { EclError, ErrorDocument } from '../core/errors.ts';
import type { RunStatus } from '../core/run-statuses.ts';
import type { StoreDescription } from '../ports/event-store.ts';
import type { RunSummary } from '../ports/run-directory.ts';
import type { FailedModule } from '../composition/workflow-library.ts';
import { tryDurability } from '../main.ts';
import {
  diagnoseShared,
  isWorkedOn,
  sharedLines,
  type SharedDiagnosis,
} from './diagnose-shared.ts';
import { bytes, count } from './format.ts';
import { allRuns } from './list-runs.ts';
import type { Library, Opened } from './open.ts';
import { oneLine } from './sanitize.ts';
import { styled } from './terminal.ts';

export interface Diagnosis {
  readonly ok: boolean;
  readonly version: string;
  readonly node: string;
  readonly platform: string;
  readonly store: StoreDescription & {
    readonly freeBytes: number | null;
    /** What a writer gets from the engine, read back; null where there is no engine. */
    readonly writerDurability: string | null;
    /** Where several processes use it. */
    readonly shared?: SharedDiagnosis;
    /** Why it cannot be opened. */
    readonly error?: ErrorDocument;
  };
  readonly runs: {
    readonly total: number;
    readonly byStatus: Readonly<Partial<Record<RunStatus, number>>>;
    /** Have work left, and no process holds the store. */
    readonly owed: readonly string[];
    readonly blocked: readonly string[];
    readonly quarantined: readonly string[];
  };
  readonly model: { readonly id: string; readonly isLanguageModel: boolean; readonly note: string };
  readonly workflows: {
    readonly found: readonly { id: string; version: string; origin: string }[];
    readonly failed: readonly FailedModule[];
  };
  readonly configuration: readonly Provenance[];
  readonly problems: readonly string[];
  readonly notices: readonly string[];
}

const namedMax = 10;
const freeBytesMin = 100 * 1024 * 1024;

/** Free space of the file system that the store is, or will be, on. */
const freeBytesOf = async (location: string): Promise<number | null> => {
  let path = resolve(location);
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path);
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch {
    return null;
  }
};

/** What a writer sets holds for its own connection only: where this process is none, it is tried. */
const writerDurabilityOf = async ({
  kind,
  durability,
  details,
}: StoreDescription): Promise<string | null> => {
  if (kind !== 'sqlite') return null;
  if (details['access'] === 'write') return durability;
  try {
    return await tryDurability();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

interface Runs {
  total: number;
  byStatus: Partial<Record<RunStatus, number>>;
  owed: string[];
  blocked: string[];
  quarantined: string[];
}

const note = (runs: Runs, { id, status }: RunSummary, isHeld: boolean): void => {
  runs.total += 1;
  runs.byStatus[status] = (runs.byStatus[status] ?? 0) + 1;
  if (status === 'running' && !isHeld) runs.owed.push(id);
  if (status === 'blocked' || status === 'quarantined') runs[status].push(id);
};

const countRuns = async (opened: Opened, isHeld: boolean): Promise<Runs> => {
  const runs: Runs = { total: 0, byStatus: {}, owed: [], blocked: [], quarantined: [] };
  for await (const run of allRuns(opened, { children: true })) note(runs, run, isHeld);
  return runs;
};

const modelOf = (id: string): Diagnosis['model'] & { problem?: string } => {
  const isLanguageModel = id !== 'rules' && !id.startsWith('scripted:');
  if (id === 'rules') {
    const text =
      'deterministic text processing, not a language model; ANTHROPIC_API_KEY brings Claude';
    return { id, isLanguageModel, note: text };
  }
  if (id.startsWith('scripted:')) return { id, isLanguageModel, note: 'answers from a script' };
  if (id.startsWith('anthropic:') && environment().anthropicApiKey === undefined) {
    const problem = `the model ${id} needs ANTHROPIC_API_KEY`;
    return { id, isLanguageModel, note: 'there is no key', problem };
  }
  return { id, isLanguageModel, note: '' };
};

const named = (ids: readonly string[]): string =>
  ids.length <= namedMax ? ids.join(', ') : `${ids.slice(0, namedMax).join(', ')} and others`;

const problemsOf = (
  diagnosis: Pick<Diagnosis, 'store' | 'runs' | 'workflows'>,
  modelProblem: string | undefined,
): string[] => {
  const { store, runs, workflows } = diagnosis;
  const problems: string[] = store.error === undefined ? [] : [store.error.message];
  const { writerDurability, durability } = store;
  if (writerDurability !== null && !/^WAL, synchronous=(FULL|EXTRA)$/.test(writerDurability)) {
    problems.push(`a writer is not durable here: ${writerDurability}`);
  }
  if (durability.includes('synchronous=') && !durability.startsWith('WAL,')) {
    problems.push(`the store is not in WAL mode: ${durability}`);
  }
  if (store.freeBytes !== null && store.freeBytes < freeBytesMin) {
    problems.push(`the disk has ${bytes(store.freeBytes)} left`);
  }
  if (modelProblem !== undefined) problems.push(modelProblem);
  for (const { error } of workflows.failed) problems.push(oneLine(error.message));
  if (runs.blocked.length > 0) {
    problems.push(`blocked, their workflow is not here: ${named(runs.blocked)}`);
  }
  if (runs.quarantined.length > 0) problems.push(`quarantined: ${named(runs.quarantined)}`);
  return problems;
};

const noticesOf = (warnings: readonly string[], { owed, byStatus }: Runs): string[] => [
  ...warnings,
  ...(owed.length > 0 ? [`left with work to do, \`ecl resume\` goes on: ${named(owed)}`] : []),
  ...((byStatus.paused ?? 0) > 0
    ? [`${byStatus.paused} paused, see \`ecl list --status paused\``]
    : []),
];

/** A store that cannot be opened, as far as the configuration tells. */
const unopened = ({ configuration }: Library, error: EclError): Diagnosis['store'] => {
  const { store = defaultStore } = configuration.values;
  const [scheme = '', rest = ''] = store.split(/:(.*)/s);
  const isServer = isKurrentDb(store);
  return {
    kind: isServer ? 'kurrentdb' : scheme,
    location: isServer ? shownStore(store) : rest,
    durability: 'it cannot be opened',
    details: {},
    freeBytes: null,
    writerDurability: null,
    error: error.toJSON(),
  };
};

const storeOf = async (found: Opened): Promise<Diagnosis['store']> => {
  const described = await found.ecl.describeStore();
  const shared = await diagnoseShared(found);
  return {
    ...described,
    ...(shared === undefined ? {} : { shared }),
    freeBytes: described.kind === 'sqlite' ? await freeBytesOf(described.location) : null,
    writerDurability: await writerDurabilityOf(described),
  };
};

const noRuns: Runs = { total: 0, byStatus: {}, owed: [], blocked: [], quarantined: [] };

/** @param found what was opened, or why the store was not */
export const diagnose = async (
  found: Opened | (Library & { readonly error: EclError }),
): Promise<Diagnosis> => {
  const { library, configuration } = found;
  const store = 'ecl' in found ? await storeOf(found) : unopened(found, found.error);
  const runs = 'ecl' in found ? await countRuns(found, await isWorkedOn(found)) : noRuns;
  const workflows = (await library.all()).map(({ workflow: { id, version }, origin }) => ({
    id,
    version,
    origin,
  }));
  const { problem, ...model } = modelOf(found.model);
  const { version } = createRequire(import.meta.url)('ecl/package.json') as { version: string };
  const facts = {
    version,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    store,
    runs,
    model,
    workflows: { found: workflows, failed: library.failures },
    configuration: configuration.provenance,
  };
  const problems = problemsOf(facts, problem);
  const notices = noticesOf(configuration.warnings, runs);
  return { ok: problems.length === 0, ...facts, problems, notices };
};

const labelWidth = 14;
const entry = (label: string, text: string): string => `  ${label.padEnd(labelWidth)} ${text}`;

const durabilityText = ({ durability, writerDurability }: Diagnosis['store']): string => {
  if (writerDurability === null) return durability;
  const mode = durability.includes('synchronous=') ? durability.split(',')[0] : durability;
  return `${writerDurability} for a writer, read back; the store: ${mode}`;
};

const embeddedLines = ({ details, freeBytes }: Diagnosis['store']): string[] => {
  const { holder, driver, format, bytes: size } = details;
  return [
    entry(
      'driver',
      `${driver === undefined ? '' : String(driver)}${format === undefined ? '' : `, format ${String(format)}`}`,
    ),
    entry(
      'size',
      `${bytes(Number(size ?? 0))}${freeBytes === null ? '' : `, ${bytes(freeBytes)} free`}`,
    ),
    entry('held by', holder === undefined ? 'nobody' : `pid ${String(holder)}`),
  ];
};

const storeLines = ({ store, runs }: Diagnosis): string[] => {
  const counts = Object.entries(runs.byStatus).map(([status, number]) => `${number} ${status}`);
  return [
    styled('bold', 'store'),
    entry('place', store.kind === 'kurrentdb' ? store.location : `${store.kind} ${store.location}`),
    entry('durability', durabilityText(store)),
    ...(store.kind === 'kurrentdb'
      ? store.error === undefined
        ? sharedLines(store, store.shared).map(([label, text]) => entry(label, text))
        : []
      : embeddedLines(store)),
    entry('runs', `${count(runs.total)}${counts.length === 0 ? '' : `: ${counts.join(', ')}`}`),
  ];
};

const settingText = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? '');

const list = (title: string, mark: string, items: readonly string[]): string[] =>
  items.length === 0
    ? []
    : ['', styled('bold', title), ...items.map((item) => `  ${mark} ${item}`)];

export const diagnosisLines = (diagnosis: Diagnosis): string[] => {
  const { model, workflows, configuration, problems, notices } = diagnosis;
  return [
    `ECL ${diagnosis.version} on Node ${diagnosis.node}, ${diagnosis.platform}`,
    '',
    ...storeLines(diagnosis),
    '',
    styled('bold', 'model'),
    entry(model.id, model.note),
    '',
    styled('bold', 'workflows'),
    ...workflows.found.map(({ id, version, origin }) => entry(id, `${version}  ${origin}`)),
    '',
    styled('bold', 'configuration'),
    ...configuration.map(({ key, value, source }) =>
      entry(key, `${oneLine(settingText(value))}  ${styled('dim', source)}`),
    ),
    ...list('notices', styled('yellow', '-'), notices),
    ...list('problems', styled('red', '-'), problems),
    ...(problems.length === 0 ? ['', styled('green', 'Nothing is wrong.')] : []),
  ];
};
