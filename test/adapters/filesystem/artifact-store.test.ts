import { execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { createFilesystemArtifactStore } from '../../../src/adapters/filesystem/artifact-store.ts';
import { sha256 } from '../../../src/core/sha256.ts';
import {
  artifactStoreContract,
  unusableAddresses,
} from '../../contracts/artifact-store-contract.ts';

const root = mkdtempSync(join(tmpdir(), 'ecl-artifacts-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let count = 0;
const freshFolder = (): string => join(root, `case-${(count += 1)}`, 'artifacts');
const content = (text: string): Uint8Array => new TextEncoder().encode(text);

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));

const modeOf = (path: string): number => statSync(path).mode & 0o777;

artifactStoreContract({
  name: 'filesystem',
  create: async () => createFilesystemArtifactStore({ folder: freshFolder() }),
});

describe('the filesystem artifact store', () => {
  test('reading makes no folder', async () => {
    const folder = freshFolder();
    const store = createFilesystemArtifactStore({ folder });
    expect(await store.has(sha256('x'))).toBe(false);
    await expect(store.get(sha256('x'))).rejects.toMatchObject({ code: 'artifact.not-found' });
    expect(existsSync(folder)).toBe(false);
  });

  test('a blob is one file, named by its address below two of its digits, and nothing else stays', async () => {
    const folder = freshFolder();
    const store = createFilesystemArtifactStore({ folder });
    const puts = Array.from({ length: 20 }, () => store.put(content('one')));
    const { sha256: address } = (await Promise.all(puts))[0]!;
    const path = join(folder, address.slice(0, 2), address);
    expect(filesUnder(folder)).toEqual([path]);
    expect(store.locate(address)).toBe(path);
    expect(readFileSync(path, 'utf8')).toBe('one');
  });

  test('another store over the same folder finds what was put', async () => {
    const folder = freshFolder();
    const { sha256: address } = await createFilesystemArtifactStore({ folder }).put(
      content('kept'),
    );
    const read = await createFilesystemArtifactStore({ folder }).get(address);
    expect(new TextDecoder().decode(read)).toBe('kept');
  });

  test('folders are 0700 and files 0600, whatever the umask and whatever they were', async () => {
    const folder = freshFolder();
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o755);
    const before = process.umask();
    try {
      for (const umask of [0o000, 0o777, 0o022]) {
        process.umask(umask);
        await createFilesystemArtifactStore({ folder }).put(content(`umask ${umask}`));
      }
    } finally {
      process.umask(before);
    }
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    expect(entries.filter((entry) => entry.isFile())).toHaveLength(3);
    expect(modeOf(folder)).toBe(0o700);
    for (const entry of entries) {
      const mode = modeOf(join(entry.parentPath, entry.name));
      expect([entry.name, mode]).toEqual([entry.name, entry.isDirectory() ? 0o700 : 0o600]);
    }
  });

  test.each([
    ['changed', (path: string) => writeFileSync(path, 'Precious')],
    ['cut', (path: string) => truncateSync(path, 3)],
    ['emptied', (path: string) => truncateSync(path, 0)],
    ['swollen', (path: string) => truncateSync(path, 64 * 1024 * 1024)],
  ])('a blob that was %s is reported, and putting it again mends it', async (_, damage) => {
    const folder = freshFolder();
    const store = createFilesystemArtifactStore({ folder });
    const { sha256: address } = await store.put(content('precious'));
    damage(store.locate(address));
    await expect(store.get(address)).rejects.toMatchObject({
      code: 'artifact.corrupt',
      details: { sha256: address },
    });
    await store.put(content('precious'));
    expect(new TextDecoder().decode(await store.get(address))).toBe('precious');
  });

  test('what lies where a blob belongs but is no file is reported, without waiting for it', async () => {
    const folder = freshFolder();
    const store = createFilesystemArtifactStore({ folder });
    const { sha256: address } = await store.put(content('pipe'));
    unlinkSync(store.locate(address));
    await promisify(execFile)('mkfifo', [store.locate(address)]);
    await expect(store.get(address)).rejects.toMatchObject({ code: 'artifact.corrupt' });
    unlinkSync(store.locate(address));
    mkdirSync(store.locate(address));
    await expect(store.get(address)).rejects.toMatchObject({ code: 'artifact.corrupt' });
    expect(await store.has(address)).toBe(false);
  });

  test('a link in place of a blob is not followed', async () => {
    const folder = freshFolder();
    const secret = join(root, 'secret.txt');
    writeFileSync(secret, 'secret');
    const store = createFilesystemArtifactStore({ folder });
    const { sha256: address } = await store.put(content('secret'));
    unlinkSync(store.locate(address));
    symlinkSync(secret, store.locate(address));
    expect(await store.has(address)).toBe(false);
    await expect(store.get(address)).rejects.toMatchObject({ code: 'artifact.corrupt' });
    await store.put(content('secret'));
    expect(readFileSync(secret, 'utf8')).toBe('secret');
    expect(new TextDecoder().decode(await store.get(address))).toBe('secret');
  });

  test.each(['tmp', sha256('outside').slice(0, 2)])(
    'a link in place of the folder %s leads nothing outside',
    async (name) => {
      const folder = freshFolder();
      const outside = join(root, `outside-${name}`);
      mkdirSync(outside);
      await createFilesystemArtifactStore({ folder }).put(content('first'));
      rmSync(join(folder, name), { recursive: true, force: true });
      symlinkSync(outside, join(folder, name));
      const store = createFilesystemArtifactStore({ folder });
      await expect(store.put(content('outside'))).rejects.toMatchObject({
        code: 'store.unavailable',
      });
      expect(readdirSync(outside)).toEqual([]);
    },
  );

  test('a folder that is itself a link to another disk works', async () => {
    const folder = freshFolder();
    const disk = join(root, 'disk');
    mkdirSync(disk);
    mkdirSync(join(folder, '..'), { recursive: true });
    symlinkSync(disk, folder);
    const store = createFilesystemArtifactStore({ folder });
    const { sha256: address } = await store.put(content('moved'));
    expect(new TextDecoder().decode(await store.get(address))).toBe('moved');
  });

  test('no address leads outside the folder', async () => {
    const folder = freshFolder();
    const store = createFilesystemArtifactStore({ folder });
    await store.put(content('x'));
    for (const address of unusableAddresses) {
      expect(() => store.locate(address)).toThrow(/no artifact/);
    }
  });

  test('leftovers of a crash are removed by the next put, unfinished files of the living are not', async () => {
    const folder = freshFolder();
    await createFilesystemArtifactStore({ folder }).put(content('first'));
    const old = join(folder, 'tmp', 'old');
    const young = join(folder, 'tmp', 'young');
    writeFileSync(old, 'half a blob');
    writeFileSync(young, 'half a blob');
    utimesSync(old, new Date(0), new Date(0));
    await createFilesystemArtifactStore({ folder }).put(content('second'));
    expect(readdirSync(join(folder, 'tmp'))).toEqual(['young']);
  });

  test('a folder that disappears is made again by the next put', async () => {
    const folder = freshFolder();
    const store = createFilesystemArtifactStore({ folder });
    await store.put(content('first'));
    renameSync(folder, `${folder}-gone`);
    const { sha256: address } = await store.put(content('second'));
    expect(await store.has(address)).toBe(true);
  });

  test('a disk that cannot be written is unavailable, and works again once it can', async () => {
    const folder = freshFolder();
    mkdirSync(join(folder, '..'), { recursive: true });
    writeFileSync(folder, 'a file stands where the folder belongs');
    const store = createFilesystemArtifactStore({ folder });
    await expect(store.put(content('x'))).rejects.toMatchObject({
      code: 'store.unavailable',
      retryable: true,
    });
    unlinkSync(folder);
    const { sha256: address } = await store.put(content('x'));
    expect(await store.has(address)).toBe(true);
  });
});

