/** `ecl gateway`: the embedded store in KurrentDB's protocol, for subscribers in any language. */
import type { Command } from 'commander';
import type { Act, Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { readPort } from '../read-port.ts';

interface Options {
  readonly port?: string;
}

const examples = `
Examples:
  ecl gateway
  ecl gateway --port 0 --json          a free port; the connection string as JSON

It holds the store meanwhile: other commands read beside it, and write through it with --store and the connection
string. It listens on loopback only, without TLS and without credentials: whoever has an account on this machine may
read and write. Ends on SIGINT and SIGTERM, within 10 s, with everything that was acknowledged durable.`;

export const declareGateway = (program: Command, act: Act): void => {
  program
    .command('gateway')
    .summary('offer the embedded store in KurrentDB’s protocol')
    .description(
      'Offers the embedded store in KurrentDB’s own gRPC protocol on this machine, so that its clients can append, ' +
        'read and subscribe without a server.',
    )
    .option('--port <n>', 'where it listens; 0 takes a free port (default 2113)')
    .addHelpText('after', examples)
    .action(act<Options>(offerStore));
};

/** A program that runs as it is, wherever the official client is installed. */
const example = (connectionString: string): string => `
  import { KurrentDBClient, START } from '@kurrent/kurrentdb-client';

  const client = KurrentDBClient.connectionString('${connectionString}');
  for await (const { event } of client.subscribeToAll({ fromPosition: START })) {
    console.log(event.streamId, event.revision, event.type);
  }
`;

const offerStore = async (context: Context, { port }: Options): Promise<number> => {
  const own = port === undefined ? {} : { port: readPort(port) };
  const { createLogger } = await import('../open.ts');
  const { defaultStore, loadConfiguration } = await import('../../config.ts');
  const { serveGateway } = await import('../../composition/gateway-serving.ts');
  const { stopAsked } = await import('../stop-signals.ts');
  const { terminal, flags } = context;
  const { values, warnings } = await loadConfiguration(flags);
  for (const warning of warnings) terminal.warn(warning);
  const { store = defaultStore, logLevel } = values;
  const gateway = await serveGateway({ store, logger: createLogger(terminal, logLevel), ...own });
  const asked = stopAsked();
  const { connectionString } = gateway;
  terminal.document({ connectionString, port: gateway.port, store, pid: process.pid });
  terminal.print(connectionString);
  terminal.progress(
    `  ${store} in KurrentDB's protocol, on loopback only: no TLS and no credentials, so whoever has an account\n` +
      '  on this machine may read and write. It holds the store until it ends. A subscriber in JavaScript:',
  );
  terminal.progress(example(connectionString));
  const signal = await asked;
  terminal.progress(`Ending after ${signal}; everything that was acknowledged is durable.`);
  await gateway.close();
  return exitCodes.done;
};
