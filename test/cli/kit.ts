/** Runs the command line in this process, on a folder of its own, and keeps what it writes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { main } from '../../src/cli/program.ts';
import type { TerminalStream } from '../../src/cli/terminal.ts';

export class Written implements TerminalStream {
  readonly isTTY: boolean;
  text = '';

  constructor({ isTTY = false } = {}) {
    this.isTTY = isTTY;
  }

  write(text: string, done?: (error?: Error | null) => void): boolean {
    this.text += text;
    done?.();
    return true;
  }

  on(): this {
    return this;
  }
}

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Stdout as one JSON document. */
  readonly document: unknown;
}

/** A folder for one test, removed after it. */
export const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'ecl-cli-'));
  folders.push(folder);
  return folder;
};
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Writes a file into a folder and gives its path. */
export const write = (folder: string, name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

export interface InFolder {
  readonly folder: string;
  readonly ecl: (...args: string[]) => Promise<Ran>;
}

/** The command line on a store in a folder of its own. */
export const inFolder = (flags: readonly string[] = ['--model', 'rules']): InFolder => {
  const folder = temporaryFolder();
  const ecl = async (...args: string[]): Promise<Ran> => {
    const [stdout, stderr] = [new Written(), new Written()];
    const store = `sqlite:${join(folder, '.ecl')}`;
    const exitCode = await main(['--store', store, ...flags, ...args], { stdout, stderr });
    return {
      exitCode,
      stdout: stdout.text,
      stderr: stderr.text,
      get document() {
        return JSON.parse(stdout.text) as unknown;
      },
    };
  };
  return { folder, ecl };
};
