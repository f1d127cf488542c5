import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inFolder, write, type InFolder } from './kit.ts';

const script = (folder: string, entries: readonly object[]): string[] => [
  '--model',
  `scripted:${write(folder, 'script.json', JSON.stringify(entries))}`,
];

const verdict = (decision: string, feedback = ''): object => ({
  match: { contains: 'Critique this' },
  reply: { object: { decision, feedback } },
  times: 'always',
});
const draft = (text: string): object => ({
  match: { schema: 'draft' },
  reply: { object: { text }, usage: { inputTokens: 1200, outputTokens: 34 } },
  times: 'always',
});

/** A run that waits, since its review is never satisfied. */
const exhausted = async ({ ecl, folder }: InFolder, key = 'a'): Promise<string[]> => {
  const model = script(folder, [verdict('revise', 'Too short.'), draft('A draft.')]);
  const ran = await ecl('run', 'critique-revise', 'topic=x', '--key', key, '--json', ...model);
  expect([ran.exitCode, ran.stderr]).toEqual([6, '']);
  return model;
};

describe('run', () => {
  test('with --json stdout is the run alone, and stderr is empty', async () => {
    const { ecl } = inFolder();
    const ran = await ecl('run', 'critique-revise', 'topic=the sea', '--key', 'a', '--json');
    expect(ran.stderr).toBe('');
    expect(ran.document).toMatchObject({ id: 'critique-revise.a', status: 'completed' });
    expect(ran.exitCode).toBe(0);
  });

  test('without it progress goes to stderr and the result to stdout', async () => {
    const { ecl } = inFolder();
    const { stdout, stderr } = await ecl('run', 'critique-revise', 'topic=the sea', '--key', 'a');
    expect(stderr).toMatch(/draft +started \(round 1\)[\s\S]*critique +pass/);
    expect(stdout).toMatch(/status +completed/);
    expect(stdout).toContain('ecl status critique-revise.a');
  });

  test('the rules are called what they are, and Claude is one variable away', async () => {
    const { ecl } = inFolder();
    const { stdout } = await ecl('run', 'critique-revise', 'topic=the sea');
    expect(stdout).toMatch(/not a language model.*ANTHROPIC_API_KEY/);
  });

  test('the same command is the same run; another input under its key is a conflict', async () => {
    const { ecl } = inFolder();
    const run = ['run', 'critique-revise', '--key', 'a', '--json'];
    const [first, second] = [await ecl(...run, 'topic=x'), await ecl(...run, 'topic=x')];
    expect(second.stdout).toBe(first.stdout);
    const other = await ecl(...run, 'topic=y');
    expect(JSON.parse(other.stderr)).toMatchObject({ code: 'run.key-conflict' });
    expect([other.exitCode, other.stdout]).toEqual([4, '']);
  });

  test('--new makes a run of its own each time', async () => {
    const { ecl } = inFolder();
    for (let n = 0; n < 2; n += 1) await ecl('run', 'critique-revise', 'topic=x', '--new');
    const { document } = await ecl('list', '--json');
    expect((document as { items: object[] }).items).toHaveLength(2);
  });

  test('a repeated key fills an array, and file() reads the path', async () => {
    const { ecl, folder } = inFolder();
    const files = ['a.md', 'b.md'].map((name) =>
      write(folder, name, `# ${name}\n\nThe sea is wide.`),
    );
    const ran = await ecl(
      'run',
      'document-review',
      ...files.map((file) => `files=${file}`),
      'instructions=Say what the sea is.',
      '--json',
    );
    expect(ran.document).toMatchObject({
      input: { files: [{ name: 'a.md', mediaType: 'text/markdown' }, { name: 'b.md' }] },
    });
  });

  test('a run that fails ends with exit 1 and its document', async () => {
    const { ecl, folder } = inFolder();
    const model = script(folder, [{ error: { code: 'model.rejected' }, times: 'always' }]);
    const ran = await ecl('run', 'critique-revise', 'topic=x', '--json', ...model);
    expect(ran.document).toMatchObject({ status: 'failed', error: { code: 'model.rejected' } });
    expect(ran.exitCode).toBe(1);
  });

  test('a run that a provider refuses is paused: exit 5, and what to do is said', async () => {
    const { ecl, folder } = inFolder();
    const model = script(folder, [{ error: { code: 'model.credentials' }, times: 'always' }]);
    const ran = await ecl('run', 'critique-revise', 'topic=x', '--key', 'a', ...model);
    expect(ran.stdout).toMatch(/status +paused[\s\S]*ecl resume critique-revise\.a/);
    expect(ran.exitCode).toBe(5);
  });

  test('--detach stores the start and executes nothing; resume goes on with it', async () => {
    const { ecl } = inFolder();
    const run = ['run', 'critique-revise', 'topic=x', '--key', 'a', '--json'];
    const detached = await ecl(...run, '--detach');
    expect(detached.document).toMatchObject({ status: 'running', state: 'draft', revision: 2 });
    expect(detached.exitCode).toBe(0);
    const resumed = await ecl('resume', 'critique-revise.a', '--json');
    expect(resumed.document).toMatchObject({ status: 'completed' });
  });
});

