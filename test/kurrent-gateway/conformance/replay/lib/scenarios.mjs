// All scenarios in their fixed order; persistent subscriptions last, since their checkpoints go into the log.
import { runScenario } from './context.mjs';
import { openTarget } from './target.mjs';

const GROUPS = [
  'server',
  'batch-append',
  'unary-append',
  'idempotency',
  'append-session',
  'append-records',
  'delete',
  'metadata',
  'read',
  'all',
  'subscribe-stream',
  'subscribe-all',
  'client',
  'limits',
  'persistent',
];

/** The scenarios as `{ group, name, body }`, narrowed by group and by a part of the name. */
export async function selectScenarios({ group, only } = {}) {
  const list = [];
  for (const one of GROUPS) {
    const { scenarios } = await import(`../scenarios/${one}.mjs`);
    for (const [name, body] of Object.entries(scenarios))
      list.push({ group: one, name: `${one}/${name}`, body });
  }
  return list.filter(
    (one) => (!group || one.group === group) && (!only || one.name.includes(only)),
  );
}

/** Runs scenarios one after another against `url` and hands each one's JSON lines to `onScenario`. */
export async function runAll(url, selection, onScenario) {
  const target = openTarget(url);
  await target.ready(5000);
  // The official client is known to throw outside of any call when a subscription ends in an error.
  process.on('uncaughtException', (error) => process.stderr.write(`uncaught: ${error.stack}\n`));
  const scenarios = await selectScenarios(selection);
  for (const scenario of scenarios) await onScenario(scenario, await runScenario(scenario, target));
  await target.client.dispose();
  target.close();
  return scenarios.length;
}

/** `<url> [--name value]...` as `{ url, name: value }`. */
export function parseArguments(args, usage) {
  const out = {};
  for (let index = 0; index < args.length; index++) {
    if (args[index].startsWith('--')) out[args[index].slice(2)] = args[++index];
    else out.url ??= args[index];
  }
  if (out.url) return out;
  process.stderr.write(`usage: ${usage}\n`);
  process.exit(2);
}
