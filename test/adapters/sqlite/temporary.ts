/** Folders that are gone after the tests of a file, and the means to do what the store itself never does. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import {
  openDatabase,
  type OpenDatabase,
  type SqliteDatabase,
} from '../../../src/adapters/sqlite/driver.ts';

export interface Temporary {
  readonly root: string;
  /** A folder that does not exist yet. */
  readonly folder: () => string;
}

export const temporary = (): Temporary => {
  const root = mkdtempSync(join(tmpdir(), 'ecl-sqlite-'));
  let count = 0;
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  return {
    root,
    folder: () => {
      count += 1;
      return join(root, `store-${count}`);
    },
  };
};

/** Opens a database file beside the store, does something to it and closes it. */
export const withRawDatabase = <T>(path: string, work: (database: SqliteDatabase) => T): T => {
  const database = openDatabase(path, { busyTimeoutMs: 1_000 });
  try {
    return work(database);
  } finally {
    database.close();
  }
};

/** Overwrites a closed database from a byte on, log included: what is there is damaged for good. */
export const damage = (path: string, from: number): void => {
  withRawDatabase(path, (database) => database.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
  const { size } = statSync(path);
  const bytes = Buffer.alloc(Math.max(size - from, 0), 0xff);
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, from);
  closeSync(file);
};

/** A driver whose statements a test may change or refuse before they reach SQLite. */
export const drivenBy = (
  change: (sql: string, path: string) => string,
  opened: (database: SqliteDatabase, path: string) => void = () => {},
): OpenDatabase => {
  return (path, options) => {
    const database = openDatabase(path, options);
    opened(database, path);
    return {
      exec: (sql) => database.exec(change(sql, path)),
      prepare: (sql) => {
        const statement = database.prepare(sql);
        return {
          run: (...parameters) => {
            change(sql, path);
            return statement.run(...parameters);
          },
          get: (...parameters) => statement.get(...parameters),
          all: (...parameters) => statement.all(...parameters),
        };
      },
      close: () => database.close(),
    };
  };
};

/** What SQLite throws, as far as the store looks at it. */
export const sqliteError = (message: string, errcode: number): Error =>
  Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR', errcode });

const repository = join(import.meta.dirname, '../../..');
let compiled: string | undefined;

/** Compiles the scripts of this folder, once for a test file: they start many times, and so do within 100 ms. */
const compiledScripts = (): string => {
  if (compiled !== undefined) return compiled;
  const folder = mkdtempSync(join(tmpdir(), 'ecl-scripts-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const scripts = ['append-forever.ts', 'hold-store.ts', 'load-driver.ts'].map((script) =>
    join(import.meta.dirname, script),
  );
  const flags =
    '--ignoreConfig --noCheck --rewriteRelativeImportExtensions --module nodenext --target es2023';
  const places = ['--types', 'node', '--rootDir', repository, '--outDir', folder];
  const compiler = join(repository, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, ...flags.split(' '), ...places, ...scripts], {
    cwd: repository,
  });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  compiled = join(folder, 'test/adapters/sqlite');
  return compiled;
};

/** Runs a script of this folder in a process of its own. */
export const startProcess = (script: string, ...parameters: string[]): ChildProcess =>
  spawn(process.execPath, [join(compiledScripts(), script.replace('.ts', '.js')), ...parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_PATH: join(repository, 'node_modules') },
  });

/** Runs a script of this folder to its end. */
export const runProcess = (script: string): { stdout: string; stderr: string } =>
  spawnSync(process.execPath, [join(compiledScripts(), script.replace('.ts', '.js'))], {
    encoding: 'utf8',
    env: { ...process.env, NODE_PATH: join(repository, 'node_modules') },
  });

/** Resolves when the process has printed a line that begins so; rejects when it ends before. */
export const printed = (child: ChildProcess, start: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const line = output.split('\n').find((one) => one.startsWith(start));
      if (line !== undefined) resolve(line);
    });
    child.once('exit', () => reject(new Error(`the process ended after: ${output}`)));
  });

export const killed = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
