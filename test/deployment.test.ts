/**
 * docker-compose.yml, the Dockerfile and what they name: whatever can be held without a container engine. The health
 * check of a node is run as it stands, against a server that behaves as one that starts.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseConnectionString } from '../src/adapters/kurrentdb/connection-string.ts';
import { knownVariables } from '../src/config.ts';
import { portDefault } from '../src/composition/serving.ts';
import { run } from './durability/processes.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly profiles?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[] | Readonly<Record<string, { ipv4_address: string }>>;
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
}

const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};
const services = Object.entries(compose.services);
const nodes = services.filter(([name]) => name.startsWith('kurrentdb'));
const cluster = nodes.filter(([, { profiles = [] }]) => profiles.includes('cluster'));
const servers = services.filter(([name]) => name.startsWith('ecl'));

/** As the engine fills them in, where nobody has set anything. */
const filled = (text: string): string =>
  text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1').replaceAll('$$', '$');

describe('docker-compose.yml', () => {
  test('pins every image to a version', () => {
    for (const [name, { image, build }] of services) {
      if (build === undefined)
        expect([name, image]).toEqual([name, expect.stringMatching(/:\d+\.\d+\.\d+$/)]);
    }
  });

  test('publishes on the loopback interface only, each port once', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? []);
    const published = ports.map((port) => /^127\.0\.0\.1:(\d+):\d+$/.exec(port)?.[1]);
    expect(published).not.toContain(undefined);
    expect(new Set(published).size).toBe(published.length);
    for (const [, { ports: own = [] }] of servers) {
      expect(own[0]).toMatch(new RegExp(`:${portDefault}$`));
    }
  });

  test('keeps the data of every node and server in a volume that is declared', () => {
    const used = services.flatMap(([, { volumes = [] }]) =>
      volumes.map((each) => each.split(':')[0]!),
    );
    expect([...new Set(used)].toSorted()).toEqual(Object.keys(compose.volumes).toSorted());
    for (const [, { volumes = [] }] of nodes) {
      expect(volumes.some((volume) => volume.endsWith(':/var/lib/kurrentdb'))).toBe(true);
    }
    for (const [, { volumes = [] }] of servers) {
      expect(volumes.some((volume) => volume.endsWith(':/data'))).toBe(true);
    }
  });

  test('starts a server when the nodes that it needs have taken an append', () => {
    for (const [, { depends_on = {}, environment = {} }] of servers) {
      const { nodes: named } = parseConnectionString(filled(environment['ECL_STORE']!));
      for (const [name, { condition }] of Object.entries(depends_on)) {
        expect(condition).toBe('service_healthy');
        expect(named).toContain(name);
        expect(compose.services[name]!.healthcheck!.test[1]).toContain('/streams/');
      }
    }
  });

  test('sets variables that ECL knows', () => {
    const names = servers.flatMap(([, { environment = {} }]) => Object.keys(environment));
    expect(names.filter((name) => !knownVariables.includes(name))).toEqual([]);
  });

  test('encrypts between three nodes that seed each other at addresses that their certificates hold', () => {
    expect(cluster).toHaveLength(3);
    const command = JSON.stringify(compose.services['certificates']);
    for (const [name, { environment = {}, networks }] of cluster) {
      const seeds = environment['KURRENTDB_GOSSIP_SEED']!.split(',');
      const others = cluster
        .map(([other]) => `${other}:2113`)
        .filter((other) => !other.startsWith(name));
      expect(seeds.toSorted()).toEqual(others.toSorted());
      const address = environment['KURRENTDB_REPLICATION_IP'];
      expect(networks).toEqual({ cluster: { ipv4_address: address } });
      const number = name.at(-1)!;
      expect(address).toBe(`172.30.240.1${number}`);
      expect(environment['KURRENTDB_CERTIFICATE_FILE']).toBe(`/certs/node${number}/node.crt`);
      expect(environment).not.toHaveProperty('KURRENTDB_INSECURE');
      expect(command).toContain('172.30.240.1$$n');
      expect(command).toContain('kurrentdb-$$n');
    }
    const { environment = {} } = compose.services['ecl-cluster']!;
    const parsed = parseConnectionString(filled(environment['ECL_STORE']!));
    expect(parsed).toMatchObject({ isCluster: true, isEncrypted: true });
    expect(parsed.shown).not.toContain('changeit');
  });
});

