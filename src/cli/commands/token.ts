/** `ecl token`: who may use the HTTP API. */
import type { Command } from 'commander';
import { EclError } from '../../core/errors.ts';
import { defaultTenant } from '../../core/ids.ts';
import { everyTenant, scopes, type Scope, type TokenStore } from '../../ports/token-store.ts';
import type { Act, Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';

interface CreateOptions {
  readonly tenant: string;
  readonly scope: string;
}

const examples = `
Examples:
  ecl token create --tenant acme --scope write
  ecl token list
  ecl token revoke 3f9c02d41b7a

A token is shown once, when it is made; what is kept is its hash. Scopes: read, write, admin; each includes those
before it. The tenant * is every tenant: with the scope admin it may do what a person at this machine may.`;

export const declareToken = (program: Command, act: Act): void => {
  const token = program
    .command('token')
    .summary('make, list and revoke tokens of the HTTP API')
    .description(
      'Makes, lists and revokes tokens of the HTTP API; a server that runs obeys at once.',
    )
    .argument('<action>', 'create, list or revoke')
    .argument('[id]', 'which token to revoke, as `ecl token list` shows it')
    .option('--tenant <tenant>', 'create: whose runs it is for; * for all', defaultTenant)
    .option('--scope <scope>', `create: ${scopes.join(', ')}`, 'write')
    .addHelpText('after', examples);
  token.action(act<CreateOptions>(tokens));
};

const usage = (reason: string): EclError => new EclError('usage.invalid', { reason });

const readScope = (text: string): Scope => {
  const scope = scopes.find((each) => each === text);
  if (scope !== undefined) return scope;
  throw usage(`--scope takes ${scopes.join(', ')}, not "${text}"`);
};

const openStore = async (context: Context): Promise<TokenStore> => {
  const { loadConfiguration, defaultStore } = await import('../../config.ts');
  const { folderOfStore, openTokens } = await import('../../composition/server-place.ts');
  const { values } = await loadConfiguration(context.flags);
  return openTokens(folderOfStore(values.store ?? defaultStore, values.dataFolder));
};

const create = async (context: Context, options: CreateOptions): Promise<number> => {
  const { tenant } = options;
  const scope = readScope(options.scope);
  const store = await openStore(context);
  const { token, record } = store.create({ tenant, scope, now: Date.now() });
  const { terminal } = context;
  terminal.document({ ...record, token });
  terminal.print(token);
  const whose = tenant === everyTenant ? 'every tenant' : `the tenant ${tenant}`;
  terminal.progress(`${record.id}: ${scope} for ${whose}. It is shown only now; keep it.`);
  return exitCodes.done;
};

const list = async (context: Context): Promise<number> => {
  const { table } = await import('../table.ts');
  const { terminal } = context;
  const items = (await openStore(context)).list();
  terminal.document({ items });
  if (items.length === 0) terminal.print('No tokens. Make one: ecl token create --scope write');
  else {
    const rows = items.map(({ id, tenant, scope, createdAt }) => [id, tenant, scope, createdAt]);
    const header = ['TOKEN', 'TENANT', 'SCOPE', 'CREATED'];
    for (const line of table(header, rows, terminal.width)) terminal.print(line);
  }
  return exitCodes.done;
};

const revoke = async (context: Context, id: string | undefined): Promise<number> => {
  if (id === undefined) throw usage('Name the token to revoke, as `ecl token list` shows it');
  const { terminal } = context;
  if (!(await openStore(context)).revoke(id)) {
    throw new EclError('token.not-found', { id });
  }
  terminal.document({ id, revoked: true });
  terminal.print(`${id} is revoked.`);
  return exitCodes.done;
};

const tokens = async (
  context: Context,
  options: CreateOptions,
  ...[action, id]: readonly (string | readonly string[] | undefined)[]
): Promise<number> => {
  switch (action) {
    case 'create':
      return create(context, options);
    case 'list':
      return list(context);
    case 'revoke':
      return revoke(context, id === undefined ? undefined : String(id));
    default:
      throw usage(`ecl token takes create, list or revoke, not "${String(action)}"`);
  }
};
