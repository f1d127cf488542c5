import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inFolder, write } from './kit.ts';

const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;

describe('wrong usage', () => {
  test.each([
    ['an unknown command names the nearest one', ['lsit'], /Did you mean list\?/],
    [
      'help with an unknown command',
      ['help', 'lsit'],
      /Unknown command 'lsit'.*Did you mean list\?/,
    ],
    ['help with what is like nothing', ['help', 'zzzzz'], /Unknown command 'zzzzz'; `ecl help`/],
    ['an option without a command', ['--json'], /Name a command/],
    ['an unknown option names the nearest one', ['events', '--folow'], /Did you mean --follow\?/],
    ['a missing argument is named', ['status'], /'run'/],
    ['an unknown format names the nearest one', ['export', 'x', '--format', 'mermad'], /mermaid/],
    ['a limit that is no number', ['list', '--limit', 'many'], /whole number/],
    ['a status that is none', ['list', '--status', 'runing'], /running, waiting/],
    ['an event type that is none', ['events', '--type', 'Nothing'], /not a type.*RunStarted/],
    ['a mistyped event type', ['events', '--type', 'RunStartd'], /did you mean RunStarted/],
    ['an address that is none', ['list', '--server', 'nope'], /"nope" is no address.*http:/],
    ['an address of another kind', ['list', '--server', 'ftp://x'], /is no address.*http:/],
    ['a folder in place of a file', ['run', './src'], /it is a folder/],
    ['a folder for a project that cannot be', ['init', './package.json/x'], /another folder/],
    ['a run id that is none', ['status', 'x'], /\[<tenant>\.\]<workflow>\.<key>/],
    ['a key and a fresh key', ['run', 'critique-revise', '--key', 'a', '--new'], /one of them/],
    ['a head that is none', ['verify', '--head', 'x'], /not allowed|not a head/],
    ['two answers at once', ['resume', 'a.b', '--accept', '--more-rounds', '1'], /one of/],
    ['rounds that are no number', ['resume', 'a.b', '--more-rounds', 'two'], /whole number/],
    ['a file that is not there', ['run', './nothing.ts'], /no such file/],
    [
      'a configuration that is not there',
      ['list', '--config', 'nothing.yaml'],
      /nothing\.yaml cannot be read: there is no such file.*--config/,
    ],
    ['a store in no folder', ['list', '--store', 'sqlite:'], /names no folder.*sqlite:\.ecl/],
  ])('%s: exit 2', async (_, args, message) => {
    const { ecl } = inFolder();
    const { exitCode, stdout, stderr } = await ecl(...args);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(exitCode).toBe(2);
  });

  test('a script of a model that is not there or holds none is refused before a run is started', async () => {
    const { ecl, folder } = inFolder();
    const run = ['run', 'critique-revise', 'topic=x', '--model'];
    const missing = await ecl(...run, 'scripted:nothing.json');
    expect(missing.stderr).toMatch(/nothing\.json cannot be read: there is no such file/);
    const wrong = await ecl(...run, `scripted:${write(folder, 'wrong.json', '{')}`);
    expect(wrong.stderr).toContain('wrong.json');
    expect([missing.exitCode, wrong.exitCode]).toEqual([2, 2]);
    expect((await ecl('list', '--json')).document).toEqual({ items: [] });
  });

  test('a store that is a file is said to be one, to readers and writers', async () => {
    const { ecl, folder } = inFolder();
    const store = ['--store', `sqlite:${write(folder, 'store', 'text')}`];
    for (const command of [['list'], ['run', 'critique-revise', 'topic=x']]) {
      const { exitCode, stdout, stderr } = await ecl(...command, ...store);
      expect(stderr).toMatch(/store is unavailable: it is a file, not a folder/);
      expect([exitCode, stdout]).toEqual([5, '']);
    }
  });

  test.each(['{"tokens":[', '{"tokens":7}', 'null'])(
    'a file of tokens that holds %s is named with what to do, and kept',
    async (content) => {
      const { ecl, folder } = inFolder();
      mkdirSync(join(folder, '.ecl'));
      const path = write(join(folder, '.ecl'), 'tokens.json', content);
      for (const action of ['list', 'create']) {
        const { exitCode, stderr } = await ecl('token', action);
        expect(stderr).toContain(`${path} is unavailable: it is damaged`);
        expect(stderr).toMatch(/restore it from a backup, or remove it.*ecl token create/);
        expect(exitCode).toBe(5);
      }
      expect(readFileSync(path, 'utf8')).toBe(content);
    },
  );

  test('with --json an error is one document on stderr, and stdout stays empty', async () => {
    const { ecl } = inFolder();
    const { exitCode, stdout, stderr } = await ecl('lsit', '--json');
    expect(JSON.parse(stderr)).toMatchObject({ code: 'usage.invalid', details: {} });
    expect([exitCode, stdout]).toEqual([2, '']);
  });

  test('without arguments the help is printed, with examples and exit codes', async () => {
    const { main } = await import('../../src/cli/program.ts');
    let text = '';
    const stdout = { write: (part: string) => (text += part) !== '', on: () => undefined };
    expect(await main([], { stdout })).toBe(0);
    expect(text).toMatch(/ecl run critique-revise[\s\S]*Exit codes/);
  });
});

