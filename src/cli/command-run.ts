/** What `signal`, `cancel` and `resume` share: a command to a run, then staying with it until it rests. */
import { parseRunId, rootRunId } from '../core/ids.ts';
import type { RunDocument } from '../runtime/run-document.ts';
import type { RunHandle } from '../runtime/run-handle.ts';
import type { Context } from './context.ts';
import { drive, showRun } from './drive.ts';
import { exitCodes } from './exit-codes.ts';
import { Follow } from './follow.ts';
import { withEcl } from './open.ts';
import { stopAsked } from './stop-signals.ts';

export interface RunCommand {
  readonly detach: boolean;
  /** Sends the command; resolves when it is stored. */
  readonly send: (handle: RunHandle) => Promise<RunDocument>;
  /** Whether having been stored is all that was asked for, however the run ends. */
  readonly endsWell?: boolean;
}

export const command = (context: Context, id: string, options: RunCommand): Promise<number> =>
  withEcl(context, { access: 'write', leaveWork: options.detach }, async (opened) => {
    const { workflow, tenant } = parseRunId(id);
    await opened.ecl.revisionOf(id);
    const known = await opened.ecl.revisionOf(rootRunId(id));
    const follow = new Follow(context.terminal, opened.ecl, { workflow, tenant });
    try {
      const asked = stopAsked();
      const handle = await opened.ecl.get(id);
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
