/** The built command line as processes, in folders of their own. The build is made before all tests (test/build-once.ts). */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';

/** The folder of the package, with its `dist`. */
export const builtPackage = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const bin = join(builtPackage, 'dist/src/cli/bin.js');

/** Runs the command line with another Node. */
export const cliArgs = (...args: readonly string[]): string[] => [bin, ...args];

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Process {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when stderr holds the text, or the process ends. */
  said(text: string): Promise<void>;
}

const running = new Set<ChildProcess>();
const folders: string[] = [];
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder for one test, removed after it, with these files. */
export const project = (files: Readonly<Record<string, string>> = {}): string => {
  const folder = mkdtempSync(join(tmpdir(), 'ecl-e2e-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
};

/** Without what the person who runs the tests has configured. */
const cleanEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(ECL_|ANTHROPIC_|NO_COLOR|FORCE_COLOR|NODE_|VITEST|npm_)/.test(name),
    ),
  );

/** Starts a program in a folder. */
export const startProgram = (
  folder: string,
  [program, ...args]: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Process => {
  const env = { ...cleanEnvironment(), ...environment };
  const child = spawn(program!, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let [stdout, stderr] = ['', ''];
  let heard = (): void => {};
  child.stdout.on('data', (part: Buffer) => (stdout += part.toString()));
  child.stderr.on('data', (part: Buffer) => {
    stderr += part.toString();
    heard();
  });
  const ended = new Promise<Ended>((done) => {
    child.on('close', (exitCode) => {
      running.delete(child);
      done({ exitCode, stdout, stderr });
    });
  });
  const said = (text: string): Promise<void> =>
    Promise.race([
      ended.then(() => {}),
      new Promise<void>((done) => {
        heard = () => stderr.includes(text) && done();
        heard();
      }),
    ]);
  return { child, ended, said };
};

/** Starts the command line in a folder. */
export const start = (folder: string, ...args: string[]): Process =>
  startProgram(folder, [process.execPath, ...cliArgs(...args)]);

export const ecl = (folder: string, ...args: string[]): Promise<Ended> =>
  start(folder, ...args).ended;

/** A Node of version 24 or newer on this machine, if there is one. */
export const newerNode = (): string | undefined => {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  const npx = join(homedir(), '.npm/_npx');
  const kept = existsSync(npx) ? readdirSync(npx) : [];
  const candidates = [
    process.env['NODE_24'] ?? '',
    ...kept.map((name) => join(npx, name, 'node_modules/node/bin/node')),
  ];
  return candidates.find((path) => {
    if (path === '' || !existsSync(path)) return false;
    const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
    return Number(/^v(\d+)/.exec(stdout)?.[1] ?? 0) >= 24;
  });
};
