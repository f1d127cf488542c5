/** Child processes of the durability tests: started, watched, killed, and never left behind. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Whole lines of stdout. */
  readonly lines: readonly string[];
}

export interface Running {
  readonly pid: number;
  readonly exit: Promise<Exit>;
  /** Resolves with the first line that begins so; rejects when the process ends before. */
  line(start: string): Promise<string>;
  kill(signal?: NodeJS.Signals): void;
  /** A line to its stdin, where it has one. */
  write(line: string): void;
}

const children = new Set<ChildProcess>();
const folders: string[] = [];

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'ecl-durability-'));
  folders.push(folder);
  return folder;
};

const hungMsDefault = 600_000;

export const run = (
  command: readonly string[],
  options: {
    env?: Record<string, string>;
    cwd?: string;
    program?: string;
    /** Whether it reads lines. @default false */
    stdin?: boolean;
    /** Told of each line of stdout as it comes. */
    onLine?: (line: string) => void;
    /** How long it may live before it counts as hung, in milliseconds. @default 600,000 */
    hungMs?: number;
  } = {},
): Running => {
  const child = spawn(options.program ?? process.execPath, command, {
    env: { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), NO_COLOR: '1', ...options.env },
    stdio: [options.stdin === true ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  children.add(child);
  let stdout = '';
  let stderr = '';
  let isOver = false;
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const each of waiting) each();
  };
  const linesOf = (): string[] => stdout.split('\n').slice(0, -1);
  let told = 0;
  child.stdout!.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    wake();
    if (options.onLine === undefined) return;
    for (const line of linesOf().slice(told)) {
      told += 1;
      options.onLine(line);
    }
  });
  child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const hung = setTimeout(() => {
    stderr += '\n(hung, killed by the test)';
    child.kill('SIGKILL');
  }, options.hungMs ?? hungMsDefault);
  const exit = new Promise<Exit>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(hung);
      children.delete(child);
      isOver = true;
      wake();
      resolve({ code, signal, stdout, stderr, lines: linesOf() });
    });
  });
  const line = (start: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = linesOf().find((each) => each.startsWith(start));
        if (found === undefined && !isOver) return;
        waiting.delete(look);
        if (found !== undefined) resolve(found);
        else reject(new Error(`the process ended without "${start}": ${stdout}\n${stderr}`));
      };
      waiting.add(look);
      look();
    });
  child.stdin?.on('error', () => {});
  return {
    pid: child.pid ?? -1,
    exit,
    line,
    kill: (signal = 'SIGKILL') => child.kill(signal),
    write: (text) => child.stdin?.write(`${text}\n`),
  };
};

const here = fileURLToPath(new URL('.', import.meta.url));

/** A worker of this folder, or of a copy of the package. */
export const worker = (
  args: readonly string[],
  options: { env?: Record<string, string>; root?: string } = {},
): Running => {
  const folder = options.root === undefined ? here : join(options.root, 'test/durability');
  return run([join(folder, 'worker.mjs'), ...args], options);
};