describe('a run that waits', () => {
  test('ends with exit 6, what a person decides about, and the commands to go on', async () => {
    const folder = inFolder();
    const model = await exhausted(folder);
    const { stdout, exitCode } = await folder.ecl(
      'run',
      'critique-revise',
      'topic=x',
      '--key',
      'a',
      ...model,
    );
    expect(exitCode).toBe(6);
    expect(stdout).toContain('A draft.');
    expect(stdout).toContain('Too short.');
    expect(stdout).toMatch(/ecl resume critique-revise\.a --accept/);
    expect(stdout).toMatch(/ecl resume critique-revise\.a --more-rounds 2/);
  });

  test('is accepted, given more rounds, or given an output', async () => {
    const folder = inFolder();
    const model = await exhausted(folder);
    const resume = (key: string, ...args: string[]) =>
      folder.ecl('resume', `critique-revise.${key}`, '--json', ...args, ...model);
    const more = await resume('a', '--more-rounds', '1');
    expect([more.exitCode, more.document]).toMatchObject([6, { status: 'waiting' }]);
    const accepted = await resume('a', '--accept');
    expect(accepted.document).toMatchObject({ status: 'completed', output: { text: 'A draft.' } });
    await exhausted(folder, 'b');
    const given = await resume('b', '--output', '{"text":"Mine."}');
    expect(given.document).toMatchObject({ status: 'completed', output: { text: 'Mine.' } });
  });

  test('refuses a signal it never takes with exit 2, and one it takes no more with exit 4', async () => {
    const folder = inFolder();
    await exhausted(folder);
    const never = await folder.ecl('signal', 'critique-revise.a', 'no.such');
    expect([never.exitCode, never.stderr]).toMatchObject([2, expect.stringContaining('rounds.')]);
    await folder.ecl('cancel', 'critique-revise.a');
    const late = await folder.ecl('signal', 'critique-revise.a', 'rounds.accepted');
    expect([late.exitCode, late.stderr]).toMatchObject([4, expect.stringContaining('cancelled')]);
  });

  test('is cancelled with exit 0, and its own exit code is 1 from then on', async () => {
    const folder = inFolder();
    const model = await exhausted(folder);
    const cancelled = await folder.ecl('cancel', 'critique-revise.a', '--reason', 'no', '--json');
    expect([cancelled.exitCode, cancelled.document]).toMatchObject([0, { status: 'cancelled' }]);
    const again = await folder.ecl('run', 'critique-revise', 'topic=x', '--key', 'a', ...model);
    expect(again.exitCode).toBe(1);
  });

  test('is not resumed without an answer: exit 4', async () => {
    const folder = inFolder();
    await exhausted(folder);
    const { exitCode, stderr } = await folder.ecl('resume', 'critique-revise.a');
    expect([exitCode, stderr]).toMatchObject([4, expect.stringContaining('nothing to resume')]);
  });
});

