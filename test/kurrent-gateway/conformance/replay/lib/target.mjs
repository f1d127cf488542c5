// The server under test: its address, raw clients and one official client, from any of the usual spellings of a URL.
import { createRequire } from 'node:module';
import { openRaw } from './wire.mjs';

export const kurrent = createRequire(import.meta.url)('@kurrent/kurrentdb-client');

/** @param {string} url `host:port`, `http://host:port` or a connection string; the connection is always insecure. */
export function openTarget(url, { timeoutMs = 60_000 } = {}) {
  const { hostname: host, port: given } = new URL(
    /:\/\//.test(url) ? url.replace(/^[\w+]+:/, 'http:') : `http://${url}`,
  );
  const port = given || '2113';
  const connectionString = (query = '', scheme = 'kurrentdb') =>
    `${scheme}://${host}:${port}?tls=false&discoveryInterval=10${query}`;
  const open = (query, scheme) =>
    kurrent.KurrentDBClient.connectionString(connectionString(query, scheme));
  const raw = openRaw(`${host}:${port}`);
  const ready = (ms) =>
    new Promise((resolve, reject) =>
      raw.generic.waitForReady(Date.now() + ms, (error) =>
        error ? reject(new Error(`nothing answers at ${host}:${port}`)) : resolve(),
      ),
    );
  return {
    host,
    port,
    timeoutMs,
    raw,
    ready,
    client: open(),
    open,
    close: () => Object.values(raw).forEach((one) => one.close()),
  };
}
