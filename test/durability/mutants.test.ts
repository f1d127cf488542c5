/**
 * Proves the tests: each of these mistakes, made in a copy of the package, is found by one of them. That takes minutes,
 * so it is done with ECL_MUTANTS=1 only; that each can still be made is looked at every time.
 */
import { spawn } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { mutants, type Mutant } from './mutants.ts';
import { temporaryFolder } from './processes.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const parts = [
  'src',
  'machines',
  'projections',
  'scripts',
  'test',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'vitest.config.ts',
];

const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

/** A test may be a case of a contract. */
const contracts = (): string =>
  readdirSync(join(root, 'test/contracts/event-store'))
    .map((name) => textOf(`test/contracts/event-store/${name}`))
    .join('\n');

const copyWith = (changes: Mutant['changes']): string => {
  const copy = temporaryFolder();
  for (const part of parts) cpSync(join(root, part), join(copy, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const { file, from, to } of changes) {
    const changed = textOf(file).replace(from, () => to);
    writeFileSync(join(copy, file), changed);
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

test('each mistake can be made, and the test that is to find it is there', () => {
  for (const [mistake, { changes, foundBy }] of Object.entries(mutants)) {
    for (const { file, from } of changes) {
      expect(textOf(file).split(from), `${mistake}: "${from}" in ${file}`).toHaveLength(2);
    }
    expect(textOf(`test/${foundBy.file}`) + contracts(), mistake).toContain(foundBy.test);
  }
});

describe.skipIf(!isAsked)(
  `a mistake in the code${isAsked ? '' : ' (skipped: set ECL_MUTANTS=1)'}`,
  () => {
    for (const [mistake, { changes, foundBy }] of Object.entries(mutants)) {
      test(`is found: ${mistake}`, { timeout: 600_000 }, async () => {
        const outcome = await vitest(copyWith(changes), foundBy);
        expect(outcome, `${foundBy.file}: ${foundBy.test}`).toMatchObject({ numFailedTests: 1 });
      });
    }
  },
);