describe('looking', () => {
  test('status shows a tree of rounds with verdicts, tokens and cost of every step, and the wait', async () => {
    const folder = inFolder();
    await exhausted(folder);
    const { stdout, exitCode } = await folder.ecl('status', 'critique-revise.a');
    expect(stdout).toMatch(/├─ round 3 .* revise\n│ {2}├─ draft .*1,200 in, 34 out +\$0\.00 +done/);
    expect(stdout).toMatch(/│ {2}└─ critique .*revise: Too short\./);
    expect(stdout).toMatch(/└─ wait in exhausted .*waits for rounds\.accepted, rounds\.extended/);
    expect(exitCode).toBe(0);
  });

  test('trace tells the whole story in order, with what led to each thing', async () => {
    const folder = inFolder();
    await exhausted(folder);
    const { stdout, exitCode } = await folder.ecl('trace', 'critique-revise.a');
    const [header, ...lines] = stdout.trim().split('\n');
    expect(header).toMatch(/^EVENT +AT +WHAT +NAME +TIME +RESULT +CAUSE$/);
    expect(lines[0]).toMatch(/^#0 +\+0\.0 s +run +critique-revise 1\.0\.0 .*running/);
    expect(stdout).toMatch(/#2 +\+\d\.\d s +step +draft, round 1 .* done +#0\n/);
    expect(stdout).toMatch(/model-call +\S+ .*1,200 in, 34 out, \$0\.00 +#2\n/);
    expect(stdout).toMatch(/verdict +critique .*revise: Too short\. +#6\n/);
    expect(lines.at(-1)).toMatch(/wait +exhausted .*waits for rounds\.accepted/);
    expect(exitCode).toBe(0);
    const { document } = await folder.ecl('trace', 'critique-revise.a', '--json');
    expect(document).toMatchObject({
      items: expect.arrayContaining([
        expect.objectContaining({ run: 'critique-revise.a', kind: 'step', round: 3 }),
      ]) as object[],
    });
    const missing = await folder.ecl('trace', 'critique-revise.b');
    expect(missing.exitCode).toBe(3);
  });

  test('logs give what went wrong its level, as text and as JSON lines', async () => {
    const { ecl, folder } = inFolder();
    const model = script(folder, [{ error: { code: 'model.credentials' }, times: 'always' }]);
    await ecl('run', 'critique-revise', 'topic=x', '--key', 'a', ...model);
    const all = await ecl('logs', 'critique-revise.a');
    expect(all.stdout).toMatch(/info +run +started critique-revise\.a/);
    expect(all.stdout).toMatch(/warn +paused/);
    const warnings = await ecl('logs', 'critique-revise.a', '--level', 'warn', '--json');
    const lines = warnings.stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({ level: 'warn', type: 'RunPaused', run: 'critique-revise.a' }),
    ]);
    expect((await ecl('logs', 'critique-revise.a', '--level', 'loud')).exitCode).toBe(2);
  });

  test('list finds runs by text and time, and counts them by status', async () => {
    const folder = inFolder();
    await exhausted(folder, 'a');
    await folder.ecl('run', 'critique-revise', 'topic=ships', '--key', 'b');
    const found = await folder.ecl('list', '--search', 'SHIPS', '--counts', '--json');
    expect(found.document).toMatchObject({
      items: [{ id: 'critique-revise.b' }],
      counts: { completed: 1 },
    });
    const counted = await folder.ecl('list', '--counts', '--limit', '1');
    expect(counted.stdout).toMatch(/^1 waiting, 1 completed\n/);
    const later = await folder.ecl('list', '--since', '2999-01-01');
    expect(later.stdout).toBe('No such runs.\n');
    const wrong = await folder.ecl('list', '--since', 'yesterday');
    expect([wrong.exitCode, wrong.stderr]).toMatchObject([2, expect.stringContaining('yesterday')]);
  });

  test('list filters, and gives one page as JSON', async () => {
    const folder = inFolder();
    await exhausted(folder, 'a');
    await folder.ecl('run', 'critique-revise', 'topic=y', '--key', 'b');
    const { document } = await folder.ecl('list', '--status', 'waiting', '--json');
    expect(document).toMatchObject({ items: [{ id: 'critique-revise.a', status: 'waiting' }] });
    const text = await folder.ecl('list');
    expect(text.stdout).toMatch(/critique-revise\.b +completed/);
  });

  test('events are JSON lines with their place, in order', async () => {
    const { ecl } = inFolder();
    await ecl('run', 'critique-revise', 'topic=x', '--key', 'a');
    const { stdout } = await ecl('events', 'critique-revise.a', '--json', '--follow');
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; revision: number; position: string });
    expect(events.map(({ revision }) => revision)).toEqual([...events.keys()]);
    expect(events[0]).toMatchObject({ type: 'RunStarted', position: expect.any(String) as string });
    expect(events.at(-1)).toMatchObject({ type: 'RunCompleted' });
  });

  test('events are filtered by type and go on after a position', async () => {
    const { ecl } = inFolder();
    await ecl('run', 'critique-revise', 'topic=x', '--key', 'a');
    const events = async (...args: string[]): Promise<{ type: string; position: string }[]> => {
      const { stdout } = await ecl('events', '--json', ...args);
      const lines = stdout.trim().split('\n').filter(Boolean);
      return lines.map((line) => JSON.parse(line) as { type: string; position: string });
    };
    const succeeded = await events('--type', 'StepSucceeded', '--type', 'RunStarted');
    expect(succeeded.map(({ type }) => type)).toEqual([
      'RunStarted',
      'StepSucceeded',
      'StepSucceeded',
    ]);
    const later = await events('--type', 'StepSucceeded', '--from', succeeded[1]!.position);
    expect(later).toEqual(succeeded.slice(2));
  });

  test('what a model says cannot colour the screen or move the cursor', async () => {
    const { ecl, folder } = inFolder();
    const evil = 'Red \u001b[31mred\u001b[0m \u001b]0;title\u0007 \u202eflip \u009b2J';
    const model = script(folder, [verdict('pass', evil), draft(evil)]);
    const run = ['run', 'critique-revise', 'topic=x', '--key', 'a', ...model];
    for (const args of [run, ['status', 'critique-revise.a'], ['events', '--json'], ['list']]) {
      const { stdout, stderr } = await ecl(...args);
      // oxlint-disable-next-line no-control-regex
      expect(stdout + stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    }
  });
});

describe('workflows and exports', () => {
  test('workflows lists what is built in, with inputs', async () => {
    const { ecl } = inFolder();
    const { stdout } = await ecl('workflows');
    expect(stdout).toMatch(/critique-revise .*built-in/);
    expect(stdout).toMatch(/files: file\[\]/);
    const { document } = await ecl('workflows', '--json');
    expect(document).toMatchObject({
      items: expect.arrayContaining([
        expect.objectContaining({ id: 'critique-revise', origin: 'built-in' }),
      ]) as object[],
      failed: [],
    });
  });

  test.each(['stately', 'json', 'mermaid', 'svg'])('exports as %s', async (format) => {
    const { ecl } = inFolder();
    const { stdout, exitCode } = await ecl('export', 'critique-revise', '--format', format);
    const wanted = {
      stately: 'setup({',
      json: '"initial": "draft"',
      mermaid: 'stateDiagram-v2',
      svg: '<svg xmlns="http://www.w3.org/2000/svg"',
    };
    expect(stdout).toContain(wanted[format as keyof typeof wanted]);
    expect(exitCode).toBe(0);
    const { document } = await ecl('export', 'critique-revise', '--format', format, '--json');
    expect(document).toMatchObject({ workflow: 'critique-revise', format });
  });
});

describe('doctor', () => {
  test('reads back the durability that a writer gets, and finds nothing wrong', async () => {
    const { ecl } = inFolder();
    await ecl('run', 'critique-revise', 'topic=x');
    const { document, exitCode } = await ecl('doctor', '--json');
    expect(document).toMatchObject({
      ok: true,
      store: { kind: 'sqlite', writerDurability: 'WAL, synchronous=FULL' },
      runs: { total: 1, byStatus: { completed: 1 } },
      configuration: expect.arrayContaining([
        expect.objectContaining({ key: 'model', value: 'rules', source: '--model' }),
      ]) as object[],
      problems: [],
    });
    expect(exitCode).toBe(0);
  });

  test('names a module that cannot be loaded, with exit 1', async () => {
    const { ecl, folder } = inFolder();
    write(folder, 'broken.mjs', 'throw new Error("boom");');
    const config = write(folder, 'ecl.yaml', 'machines: [broken.mjs]\n');
    const { stdout, exitCode } = await ecl('doctor', '--config', config);
    expect(stdout).toMatch(/problems[\s\S]*broken\.mjs cannot be loaded: boom/);
    expect(exitCode).toBe(1);
  });

  test('says why a store cannot be opened, with everything else that it knows', async () => {
    const { ecl, folder } = inFolder();
    mkdirSync(join(folder, '.ecl'));
    write(join(folder, '.ecl'), 'events.db', 'this is no database, only some text in its place');
    const { stdout, exitCode } = await ecl('doctor');
    expect(stdout).toMatch(/critique-revise[\s\S]*problems[\s\S]*not a database/);
    expect(exitCode).toBe(1);
    for (const command of [['list'], ['verify'], ['run', 'critique-revise', 'topic=x']]) {
      const { exitCode: code, stderr } = await ecl(...command, '--json');
      expect(code).toBe(5);
      expect(JSON.parse(stderr)).toMatchObject({ code: 'store.damaged' });
    }
    expect((await ecl('list')).stderr).toContain('restore events.db from a backup');
  });

  test('answers also when pages in the middle of the store are damaged', async () => {
    const { ecl, folder } = inFolder();
    await ecl('run', 'critique-revise', 'topic=x');
    const path = join(folder, '.ecl', 'events.db');
    const content = readFileSync(path);
    content.fill(0xa5, 8_192, Math.min(content.length, 24_576));
    writeFileSync(path, content);
    const { stdout, exitCode } = await ecl('doctor');
    expect(stdout).toMatch(/critique-revise[\s\S]*problems[\s\S]*malformed/);
    expect(exitCode).toBe(1);
  });

  test('--rebuild folds the read models anew, and lists give the same', async () => {
    const { ecl } = inFolder();
    await ecl('run', 'critique-revise', 'topic=x');
    const before = await ecl('list', '--json');
    expect((await ecl('doctor', '--rebuild')).exitCode).toBe(0);
    expect((await ecl('list', '--json')).stdout).toBe(before.stdout);
  });
});

describe('init', () => {
  test('prints a command that a shell takes as it is, also for a name with spaces', async () => {
    const { ecl, folder } = inFolder();
    const target = join(folder, 'my first project');
    const { exitCode, stdout } = await ecl('init', target);
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining(`  cd '${target}'\n`)]);
  });

  test('refuses to overwrite, and names what is there', async () => {
    const { ecl, folder } = inFolder();
    const target = join(folder, 'project');
    mkdirSync(target);
    write(target, 'package.json', '{}');
    const { exitCode, stderr } = await ecl('init', target);
    expect([exitCode, stderr]).toMatchObject([2, expect.stringContaining('package.json')]);
  });
});
