/** `ecl signal`: sends an event to a run, and stays until the run rests again. */
import type { Command } from 'commander';
import { EclError } from '../../core/errors.ts';
import { isPlainObject } from '../../core/json-value.ts';
import type { MachineEvent } from '../../core/journal-events.ts';
import type { Act, Context } from '../context.ts';
import type { RunControl } from '../runs.ts';

interface Options {
  readonly data?: string;
  readonly detach?: boolean;
}

const examples = `
Examples:
  ecl signal offer.42 review.approved
  ecl signal offer.42 review.rejected --data '{"reason":"too long"}'

\`ecl status <run>\` shows which events a run takes now.`;

export const declareSignal = (program: Command, act: Act): void => {
  program
    .command('signal')
    .summary('send an event to a run')
    .description('Sends an event to a run, and stays until the run rests again.')
    .argument('<run>', 'id of a run')
    .argument('<event>', 'type of the event')
    .option('--data <json>', 'an object whose fields stand in the event')
    .option('--detach', 'store the event and leave the work to another command')
    .addHelpText('after', examples)
    .action(act<Options>(signal));
};

const eventOf = async (type: string, data: string | undefined): Promise<MachineEvent> => {
  if (data === undefined) return { type };
  const { parseJson } = await import('../read-input.ts');
  const fields = parseJson(data, '--data');
  if (typeof fields !== 'object' || fields === null || !isPlainObject(fields)) {
    throw new EclError('usage.invalid', { reason: '--data takes a JSON object' });
  }
  if ('type' in fields && fields['type'] !== type) {
    const reason = '--data has a "type" of its own; the type is the argument before it';
    throw new EclError('usage.invalid', { reason });
  }
  return { ...fields, type };
};

const signal = async (
  context: Context,
  { data, detach }: Options,
  ...[run, type]: readonly (string | readonly string[] | undefined)[]
): Promise<number> => {
  const event = await eventOf(String(type), data);
  const { command } = await import('../command-run.ts');
  return command(context, String(run), {
    detach: detach === true,
    send: (handle: RunControl) => handle.send(event),
  });
};
