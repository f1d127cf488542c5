/**
 * The kill sweep: one run after the other, the nth of them killed at its nth boundary, until one ends without a kill.
 * So every boundary is covered; each process first ends the run of the one before.
 */
import { checkHistory, type History, type SharedPlace } from './history.ts';
import { ModelServer } from './model-server.ts';
import { temporaryFolder, worker } from './processes.ts';
import type { EclOptions } from 'ecl';

/** Before an append, after it and before its acknowledgement, or while a call is under way. */
export type When = 'before' | 'after' | 'call';

export interface Sweep {
  readonly kills: number;
  readonly history: History;
  readonly server: ModelServer;
}

export interface SweepOptions {
  readonly workflow: string;
  readonly when: When;
  readonly workflows: NonNullable<EclOptions['workflows']>;
  /** JSON of the run's input; `$key` becomes the run's key. */
  readonly input?: string;
  readonly answer?: ModelServer['answer'];
  /** A copy of the package. @default this one */
  readonly root?: string;
  /** A store that others share. @default the database of a folder of its own */
  readonly shared?: Omit<SharedPlace, 'folder'>;
}

const boundariesMax = 100;

/** What a process needs to find a store that others share. */
export const sharedEnv = (
  shared: Omit<SharedPlace, 'folder'> | undefined,
): Record<string, string> =>
  shared === undefined
    ? {}
    : { ECL_TEST_STORE: shared.connectionString, ECL_TEST_TENANT: shared.tenant };

export const sweep = async (options: SweepOptions): Promise<Sweep> => {
  const { workflow, when, root, shared } = options;
  const server = await ModelServer.start();
  if (options.answer !== undefined) server.answer = options.answer;
  const folder = temporaryFolder();
  const env = { ...server.env, ...sharedEnv(shared), ECL_TEST_INPUT: options.input ?? '' };
  try {
    for (let nth = 1; nth <= boundariesMax; nth += 1) {
      const child = worker(['sweep', workflow, String(nth), when].toSpliced(1, 0, folder), {
        env,
        ...(root === undefined ? {} : { root }),
      });
      let own = 0;
      server.onCall = ({ body }) => {
        if (when !== 'call' || !body.includes(`#${when}-${nth}#`)) return true;
        own += 1;
        if (own === nth) child.kill();
        return own !== nth;
      };
      const { code, signal, stderr, lines } = await child.exit;
      if (signal === 'SIGKILL' && !stderr.includes('hung')) continue;
      if (code !== 0 || lines.at(-1) !== 'complete') {
        throw new Error(
          `the process of kill ${when} ${nth} ended with ${code ?? signal}: ${stderr}`,
        );
      }
      const place = shared === undefined ? folder : { ...shared, folder };
      const history = await checkHistory(place, options.workflows, server.calls);
      return { kills: nth - 1, history, server };
    }
    throw new Error(`no end after ${boundariesMax} boundaries`);
  } finally {
    await server.stop();
  }
};
