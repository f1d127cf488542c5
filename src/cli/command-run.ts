/** What `signal`, `cancel` and `resume` share: a command to a run, then staying with it until it rests. */
import { parseRunId, rootRunId } from '../core/ids.ts';
import type { RunDocument } from '../runtime/run-document.ts';
import type { Context } from './context.ts';
import { drive, showRun } from './drive.ts';
import { exitCodes } from './exit-codes.ts';
import { Follow } from './follow.ts';
import { withRuns } from './open-runs.ts';
import type { RunControl } from './runs.ts';
import { stopAsked } from './stop-signals.ts';

export interface RunCommand {
  readonly detach: boolean;
  /** Sends the command; resolves when it is stored. */
  readonly send: (handle: RunControl) => Promise<RunDocument>;
  /** Whether having been stored is all that was asked for, however the run ends. */
  readonly endsWell?: boolean;
}

export const command = (context: Context, id: string, options: RunCommand): Promise<number> =>
  withRuns(context, { access: 'write', leaveWork: options.detach }, async (opened) => {
    const { workflow, tenant } = parseRunId(id);
    await opened.runs.revisionOf(id);
    const known = await opened.runs.revisionOf(rootRunId(id));
    const follow = new Follow(context.terminal, opened.runs, { workflow, tenant });
    try {
      const asked = stopAsked();
      const handle = await opened.runs.get(id);
      const stored = await options.send(handle);
      if (options.detach) {
        await showRun(context, opened, { handle, run: stored });
        return exitCodes.done;
      }
      const goOn = context.commandLine('resume', id);
      const exitCode = await drive(context, opened, handle, { follow, asked, known, goOn });
      return options.endsWell === true && exitCode < exitCodes.interrupted
        ? exitCodes.done
        : exitCode;
    } finally {
      await follow.stop();
    }
  });
