/**
 * Lists runs with the workflows at hand, so that a run whose machine is not here shows as blocked.
 *
 * Only this process knows what is blocked for it: the store's own answer has no such status.
 */
import type { JournalData } from '../core/journal-events.ts';
import type { RunListQuery, RunPage, RunSummary } from '../ports/run-directory.ts';
import { blockedReason } from '../runtime/registry.ts';
import type { Opened } from './open.ts';

const isLive = ({ status }: RunSummary): boolean =>
  ['running', 'waiting', 'paused'].includes(status);

/** Loads what the live runs were started with, each workflow once. */
const register = async ({ ecl, library }: Opened, items: readonly RunSummary[]): Promise<void> => {
  const seen = new Set<string>();
  for (const item of items.filter(isLive)) {
    const { workflow, version, structure, module } = item;
    const key = [workflow, version, structure, module].join('\n');
    if (seen.has(key)) continue;
    seen.add(key);
    const started = item as unknown as JournalData<'RunStarted'>;
    if (ecl.registry.find(started) === undefined) await library.registerFor(started, ecl.registry);
  }
};

const page = async (opened: Opened, query: RunListQuery): Promise<RunPage> => {
  const found = await opened.ecl.list(query);
  await register(opened, found.items);
  const { registry } = opened.ecl;
  // Whatever could be found is registered by now, so what is not is not here.
  const withBlocked = (item: RunSummary): RunSummary =>
    isLive(item) && blockedReason(registry, item) !== undefined
      ? { ...item, status: 'blocked' }
      : item;
  return { ...found, items: found.items.map(withBlocked) };
};

/** Every run, page by page. */
export async function* allRuns(opened: Opened, query: RunListQuery): AsyncGenerator<RunSummary> {
  for (let cursor = query.cursor; ;) {
    const { items, nextCursor } = await page(opened, {
      ...query,
      limit: 1_000,
      ...(cursor === undefined ? {} : { cursor }),
    });
    yield* items;
    if (nextCursor === undefined) return;
    cursor = nextCursor;
  }
}

const blockedRuns = async (opened: Opened, query: RunListQuery): Promise<RunPage> => {
  const { status: _, limit = 50, ...rest } = query;
  const items: RunSummary[] = [];
  for await (const item of allRuns(opened, rest)) {
    if (item.status === 'blocked') items.push(item);
    if (items.length === limit) break;
  }
  return { items };
};

/** One page; a run that turns out to be blocked is not what another status asks for. */
export const listRuns = async (opened: Opened, query: RunListQuery): Promise<RunPage> => {
  const { status } = query;
  if (status === 'blocked') return blockedRuns(opened, query);
  const found = await page(opened, query);
  if (status === undefined) return found;
  return { ...found, items: found.items.filter((item) => item.status === status) };
};
