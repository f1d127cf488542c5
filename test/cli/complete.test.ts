import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { shells } from '../../src/cli/completion.ts';
import { inFolder, write, type InFolder } from './kit.ts';

/** What is offered for the last word, without descriptions. */
const offered = async ({ ecl }: InFolder, ...words: string[]): Promise<string[]> => {
  const { stdout, stderr, exitCode } = await ecl('complete', '--', ...words);
  expect([exitCode, stderr]).toEqual([0, '']);
  const lines = stdout.trim().split('\n');
  expect(lines.at(-1)).toMatch(/^:\d+$/);
  return lines.slice(0, -1).map((line) => line.split('\t')[0]!);
};

const waiting = async ({ ecl, folder }: InFolder): Promise<void> => {
  const verdict = { decision: 'revise', feedback: 'Too short.' };
  const answers = [
    { match: { contains: 'Critique this' }, reply: { object: verdict }, times: 'always' },
    { match: { schema: 'draft' }, reply: { object: { text: 'A draft.' } }, times: 'always' },
  ];
  const script = write(folder, 'script.json', JSON.stringify(answers));
  const model = ['--model', `scripted:${script}`];
  const ran = await ecl('run', 'critique-revise', 'topic=x', '--key', 'a', ...model);
  expect(ran.exitCode).toBe(6);
};

describe('completion', () => {
  test('offers the commands, by their beginning', async () => {
    const folder = inFolder();
    expect(await offered(folder, '')).toEqual(expect.arrayContaining(['run', 'status', 'trace']));
    expect(await offered(folder, 'st')).toEqual(['status']);
  });

  test('offers the options of a command and of all commands, and what they take', async () => {
    const folder = inFolder();
    expect(await offered(folder, 'list', '--')).toEqual(
      expect.arrayContaining(['--status', '--search', '--json', '--store']),
    );
    expect(await offered(folder, 'list', '--status', 'wa')).toEqual(['waiting']);
    expect(await offered(folder, 'events', '--type', 'StepS')).toEqual([
      'StepSucceeded',
      'StepScheduled',
    ]);
  });

  test('offers workflows, runs, and the events that a run takes now', async () => {
    const folder = inFolder();
    await waiting(folder);
    await folder.ecl('run', 'critique-revise', 'topic=y', '--key', 'b');
    expect(await offered(folder, 'run', 'crit')).toEqual(['critique-revise']);
    expect(await offered(folder, 'status', 'critique-revise.')).toEqual([
      'critique-revise.b',
      'critique-revise.a',
    ]);
    expect(await offered(folder, 'signal', 'critique-revise.a', '')).toEqual([
      'rounds.accepted',
      'rounds.extended',
      'rounds.replaced',
    ]);
    expect(await offered(folder, 'signal', 'critique-revise.b', '')).toEqual([]);
  });

  test('looks into the store that stands among the words', async () => {
    const folder = inFolder();
    await folder.ecl('run', 'critique-revise', 'topic=y', '--key', 'b');
    const elsewhere = ['--store', 'sqlite:/nowhere/at/all'];
    expect(await offered(folder, ...elsewhere, 'status', 'crit')).toEqual([]);
  });

  test('offers nothing where nothing can be found, and says no error', async () => {
    const folder = inFolder();
    expect(await offered(folder, 'status', '')).toEqual([]);
    expect(await offered(folder, 'signal', 'no.such', '')).toEqual([]);
    write(folder.folder, 'ecl.yaml', 'no: yaml: at all');
    const words = ['--config', `${folder.folder}/ecl.yaml`, 'run', 'crit'];
    expect(await offered(folder, ...words)).toEqual([]);
  });

  test.each(shells)('a script for %s calls the program back', async (shell) => {
    const { stdout, exitCode } = await inFolder().ecl('complete', shell);
    expect([exitCode, stdout]).toMatchObject([0, expect.stringMatching(/ecl complete '?--/)]);
  });

  test('the script for bash is one that bash takes', async () => {
    const { stdout } = await inFolder().ecl('complete', 'bash');
    expect(spawnSync('bash', ['-n'], { input: stdout, encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    });
  });

  test('another shell is refused', async () => {
    const { ecl } = inFolder();
    for (const words of [[], ['tcsh'], ['bash', 'zsh']]) {
      expect((await ecl('complete', ...words)).exitCode).toBe(2);
    }
  });
});
