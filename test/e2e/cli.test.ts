/** The command line as processes: what only a process of its own shows. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builtPackage, cliArgs, ecl, project, start, startProgram } from './built-cli.ts';

const flow = `
import { gate, serial, step } from 'ecl';
import { z } from 'zod';
const slow = (name) =>
  step({
    name,
    input: z.object({ text: z.string() }),
    output: z.object({ text: z.string() }),
    execute: async ({ input, model }) => ({ text: await model.text(\`\${name}: \${input.text}\`) }),
  });
export default serial({
  id: 'slow-flow',
  version: '1.0.0',
  steps: [slow('first'), slow('second'), gate({ name: 'editor' })],
});
`;
/** The first step is quick, the second one takes its time. */
const script = JSON.stringify([
  { match: { contains: 'first' }, reply: { text: 'one' }, times: 'always' },
  { match: { contains: 'second' }, reply: { text: 'two' }, delayMs: 1500, times: 'always' },
]);
const files = { 'flow.mjs': flow, 'script.json': script };
const run = ['run', './flow.mjs', 'text=x', '--model', 'scripted:script.json'];

const types = (stdout: string): string[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { type: string }).type);

describe('a process', () => {
  test('prints its version', async () => {
    const { version } = JSON.parse(readFileSync(join(builtPackage, 'package.json'), 'utf8')) as {
      version: string;
    };
    const { exitCode, stdout } = await ecl(project(), '--version');
    expect([exitCode, stdout]).toEqual([0, `${version}\n`]);
  });

  test('runs a built-in workflow in an empty folder; nothing but JSON is on stdout, nothing on stderr', async () => {
    const folder = project();
    const ran = await ecl(folder, 'run', 'critique-revise', 'topic=the sea', '--json');
    expect([ran.exitCode, ran.stderr]).toEqual([0, '']);
    expect(JSON.parse(ran.stdout)).toMatchObject({ status: 'completed' });
  });

  test('colours nothing when it is not watched', async () => {
    const folder = project();
    const ran = await ecl(folder, 'run', 'critique-revise', 'topic=the sea');
    expect(ran.stdout + ran.stderr).not.toContain('\u001b');
  });

  test('ends quietly when its reader goes away', async () => {
    const folder = project();
    await ecl(folder, 'run', 'critique-revise', 'topic=the sea');
    const piped = `for n in 1 2 3; do "$0" "$1" events; done | head -n 1`;
    const { exitCode, stderr } = await startProgram(folder, [
      'sh',
      '-c',
      piped,
      process.execPath,
      ...cliArgs(),
    ]).ended;
    expect([exitCode, stderr]).toEqual([0, '']);
  });
});

describe('while another process holds the store', () => {
  test('writers are refused with exit 5 and its pid, and readers read', async () => {
    const folder = project({ ...files, 'script.json': script.replace('1500', '60000') });
    const holder = start(folder, ...run);
    await holder.said('second');
    const refused = await ecl(folder, 'run', 'critique-revise', 'topic=x', '--json');
    expect(refused.exitCode).toBe(5);
    expect(JSON.parse(refused.stderr)).toMatchObject({
      code: 'store.locked',
      details: { pid: holder.child.pid },
    });
    const list = await ecl(folder, 'list', '--json');
    expect(JSON.parse(list.stdout)).toMatchObject({ items: [{ workflow: 'slow-flow' }] });
    const doctor = await ecl(folder, 'doctor', '--json');
    expect(JSON.parse(doctor.stdout)).toMatchObject({
      ok: true,
      store: { details: { holder: holder.child.pid } },
    });
  });
});

describe('a run whose process was killed', () => {
  test('is said to be left, with the command that goes on with it, and not while it is driven', async () => {
    const folder = project({ ...files, 'script.json': script.replace('1500', '60000') });
    const holder = start(folder, ...run, '--key', 'a');
    await holder.said('second');
    const driven = await ecl(folder, 'status', 'slow-flow.a');
    expect(driven.stdout).toMatch(/^status +running in second$/m);
    expect(driven.stdout).not.toContain('ecl resume');
    holder.child.kill('SIGKILL');
    await holder.ended;
    const left = await ecl(folder, 'status', 'slow-flow.a');
    expect(left.stdout).toMatch(/^status +running in second, but no process works on it$/m);
    const command = /^To go on with it:\n {2}ecl (resume .*)$/m.exec(left.stdout)?.[1]?.split(' ');
    const quick = ['--model', 'rules', '--json'];
    const again = await ecl(folder, ...command!, ...quick);
    expect(JSON.parse(again.stdout)).toMatchObject({ status: 'waiting', state: 'editor' });
  });
});

describe('a signal', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    '%s leaves within 10 s with exit %i, and the printed command finishes the run',
    async (signal, code) => {
      const folder = project(files);
      const left = start(folder, ...run, '--new');
      await left.said('second');
      const at = Date.now();
      left.child.kill(signal);
      const { exitCode, stderr } = await left.ended;
      expect(exitCode).toBe(code);
      expect(Date.now() - at).toBeLessThan(10_000);
      const command = /ecl (run .*)$/m.exec(stderr)?.[1]?.split(' ');
      const again = await ecl(folder, ...command!, '--json');
      expect([again.exitCode, JSON.parse(again.stdout)]).toMatchObject([6, { state: 'editor' }]);
      const { stdout } = await ecl(folder, 'events', '--json');
      expect(types(stdout).filter((type) => type === 'RunStarted')).toHaveLength(1);
      expect(types(stdout).filter((type) => type === 'StepSucceeded')).toHaveLength(2);
    },
  );

  test('following events ends at once with exit 130', async () => {
    const folder = project(files);
    await ecl(folder, ...run);
    const follower = start(folder, 'events', '--follow', '--json');
    await new Promise<void>((resolve) => follower.child.stdout!.once('data', () => resolve()));
    follower.child.kill('SIGINT');
    expect((await follower.ended).exitCode).toBe(130);
  });
});

test('a follower sees what another process writes, and ends with the run', async () => {
  const folder = project(files);
  const first = await ecl(folder, ...run, '--json');
  const { id } = JSON.parse(first.stdout) as { id: string };
  const follower = start(folder, 'events', id, '--follow', '--json');
  const watcher = start(folder, 'status', id, '--watch');
  await new Promise<void>((resolve) => follower.child.stdout!.once('data', () => resolve()));
  await ecl(folder, 'signal', id, 'editor.approved', '--model', 'scripted:script.json');
  const followed = await follower.ended;
  expect(types(followed.stdout).at(-1)).toBe('RunCompleted');
  expect((await watcher.ended).stdout).toMatch(/status +completed/);
});
