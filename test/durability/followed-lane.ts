/**
 * One process with four runs at a time, all read models folded as it lives, killed again and again: when a call comes in,
 * when its answer goes out, between two statements that write the read models, at any moment.
 */
import { randomOf } from '../random.ts';
import { billedFor, charged } from './ledger.ts';
import type { ModelServer } from './model-server.ts';
import { temporaryFolder, worker, type Running } from './processes.ts';

const deaths = ['call', 'answer', 'statement', 'moment'] as const;
type Death = (typeof deaths)[number];

export interface FollowedLane {
  readonly folder: string;
  /** The keys of the processes that were killed. */
  readonly killed: ReadonlySet<string>;
}

export interface FollowedOptions {
  readonly server: ModelServer;
  readonly seed: number;
  readonly kills: number;
  /** Called with the folder when a process is dead and the next one has not begun. */
  readonly afterKill: (folder: string) => Promise<void>;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Kills it when the nth call comes in, without an answer to it or with one that comes too late. */
const killAtCall = (server: ModelServer, child: Running, death: Death, nth: number): void => {
  let left = nth;
  server.onCall = () => {
    left -= 1;
    if (left > 0) return true;
    child.kill();
    // Others of the process may come in yet.
    return death === 'answer' ? 'now' : false;
  };
};

const startAndKill = async (
  server: ModelServer,
  random: () => number,
  start: { args: readonly string[]; env: Record<string, string>; death: Death },
): Promise<void> => {
  const { args, env, death } = start;
  const upTo = (n: number): number => 1 + Math.floor(random() * n);
  const at: Record<string, string> =
    death === 'statement' ? { ECL_TEST_DIE_AT: `${upTo(90)}` } : {};
  server.onCall = () => true;
  const child = worker(args, { env: { ...env, ...at } });
  if (death === 'call' || death === 'answer') killAtCall(server, child, death, upTo(12));
  if (death === 'moment') {
    const afterMs = random() * 300;
    await child.line('ready');
    await pause(afterMs);
    child.kill();
  }
  const { signal, stderr } = await child.exit;
  if (signal !== 'SIGKILL') throw new Error(`it ended by itself: ${stderr}`);
};

export const followedLane = async (options: FollowedOptions): Promise<FollowedLane> => {
  const { server } = options;
  const random = randomOf(options.seed);
  server.model = charged.model;
  server.billed = billedFor;
  server.latencyMs = () => random() * 20;
  const folder = temporaryFolder();
  const killed = new Set<string>();
  for (let kill = 0; kill < options.kills; kill += 1) {
    const key = `process-${kill}`;
    killed.add(key);
    const env = { ...server.env, ANTHROPIC_API_KEY: key, ECL_TEST_MODEL: charged.model };
    // Each of them in turn, then by chance.
    const death = deaths[kill] ?? deaths[Math.floor(random() * deaths.length)]!;
    const args = ['followed', folder, String(kill)];
    await startAndKill(server, random, { args, env, death });
    await options.afterKill(folder);
  }
  server.onCall = () => true;
  const env = { ...server.env, ANTHROPIC_API_KEY: 'last', ECL_TEST_MODEL: charged.model };
  const { code, stderr } = await worker(['finish', folder, 'followed'], { env }).exit;
  if (code !== 0) throw new Error(`the last process ended with ${code}: ${stderr}`);
  return { folder, killed };
};
