/**
 * The gateway answers as a real KurrentDB did: what was recorded there is replayed here, with the real client and raw
 * calls over real sockets, on the embedded store.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { startGateway } from '../start-gateway.ts';
import { accepted, refusedGroups, serverGroups } from './accepted.ts';
import { compare, readSteps, type Scenario, type Step } from './compare.ts';
import { compatibilityPage } from './compatibility-page.ts';

const here = dirname(fileURLToPath(import.meta.url));
const page = join(here, '../../../docs/kurrentdb-compatibility.md');
const recorded = readSteps(join(here, 'recorded-26.0.3.jsonl'));
const folder = mkdtempSync(join(tmpdir(), 'ecl-conformance-'));
const replayMsMax = 600_000;

let replayed: Step[] = [];
let scenarios: Scenario[] = [];

/** In a process of its own: the official client may throw outside of any call when a subscription ends in an error. */
const replay = async (address: string): Promise<Step[]> => {
  const out = join(folder, 'replayed.jsonl');
  const args = [join(here, 'replay/record.mjs'), address, '--out', out];
  await promisify(execFile)(process.execPath, args);
  return readSteps(out);
};

beforeAll(async () => {
  const store = await openSqliteEventStore({ folder: join(folder, 'store') });
  const gateway = await startGateway({ store });
  replayed = await replay(`127.0.0.1:${gateway.port}`);
  scenarios = compare(recorded, replayed);
  await gateway.close();
  await store.close();
}, replayMsMax);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const acceptedOf = ({ name }: Scenario) => accepted.find(({ scenario }) => scenario === name);
const brief = ({ step, path, wanted, got }: Scenario['differences'][number]): string =>
  `step ${step} ${path}: expected ${JSON.stringify(wanted)}, got ${JSON.stringify(got)}`;

describe('a replay of what a real server answered', () => {
  test('finds no difference but the accepted ones', () => {
    const unexpected = scenarios
      .filter(({ group }) => !refusedGroups.has(group))
      .flatMap((scenario) =>
        scenario.differences
          .filter(({ path }) => acceptedOf(scenario)?.paths.test(path) !== true)
          .map((difference) => `${scenario.name} ${brief(difference)}`),
      );
    expect(unexpected).toEqual([]);
  });

  test('finds every accepted difference, so that the list holds nothing that is gone', () => {
    const differing = scenarios.filter(({ differences }) => differences.length > 0);
    const names = differing.map(({ name }) => name);
    expect(accepted.filter(({ scenario }) => !names.includes(scenario))).toEqual([]);
  });

  test('differs in at most a tenth of all scenarios of streams, records, reads and subscriptions', () => {
    const counted = scenarios.filter(
      ({ group }) => !refusedGroups.has(group) && !serverGroups.has(group),
    );
    const differing = counted.filter(({ differences }) => differences.length > 0);
    expect(counted.length).toBeGreaterThan(130);
    expect(differing.length).toBeLessThanOrEqual(counted.length / 10);
  });

  test('is refused at once, as UNIMPLEMENTED, where nothing is served', () => {
    const steps = replayed.filter(({ group }) => refusedGroups.has(group));
    const unimplemented = 12;
    const refusals = steps.filter(
      ({ error }) => error?.code === unimplemented || error?.name === 'UnsupportedError',
    );
    expect(refusals.length).toBeGreaterThan(15);
    expect(JSON.stringify(steps)).not.toContain('no answer in time');
    const features = replayed.filter(({ scenario }) => scenario === 'server/features');
    expect(features[2]?.result).toEqual([]);
  });

  test('makes the page about compatibility', () => {
    const text = compatibilityPage(scenarios);
    if (process.env['ECL_WRITE_COMPATIBILITY'] !== undefined) writeFileSync(page, text);
    expect(readFileSync(page, 'utf8')).toBe(text);
  });
});
