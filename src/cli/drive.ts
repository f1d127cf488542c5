/**
 * Stays with a run until it rests, or until a signal asks to leave; then says how it stands and what to do next.
 *
 * A signal to a child run moves its root too, so it is the root that is driven.
 */
import { rootRunId } from '../core/ids.ts';
import type { RunDocument } from '../runtime/run-document.ts';
import type { Context } from './context.ts';
import { exitCodeOfRun } from './exit-codes.ts';
import type { Follow } from './follow.ts';
import { nextLines, runBlock, runDetails } from './run-block.ts';
import type { OpenedRuns, RunControl } from './runs.ts';
import { exitCodeOfSignal, releaseStop, type StopSignal } from './stop-signals.ts';
import { styled } from './terminal.ts';

export interface DriveOptions {
  readonly follow: Follow;
  /** Resolves when a signal asks to leave; listened for since before the run was touched. */
  readonly asked: Promise<StopSignal>;
  /** Revision of the root before the command, when it was there. */
  readonly known?: number | undefined;
  /** The command that goes on where a signal left. */
  readonly goOn: string;
}

const rulesLine =
  'Answered by "rules": deterministic text processing, not a language model. For Claude set ANTHROPIC_API_KEY.';

const left = (
  { terminal }: Context,
  run: string,
  { signal, goOn }: { signal: StopSignal; goOn: string },
): number => {
  const message = `Left by ${signal}. The run ${run} is durable; go on with: ${goOn}`;
  const document = { code: 'interrupted', message, details: { run, signal, command: goOn } };
  terminal.error(
    [
      `Left by ${signal}. The run is durable and goes on where it is:`,
      `  ${styled('bold', goOn)}`,
    ].join('\n'),
    document,
  );
  return exitCodeOfSignal(signal);
};

/** Prints a run that rests, and what to do next. */
export const showRun = async (
  context: Context,
  opened: OpenedRuns,
  { handle, run }: { handle: RunControl; run: RunDocument },
): Promise<void> => {
  const { terminal } = context;
  terminal.document(run);
  if (terminal.json) return;
  const details = await runDetails(opened, handle, run);
  terminal.print();
  for (const line of runBlock(run, details)) terminal.print(line);
  terminal.print();
  for (const line of await nextLines(context, opened.runs, { run, details })) terminal.print(line);
  if (details.history.usage.models.includes('rules')) terminal.print(styled('dim', rulesLine));
};

/** Drives, shows, and gives the exit code. */
export const drive = async (
  context: Context,
  opened: OpenedRuns,
  handle: RunControl,
  { follow, asked, known, goOn }: DriveOptions,
): Promise<number> => {
  const root = rootRunId(handle.id);
  try {
    await follow.show(root, known);
    const top = root === handle.id ? handle : await opened.runs.get(root);
    const rested = await Promise.race([top.rest(), asked]);
    if (typeof rested === 'string') return left(context, handle.id, { signal: rested, goOn });
    releaseStop();
    await follow.end(root, rested.revision);
    const run = root === handle.id ? rested : await handle.document();
    await showRun(context, opened, { handle, run });
    return exitCodeOfRun(run);
  } finally {
    await follow.stop();
  }
};
