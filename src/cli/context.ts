/** What every command gets: the terminal, and the flags that stand before or after any command. */
import type { Command } from 'commander';
import { Terminal } from './terminal.ts';

export interface GlobalFlags {
  readonly json?: boolean;
  readonly store?: string;
  /** Address of a server. */
  readonly server?: string;
  readonly model?: string;
  readonly config?: string;
  readonly logLevel?: string;
}

export interface Context {
  readonly terminal: Terminal;
  readonly flags: GlobalFlags;
  /** What begins a command that the person can type: `ecl` and the flags that led to the same store. */
  commandLine(...rest: readonly string[]): string;
}

/** What a command does: its arguments and its own options, and the exit code it ends with. */
export type Handler<Options> = (
  context: Context,
  options: Options,
  ...args: readonly (string | readonly string[] | undefined)[]
) => Promise<number>;

/** Makes an action of commander from a handler. */
export type Act = <Options extends object>(
  handler: Handler<Options>,
) => (...parameters: unknown[]) => Promise<void>;

export const createAct =
  (context: (flags: GlobalFlags) => Promise<Context>, done: (exitCode: number) => void): Act =>
  (handler) =>
  async (...parameters) => {
    const command = parameters.at(-1) as Command;
    const args = command.processedArgs as (string | string[] | undefined)[];
    const made = await context(command.optsWithGlobals());
    done(await handler(made, command.opts(), ...args));
  };
