/** The command line beside a server that holds its store, and with one that is named. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { WorkflowLibrary } from '../../src/composition/workflow-library.ts';
import { inFolder, write, type InFolder } from '../cli/kit.ts';
import { startServer, type Served } from './kit.ts';

const flow = `
import { gate, serial, step } from 'ecl';
import { z } from 'zod';
const text = z.object({ text: z.string() });
const shout = step({
  name: 'shout',
  input: text,
  output: text,
  execute: ({ input }) => ({ text: input.text.toUpperCase() }),
});
export default serial({ id: 'shout', version: '1.0.0', steps: [shout, gate({ name: 'publish' })] });
`;

interface Beside extends InFolder {
  readonly server: Served;
  readonly flow: string;
}

const besideServer = async (): Promise<Beside> => {
  const own = inFolder();
  const storeFolder = join(own.folder, '.ecl');
  const server = await startServer({
    folder: storeFolder,
    workflows: [],
    source: new WorkflowLibrary({ storeFolder }),
  });
  return { ...own, server, flow: write(own.folder, 'flow.mjs', flow) };
};

describe('beside a server that holds the store', () => {
  test('a run is started there, driven to its rest and shown as ever', async () => {
    const { ecl, server, flow: file } = await besideServer();
    const started = await ecl('run', file, 'text=hello', '--key', 'a');
    expect(started).toMatchObject({ exitCode: 6 });
    expect(started.stdout).toContain('waiting');
    expect(started.stdout).toContain('HELLO');
    const held = await server.ecl.get('shout.a');
    expect((await held.document()).status).toBe('waiting');
    const again = await ecl('run', file, 'text=hello', '--key', 'a', '--json');
    expect(again).toMatchObject({ exitCode: 6, document: { id: 'shout.a', status: 'waiting' } });
    expect((await ecl('run', file, 'text=other', '--key', 'a')).exitCode).toBe(4);
    expect((await ecl('run', file, 'text=hello', '--new', '--detach')).exitCode).toBe(0);
  });

  test('a run is decided for, cancelled and looked at', async () => {
    const { ecl, flow: file } = await besideServer();
    await ecl('run', file, 'text=hello', '--key', 'a');
    const wrong = await ecl('signal', 'shout.a', 'exploded', '--json');
    expect(wrong.exitCode).toBe(2);
    expect(JSON.parse(wrong.stderr)).toMatchObject({ code: 'signal.impossible' });
    const approved = await ecl('signal', 'shout.a', 'publish.approved', '--json');
    expect(approved).toMatchObject({ exitCode: 0, document: { status: 'completed' } });
    expect((await ecl('signal', 'shout.a', 'publish.approved')).exitCode).toBe(4);
    await ecl('run', file, 'text=more', '--key', 'b');
    expect((await ecl('cancel', 'shout.b', '--reason', 'enough')).exitCode).toBe(0);
    expect((await ecl('resume', 'shout.b')).exitCode).toBe(4);
    expect((await ecl('cancel', 'shout.c')).exitCode).toBe(3);
    expect((await ecl('list')).stdout).toContain('shout.b');
    expect((await ecl('status', 'shout.a')).stdout).toContain('completed');
    expect((await ecl('verify')).exitCode).toBe(0);
  });

  test('a file of the input is brought there', async () => {
    const { ecl, folder } = await besideServer();
    const notes = write(folder, 'notes.md', '# Notes\n\nWe decided to ship on Friday.\n');
    const ran = await ecl(
      'run',
      'document-review',
      `files=${notes}`,
      'instructions=Decided?',
      '--json',
    );
    expect(ran.document).toMatchObject({ input: { files: [{ name: 'notes.md' }] } });
  });

  test('one that is gone does not stand in the way', async () => {
    const { ecl, folder } = inFolder();
    const path = write(folder, 'flow.mjs', flow);
    await ecl('run', path, 'text=hello', '--key', 'a');
    const stale = { url: 'http://127.0.0.1:1', token: 'ecl_x', pid: process.pid };
    writeFileSync(join(folder, '.ecl', 'server.json'), JSON.stringify(stale));
    expect((await ecl('signal', 'shout.a', 'publish.approved')).exitCode).toBe(0);
  });
});

describe('with a server that is named', () => {
  test('every command about runs works as with a store', async () => {
    const { server, flow: file } = await besideServer();
    const { ecl } = inFolder(['--server', server.url]);
    process.env['ECL_TOKEN'] = server.serving.token;
    try {
      expect((await ecl('run', file, 'text=hello', '--key', 'a')).exitCode).toBe(6);
      expect((await ecl('list', '--json')).document).toMatchObject({ items: [{ id: 'shout.a' }] });
      const status = await ecl('status', 'shout.a');
      expect(status.stdout).toContain('HELLO');
      const events = await ecl('events', 'shout.a', '--json');
      const lines = events.stdout.trim().split('\n');
      expect(JSON.parse(lines[0]!)).toMatchObject({ revision: 0, type: 'RunStarted' });
      expect((await ecl('signal', 'shout.a', 'publish.approved')).exitCode).toBe(0);
      expect((await ecl('events', 'shout.a', '--follow')).exitCode).toBe(0);
      expect((await ecl('status', 'shout.b')).exitCode).toBe(3);
      expect((await ecl('verify')).exitCode).toBe(2);
      process.env['ECL_TOKEN'] = 'ecl_wrong';
      expect((await ecl('list')).exitCode).toBe(5);
    } finally {
      delete process.env['ECL_TOKEN'];
    }
    const nowhere = inFolder(['--server', 'http://127.0.0.1:1']);
    expect((await nowhere.ecl('list')).exitCode).toBe(5);
  });
});