/** Runs a writing process and kills it after a random time; resolves with what it acknowledged. */
const killWhileWriting = (folder: string, seed: number): Promise<string[]> =>
  new Promise((resolve, reject) => {
    const script = join(import.meta.dirname, 'put-forever.ts');
    const flags = ['--import', 'jiti/register', script, folder, String(seed)];
    const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (output === '') setTimeout(() => child.kill('SIGKILL'), 5 + Math.random() * 120);
      output += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (_, signal) => {
      if (signal !== 'SIGKILL') reject(new Error(`the writer ended by itself: ${output}`));
      // The last line may be cut.
      resolve(output.split('\n').slice(1, -1));
    });
  });

test('processes killed at random never leave a wrong content under a final name, nor lose one', async () => {
  const folder = freshFolder();
  const acknowledged: string[] = [];
  for (let round = 0; round < 10; round += 1) {
    const seeds = [round * 3, round * 3 + 1];
    const killed = await Promise.all(seeds.map((seed) => killWhileWriting(folder, seed)));
    acknowledged.push(...killed.flat());
  }
  const finished = filesUnder(folder).filter((path) => !path.startsWith(join(folder, 'tmp')));
  for (const path of finished) {
    expect(sha256(readFileSync(path))).toBe(path.split('/').at(-1));
  }
  const stored = new Set(finished.map((path) => path.split('/').at(-1)));
  expect(acknowledged.length).toBeGreaterThan(20);
  expect(acknowledged.filter((address) => !stored.has(address))).toEqual([]);
});