describe('the input', () => {
  const run = ['run', 'critique-revise'];

  test('what does not fit the schema is named by its path, with exit 2', async () => {
    const { ecl } = inFolder();
    const ran = await ecl(...run, '--input', '{"topic":7}', '--json');
    expect(ran.exitCode).toBe(2);
    expect(JSON.parse(ran.stderr)).toMatchObject({
      code: 'input.invalid',
      details: { list: [{ path: 'topic', message: expect.stringContaining('string') as string }] },
    });
  });

  test('a key that the schema does not have names the nearest one, instead of being dropped', async () => {
    const { ecl } = inFolder();
    const { exitCode, stderr } = await ecl(...run, 'topic=x', 'topci=x');
    expect(stderr).toContain('did you mean "topic"?');
    expect(exitCode).toBe(2);
  });

  test.each([
    ['a __proto__', ['--input', '{"topic":"x","__proto__":{"a":1}}'], /__proto__/],
    ['a nesting of 70', ['--input', deep(70)], /deeper than 64/],
    ['what is no JSON', ['--input', '{topic}'], /--input is not JSON/],
    ['an input file that is not there', ['--input-file', 'nothing.json'], /nothing\.json/],
    ['two ways at once', ['topic=x', '--input', '{}'], /one way/],
    ['an argument without =', ['the sea'], /key=value/],
  ])('%s is refused with exit 2', async (_, args, message) => {
    const { ecl } = inFolder();
    const { exitCode, stderr } = await ecl(...run, ...args);
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(2);
  });

  test('an input file is read as the whole input', async () => {
    const { ecl, folder } = inFolder();
    const file = write(folder, 'input.json', '{"topic":"the sea"}');
    const { exitCode, document } = await ecl(...run, '--input-file', file, '--json');
    expect(document).toMatchObject({ status: 'completed', input: { topic: 'the sea' } });
    expect(exitCode).toBe(0);
  });
});

describe('what is not there', () => {
  test('an unknown workflow names the nearest one, with exit 3', async () => {
    const { ecl } = inFolder();
    const { exitCode, stderr } = await ecl('run', 'critique-revis', 'topic=x');
    expect(stderr).toContain('Did you mean critique-revise?');
    expect(exitCode).toBe(3);
  });

  test.each([
    ['status', 'critique-revise.nobody'],
    ['events', 'critique-revise.nobody'],
    ['verify', 'critique-revise.nobody'],
    ['signal', 'critique-revise.nobody', 'x'],
    ['cancel', 'critique-revise.nobody'],
    ['resume', 'critique-revise.nobody'],
  ])('`ecl %s` of an unknown run ends with exit 3', async (...args) => {
    const { ecl } = inFolder();
    const { exitCode, stderr } = await ecl(...args, '--json');
    expect(JSON.parse(stderr)).toMatchObject({ code: 'run.not-found' });
    expect(exitCode).toBe(3);
  });

  test('a mistyped run names the one that was meant', async () => {
    const { ecl } = inFolder();
    await ecl('run', 'critique-revise', 'topic=x', '--key', 'alpha');
    const { stderr } = await ecl('status', 'critique-revise.alhpa');
    expect(stderr).toContain('Did you mean critique-revise.alpha?');
  });

  test('readers of a store that is not there yet find it empty, and make no file', async () => {
    const { ecl, folder } = inFolder();
    for (const command of ['list', 'events', 'verify', 'workflows', 'doctor']) {
      expect((await ecl(command)).exitCode).toBe(0);
    }
    expect(existsSync(join(folder, '.ecl'))).toBe(false);
  });
});
