import { describe, expect, test } from 'vitest';
import { run, temporaryFolder } from '../durability/processes.ts';
import { cliArgs } from '../e2e/built-cli.ts';
import { sharedServer } from './server.ts';

const server = sharedServer();

const doctor = async (store: string, ...args: readonly string[]) => {
  const folder = temporaryFolder();
  const env = { ECL_STORE: store, ECL_DATA_FOLDER: folder };
  return run(cliArgs('doctor', ...args), { cwd: folder, env }).exit;
};

const withPassword = (connectionString: string): string =>
  connectionString.replace('://', '://ecl:s3cr%40t@');

describe('ecl doctor', () => {
  test('shows what the server is and can do, how far the rows are and who owns what', async () => {
    const { stdout, stderr } = await doctor(withPassword(await server()), '--json');
    const { store, configuration } = JSON.parse(stdout) as {
      store: { kind: string; location: string; details: object; shared: object };
      configuration: { key: string; value: unknown; source: string }[];
    };
    expect(store).toMatchObject({ kind: 'kurrentdb', location: expect.stringContaining('***@') });
    expect(store.details).toMatchObject({
      access: 'read',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      appendRecords: expect.stringMatching(/^(yes|no)$/),
      encrypted: 'no',
    });
    expect(store.shared).toMatchObject({ lag: expect.any(Array), owners: expect.any(Array) });
    const setting = configuration.find(({ key }) => key === 'store');
    expect(setting).toMatchObject({ source: 'ECL_STORE', value: expect.stringContaining('***@') });
    expect(stdout + stderr).not.toContain('s3cr');
  });

  test('says so where the server is not there, and keeps the password to itself', async () => {
    const { code, stdout, stderr } = await doctor('kurrentdb://ecl:s3cr%40t@127.0.0.1:9?tls=false');
    expect(code).toBe(1);
    expect(stdout).toContain('The store kurrentdb://***@127.0.0.1:9?tls=false is unavailable');
    expect(stdout + stderr).not.toContain('s3cr');
  });

  test('names what is wrong with a connection string without quoting its secrets', async () => {
    const { code, stderr } = await doctor('kurrentdb://ecl:s3cr@t@host:port:2113');
    expect(code).toBe(2);
    expect(stderr).toContain('is no connection string');
    expect(stderr).not.toContain('s3cr');
  });
});
