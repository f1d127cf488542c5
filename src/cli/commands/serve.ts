/** `ecl serve`: the HTTP API, and the worker that runs what it is given. */
import type { Command } from 'commander';
import type { Act, Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { readPort } from '../read-port.ts';

interface Options {
  readonly port?: string;
  readonly host?: string;
  readonly auth: boolean;
}

const examples = `
Examples:
  ecl serve
  ecl serve --port 0 --json            a free port; the address as JSON
  ecl token create --scope write       a token for a program

The other commands find the server by themselves and work beside it. Ends on SIGINT and SIGTERM, within 10 s, with
everything durable.`;

export const declareServe = (program: Command, act: Act): void => {
  program
    .command('serve')
    .summary('serve the HTTP API and do the work')
    .description('Serves the HTTP API, holds the store, and carries out what its runs owe.')
    .option('--port <n>', 'where it listens; 0 takes a free port (default 4680)')
    .option('--host <host>', 'which address it listens on (default 127.0.0.1)')
    .option('--no-auth', 'serve without tokens; only on this machine')
    .addHelpText('after', examples)
    .action(act<Options>(serveApi));
};

const serveApi = async (context: Context, { port, host, auth }: Options): Promise<number> => {
  const own = {
    ...(port === undefined ? {} : { port: readPort(port) }),
    ...(host === undefined ? {} : { host }),
  };
  const { withEcl } = await import('../open.ts');
  const { serve } = await import('../../composition/serving.ts');
  const { folderOfStore } = await import('../../composition/server-place.ts');
  const { defaultStore } = await import('../../config.ts');
  const { stopAsked } = await import('../stop-signals.ts');
  const { terminal } = context;
  const options = { access: 'write', recover: true, metrics: true } as const;
  return withEcl(context, options, async ({ ecl, library, configuration }) => {
    const asked = stopAsked();
    const { store = defaultStore, dataFolder } = configuration.values;
    const folder = folderOfStore(store, dataFolder);
    for (const { workflow, module } of await library.all()) {
      ecl.registry.register(workflow, {
        beside: true,
        ...(module === undefined ? {} : { module }),
      });
    }
    const serving = await serve({ ecl, workflows: library, folder, auth, ...own });
    terminal.document({ url: serving.url, pid: process.pid, file: serving.file });
    terminal.print(`Serving on ${serving.url}`);
    terminal.progress(
      auth
        ? `  ${serving.file} has the address and a token for this machine; more: ecl token create`
        : '  without tokens: whoever reaches this port may do everything',
    );
    const signal = await asked;
    terminal.progress(`Ending after ${signal}; everything that was acknowledged is durable.`);
    await serving.close();
    return exitCodes.done;
  });
};
