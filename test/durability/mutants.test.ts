/**
 * Proves the tests: each of these mistakes, made in a copy of the package, is found by one of them. It takes minutes, so
 * it runs with ECL_MUTANTS=1 only.
 */
import { spawn } from 'node:child_process';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from './processes.ts';

interface Mutant {
  /** Each stands in its file exactly once. */
  readonly changes: readonly { file: string; from: string; to: string }[];
  readonly foundBy: { file: string; test: string };
}

const one = (file: string, from: string, to: string): Mutant['changes'] => [{ file, from, to }];

const mutants: Record<string, Mutant> = {
  'an append is acknowledged before its commit': {
    changes: one(
      'src/adapters/sqlite/group-commit.ts',
      'this.#settle(group, this.#write(group));',
      'this.#settle(group, undefined); setTimeout(() => this.#write(group), 5);',
    ),
    foundBy: { file: 'durability/kill-sweep.test.ts', test: 'after each append' },
  },
  'the log is not synced at a commit': {
    changes: [
      ...one('src/adapters/sqlite/connection.ts', 'synchronous = FULL', 'synchronous = NORMAL'),
      ...one(
        'src/adapters/sqlite/connection.ts',
        'const synchronousFull = 2',
        'const synchronousFull = 1',
      ),
    ],
    foundBy: { file: 'durability/acknowledgements.test.ts', test: 'the log is synced' },
  },
  'a decision is acted upon before it is stored': {
    changes: one(
      'src/runtime/run-actor.ts',
      'await this.#append(state, sealed,',
      'void this.#append(state, sealed,',
    ),
    foundBy: { file: 'runtime/store-away.test.ts', test: 'a person is told at once' },
  },
  'an append expects no revision': {
    changes: one(
      'src/runtime/run-actor.ts',
      "state.revision === -1 ? ('no-stream' as const) : state.revision",
      "'any' as const",
    ),
    foundBy: { file: 'runtime/recovery.test.ts', test: 'never both win a revision' },
  },
  'recorded replies are not recalled': {
    changes: one(
      'src/runtime/model-calls.ts',
      'const recorded = [...step.replies];',
      'const recorded: Replied[] = [];',
    ),
    foundBy: { file: 'runtime/recovery.test.ts', test: 'asks no model again' },
  },
  'what is owed is not taken up after a start': {
    changes: one(
      'src/runtime/phases/running.ts',
      'this.#recovered.add(invocation);\n    }\n    this.#catchUp(state);',
      'this.#recovered.add(invocation);\n    }',
    ),
    foundBy: { file: 'runtime/timers.test.ts', test: 'fires at its time, once' },
  },
  'the end of a child counts each time it is told': {
    changes: one(
      'src/runtime/actor-system.ts',
      '(state.children.has(fact.data.run) ? fact : undefined)',
      '(state.children.size >= 0 ? fact : undefined)',
    ),
    foundBy: { file: 'runtime/children.test.ts', test: 'ends once for its parent' },
  },
  'a signal between runs counts each time it is delivered': {
    changes: one(
      'src/runtime/actor-system.ts',
      'state.signals.has(id) || state.ending !== undefined',
      'state.ending !== undefined',
    ),
    foundBy: { file: 'runtime/children.test.ts', test: 'reach a child in order' },
  },
  'a signal counts each time it is sent': {
    changes: one('src/runtime/run-commands.ts', 'if (state.signals.has(id)) return undefined;', ''),
    foundBy: { file: 'runtime/signals.test.ts', test: 'counts once' },
  },
  'a snapshot is believed without its hash': {
    changes: one(
      'src/runtime/phases/load-snapshot.ts',
      'at === undefined || at.metadata.hash !== snapshot.hash',
      'at === undefined',
    ),
    foundBy: { file: 'runtime/snapshots.test.ts', test: 'are not believed' },
  },
  'the result of an earlier invocation counts for a later one': {
    changes: [
      ...one(
        'src/runtime/cancellation.ts',
        'if (!this.#settled) this.abort(new Abandoned(reason));',
        'if (!this.#settled) void reason;',
      ),
      ...one(
        'src/runtime/step-runner.ts',
        'return open === undefined ? undefined : fact(open, state);',
        'return fact(open ?? step, state);',
      ),
      ...one(
        'src/core/decide.ts',
        'const actor = state.steps.get(reference)?.actor ?? state.children.get(reference)?.actor;\n  return actor !== undefined && state.actors.get(actor) === reference ? actor : undefined;',
        "const [name] = reference.split('#');\n  return [...state.steps.values()].find((step) => step.name === name)?.actor ?? state.children.get(reference)?.actor;",
      ),
    ],
    foundBy: { file: 'runtime/cancellation.test.ts', test: 'of the first visit does not count' },
  },
  'ids of events are random': {
    changes: one(
      'src/core/journal-codec.ts',
      'const id = eventIdOfHash(hash);',
      'const id = crypto.randomUUID() as string;',
    ),
    foundBy: { file: 'runtime/recovery.test.ts', test: 'asks no model again' },
  },
  'a step that may run only once runs again': {
    changes: one(
      'src/runtime/step-runner.ts',
      'if (once && starts > 0) {',
      'if (once && starts > 99) {',
    ),
    foundBy: { file: 'runtime/steps.test.ts', test: 'is not run again after a crash' },
  },
  'the time of the next attempt is forgotten': {
    changes: one(
      'src/core/evolve.ts',
      'step.retryAt = failed.retryAt;',
      'step.retryAt = undefined;',
    ),
    foundBy: { file: 'runtime/steps.test.ts', test: 'not before' },
  },
  'an actor that left memory goes on': {
    changes: [
      ...one(
        'src/runtime/run-actor.ts',
        'if (this.#retired) return',
        'if (this.#closing && this.#retired) return',
      ),
      ...one('src/runtime/phases/running.ts', 'this.#retired = true;', ''),
    ],
    foundBy: { file: 'runtime/passivation.test.ts', test: 'moved by one actor only' },
  },
  'a paid answer is dropped while the store is away': {
    changes: one('src/runtime/run-actor.ts', "&& whenAway === 'wait'", "&& whenAway !== 'wait'"),
    foundBy: { file: 'runtime/store-away.test.ts', test: 'a paid answer is kept' },
  },
};

