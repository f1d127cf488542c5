import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { durableMachine } from '../../src/core/durable-machine.ts';
import { runIdOfStream } from '../../src/core/ids.ts';
import type { StoredEvent } from '../../src/core/journal-codec.ts';
import { journalEventTypes, type JournalData } from '../../src/core/journal-events.ts';
import { runStatus } from '../../src/core/run-status.ts';
import { sha256 } from '../../src/core/sha256.ts';
import { schemaVersionOf } from '../../src/core/upcasters.ts';
import { Lab, replayed, visible, type Given, type StartOptions } from '../core/kit.ts';

interface Case {
  readonly machine: object;
  /** How the run stands at the end of its journal. */
  readonly status: string;
  /** What happened to it, to record a journal where there is none. */
  readonly life?: readonly Given[];
  readonly start?: StartOptions;
}

const folder = new URL('./', import.meta.url);
const at = (name: string): URL => new URL(name, folder);
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => name.slice(0, -3));

const loadCase = async (name: string): Promise<Case> => (await import(at(`${name}.ts`).href)) as Case;

/** Plays the life of a case and keeps its journal; `wx` makes sure that nothing is ever written over. */
const record = (name: string, { machine, life, start }: Case): void => {
  expect(life, `${name}.ts says what happened`).toBeDefined();
  const lab = new Lab(machine, { id: `${name}.golden`, ...start });
  for (const fact of life!) lab.take(fact);
  const lines = lab.stored.map(({ stream, revision, id, type, data, metadata }) =>
    JSON.stringify({ stream, revision, id, type, data, metadata }),
  );
  writeFileSync(at(`${name}.jsonl`), `${lines.join('\n')}\n`, { flag: 'wx' });
  if (lab.blobs.size === 0) return;
  const blobs = JSON.stringify(Object.fromEntries(lab.blobs), null, 1);
  writeFileSync(at(`${name}.blobs.json`), `${blobs}\n`, { flag: 'wx' });
};

const journalOf = (name: string): StoredEvent[] =>
  readFileSync(at(`${name}.jsonl`), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as StoredEvent);

const blobsOf = (name: string): Map<string, string> => {
  const file = at(`${name}.blobs.json`);
  const blobs = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as object) : {};
  return new Map(Object.entries(blobs) as [string, string][]);
};

/** Addresses of the payloads that were moved out of an event, read off its text. */
const payloadAddresses = (data: string): string[] =>
  [...data.matchAll(/"\$ecl\.blob":\{"sha256":"([0-9a-f]{64})"/g)].map(([, address]) => address!);

describe.each(names)('%s', (name) => {
  test('has a journal', async () => {
    if (existsSync(at(`${name}.jsonl`))) return;
    record(name, await loadCase(name));
    expect.fail(`${name}.jsonl was recorded: read it, run the test again, and commit it`);
  });

  test('replays to where it stood', async () => {
    const { machine, status } = await loadCase(name);
    const stored = journalOf(name);
    const id = runIdOfStream(stored[0]!.stream)!;
    const started = JSON.parse(stored[0]!.data) as JournalData<'RunStarted'>;
    const durable = durableMachine(machine as AnyStateMachine, { version: started.version });
    const blobs = blobsOf(name);
    for (const [address, text] of blobs) expect(sha256(text)).toBe(address);
    const state = replayed(id, stored, { machine: durable, blobs })!;
    expect(runStatus(state)).toBe(status);
    expect(state.revision).toBe(stored.length - 1);
    // A run is pinned to its structure: were it hashed otherwise, every live run would be blocked.
    expect(durable.structure).toBe(started.structure);
  });

  test('replays from a snapshot at every decision to the same place', async () => {
    const { machine } = await loadCase(name);
    const stored = journalOf(name);
    const id = runIdOfStream(stored[0]!.stream)!;
    const durable = durableMachine(machine as AnyStateMachine, { version: '1.0.0' });
    const options = { machine: durable, blobs: blobsOf(name) };
    const whole = visible(replayed(id, stored, options)!);
    const facts = stored.filter(({ metadata }) => !stored.some(({ id: fact }) => fact === metadata['$causationId']));
    for (const { revision } of facts.slice(1)) {
      const early = replayed(id, stored.slice(0, revision), options)!;
      const lab = Object.assign(Object.create(Lab.prototype) as Lab, { id, machine: durable, state: early });
      const late = replayed(id, stored.slice(revision), { ...options, from: lab.bySnapshot() })!;
      expect(visible(late)).toEqual(whole);
    }
  });

  test('keeps its payloads', () => {
    const addresses = new Set(journalOf(name).flatMap(({ data }) => payloadAddresses(data)));
    expect(new Set(blobsOf(name).keys())).toEqual(addresses);
  });
});

test('every event type has a golden journal, in every version of it', () => {
  const kept = new Set(
    names
      .filter((name) => existsSync(at(`${name}.jsonl`)))
      .flatMap(journalOf)
      .map(({ type, metadata }) => `${type} ${String(metadata['schema'])}`),
  );
  const known = journalEventTypes.flatMap((type) =>
    Array.from({ length: schemaVersionOf(type) }, (_, index) => `${type} ${index + 1}`),
  );
  expect(known.filter((version) => !kept.has(version))).toEqual([]);
});

test('every journal has its machine', () => {
  const journals = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
  expect(journals.map((name) => name.slice(0, -6)).toSorted()).toEqual(names.toSorted());
});
