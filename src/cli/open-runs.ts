/**
 * Opens the runs that a command works with, where they are: in a store, or at a server.
 *
 * 1. `--server` and `ECL_SERVER` name a server. Without them a command that writes goes to the server that holds the
 *    store, when there is one; a command that reads reads the store itself.
 * 2. A server that says it is there and does not answer is not there: the store says who holds it.
 */
import { resolve } from 'node:path';
import { defaultStore, environment, loadConfiguration } from '../config.ts';
import { createEclClient, type EclClient } from '../http/client/index.ts';
import { folderOfStore, inputFilesFor, serverOf } from '../composition/server-place.ts';
import { isPath, type FoundWorkflow } from '../composition/workflow-library.ts';
import type { Context } from './context.ts';
import { isWorkedOn } from './diagnose-shared.ts';
import { listRuns } from './list-runs.ts';
import { openLibrary, warnOfFailures, withEcl, type OpenOptions } from './open.ts';
import type { OpenedRuns, RunControl, Runs, StartOptions } from './runs.ts';

interface ServerAddress {
  readonly url: string;
  readonly token: string | undefined;
}

/** The server on this machine for the store of the configuration. */
const ownServer = async ({ flags }: Context): Promise<ServerAddress | undefined> => {
  const { values } = await loadConfiguration(flags);
  const { store = defaultStore, dataFolder } = values;
  return serverOf(folderOfStore(store, dataFolder));
};

const isEmbedded = async ({ flags }: Context): Promise<boolean> => {
  const { store = defaultStore } = (await loadConfiguration(flags)).values;
  return store.startsWith('sqlite:');
};

const findServer = async (
  context: Context,
  access: OpenOptions['access'],
): Promise<ServerAddress | undefined> => {
  const { server, token } = environment();
  const url = context.flags.server ?? server;
  if (url !== undefined) {
    // A server of this machine is known with its token.
    const own = token === undefined ? await ownServer(context) : undefined;
    return { url, token: own?.url === url.replace(/\/+$/, '') ? own.token : token };
  }
  // Many processes may write to a store on a server; one in a folder has one writer.
  if (access === 'read' || !(await isEmbedded(context))) return undefined;
  const own = await ownServer(context);
  if (own === undefined) return undefined;
  return (await createEclClient(own).isReady()) ? own : undefined;
};

/** A file is named to the server by where it is. */
const nameForServer = ({ workflow }: FoundWorkflow, target: string): string =>
  isPath(target) ? `${resolve(target.replace(/#[^#]*$/, ''))}#${workflow.id}` : workflow.id;

const startAt = async (
  client: EclClient,
  found: FoundWorkflow,
  target: string,
  { input, ...options }: StartOptions,
): Promise<RunControl> => {
  const files = inputFilesFor(client, options.tenant);
  const brought = await files.resolve(found.workflow.input, input);
  const run = await client.spawn(nameForServer(found, target), { ...options, input: brought });
  return run as unknown as RunControl;
};

const withServer = async (
  context: Context,
  server: ServerAddress,
  work: (opened: OpenedRuns) => Promise<number>,
): Promise<number> => {
  const library = await openLibrary(context);
  const client = createEclClient(server);
  // The same documents: what is optional there is absent, never undefined, once it went through JSON.
  const runs = client as unknown as Runs;
  try {
    return await work({
      ...library,
      runs,
      list: (query) => runs.list(query),
      isWorkedOn: () => Promise.resolve(true),
      start: (found, target, options) => startAt(client, found, target, options),
    });
  } finally {
    warnOfFailures(context.terminal, library.library);
    await client.close();
  }
};

/** Opens runs, works, and closes them whatever happens. */
export const withRuns = async (
  context: Context,
  options: OpenOptions,
  work: (opened: OpenedRuns) => Promise<number>,
): Promise<number> => {
  const server = await findServer(context, options.access);
  if (server !== undefined) return withServer(context, server, work);
  return withEcl(context, options, async (opened) => {
    const { ecl } = opened;
    return work({
      ...opened,
      runs: ecl,
      list: (query) => listRuns(opened, query),
      isWorkedOn: () => isWorkedOn(opened),
      start: ({ workflow, module }, _, start) => {
        ecl.registry.register(workflow, module === undefined ? {} : { module });
        return ecl.spawn(workflow, start);
      },
    });
  });
};