const root = fileURLToPath(new URL('../..', import.meta.url));
const parts = [
  'src',
  'machines',
  'projections',
  'test',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'vitest.config.ts',
];

const copyWith = (changes: Mutant['changes']): string => {
  const copy = temporaryFolder();
  for (const part of parts) cpSync(join(root, part), join(copy, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const { file, from, to } of changes) {
    const path = join(copy, file);
    const text = readFileSync(path, 'utf8');
    expect(text.split(from), `"${from}" in ${file}`).toHaveLength(2);
    writeFileSync(
      path,
      text.replace(from, () => to),
    );
  }
  return copy;
};

interface Outcome {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
}

const vitest = (copy: string, { file, test }: Mutant['foundBy']): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const program = join(root, 'node_modules/vitest/vitest.mjs');
    const args = ['run', `test/${file}`, '-t', test, '--reporter=json', '--outputFile=out.json'];
    const child = spawn(process.execPath, [program, ...args, '--testTimeout=120000'], {
      cwd: copy,
      env: { ...process.env, VITEST: '', ECL_MUTANTS: '' },
      stdio: 'ignore',
    });
    child.on('error', reject);
    child.on('close', () => {
      resolve(JSON.parse(readFileSync(join(copy, 'out.json'), 'utf8')) as Outcome);
    });
  });

const isAsked = process.env['ECL_MUTANTS'] === '1';

describe.skipIf(!isAsked)(
  `a mistake in the code${isAsked ? '' : ' (skipped: set ECL_MUTANTS=1)'}`,
  () => {
    for (const [mistake, { changes, foundBy }] of Object.entries(mutants)) {
      it(`is found: ${mistake}`, { timeout: 600_000 }, async () => {
        const outcome = await vitest(copyWith(changes), foundBy);
        expect(outcome, `${foundBy.file}: ${foundBy.test}`).toMatchObject({ numFailedTests: 1 });
      });
    }
  },
);