describe('the health check of a node', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ecl-health-'));
  const running: Server[] = [];
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
    for (const server of running) server.close();
  });

  /** A node that is alive, and takes appends or does not. */
  const node = async (): Promise<{
    port: number;
    appends: string[];
    state: { takes: boolean };
  }> => {
    const appends: string[] = [];
    const state = { takes: false };
    const server = createServer((request, response) => {
      if (request.method === 'POST') {
        if (state.takes) appends.push(String(request.headers['es-eventid']));
        response.statusCode = state.takes ? 201 : 503;
      } else response.statusCode = 204;
      request.resume();
      response.end();
    });
    running.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { port: (server.address() as AddressInfo).port, appends, state };
  };

  test('waits for an append, and makes one only', async () => {
    const { port, appends, state } = await node();
    const [, command] = compose.services['kurrentdb']!.healthcheck!.test;
    const shell = filled(command!)
      .replaceAll('localhost:2113', `127.0.0.1:${port}`)
      .replaceAll('/tmp/appended', join(folder, 'appended'));
    const check = async (): Promise<number | null> =>
      (await run(['-c', shell], { program: 'sh' }).exit).code;
    expect(await check()).not.toBe(0);
    state.takes = true;
    expect(await check()).toBe(0);
    expect(await check()).toBe(0);
    expect(appends).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
  });

  test('of a cluster is shell that can be read', () => {
    for (const [, { healthcheck }] of cluster) {
      const { status, stderr } = spawnSync('sh', ['-n', '-c', filled(healthcheck!.test[1]!)]);
      expect([status, String(stderr)]).toEqual([0, '']);
    }
  });
});

describe('the Dockerfile', () => {
  const lines = read('Dockerfile')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));

  test('builds on images of an exact version', () => {
    for (const line of lines.filter((each) => each.startsWith('FROM '))) {
      expect(line).toMatch(/^FROM node:\d+\.\d+\.\d+-bookworm-slim( AS \w+)?$/);
    }
  });

  test('copies what is there, and what .dockerignore lets through', () => {
    const allowed = new Set(
      read('.dockerignore')
        .split('\n')
        .filter((line) => line.startsWith('!'))
        .map((line) => line.slice(1)),
    );
    const copied = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from'))
      .flatMap((line) => line.split(' ').slice(1, -1));
    expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    expect(copied.filter((path) => !allowed.has(path))).toEqual([]);
  });

  test('runs the server as a user without rights, on the port that its health check asks', () => {
    const text = last.join('\n');
    expect(text.indexOf('USER node')).toBeGreaterThan(0);
    expect(text.indexOf('USER node')).toBeLessThan(text.indexOf('ENTRYPOINT'));
    expect(text).toContain(`EXPOSE ${portDefault}`);
    expect(text).toContain(`http://127.0.0.1:${portDefault}/health/ready`);
    expect(text).toContain('CMD ["serve", "--host", "0.0.0.0"]');
  });

  test('takes with it all packages that the built package imports', () => {
    const { dependencies, peerDependencies } = JSON.parse(read('package.json')) as {
      dependencies: Record<string, string>;
      peerDependencies: Record<string, string>;
    };
    const lock = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { dev?: boolean; dependencies?: object }>;
    };
    for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
      const { dev = false, dependencies: own } = lock.packages[`node_modules/${name}`]!;
      if (!dev) continue;
      // Left out with the packages of development: then the image takes it from the build.
      expect(lines).toContain(`COPY --from=build /app/node_modules/${name} node_modules/${name}`);
      expect(own).toBeUndefined();
    }
  });
});
