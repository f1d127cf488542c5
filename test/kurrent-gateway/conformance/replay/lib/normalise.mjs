// What varies between two runs becomes a symbol: positions p1 < p2 < ..., uuids id-1, id-2, ... in order of appearance,
// times by kind, the scenario's stream prefix ~, the server's address <host>:<port>.

const POSITION_KEYS = new Set([
  'commitPosition',
  'preparePosition',
  'commit',
  'prepare',
  'position',
  'metastreamRevision',
]);
const NO_POSITION = '18446744073709551615';

/** Marks a log position for the ordering pass. Zero and "no position" are constants and stay what they are. */
export function mark(position) {
  const digits = String(position);
  if (digits === NO_POSITION) return 'max';
  return digits === '0' ? '0' : `⟦${digits}⟧`;
}

/** Any value as JSON-ready data: bigint as "3n", dates by kind, bytes as text, positions marked, undefined dropped. */
export function encode(value, key) {
  if (POSITION_KEYS.has(key) && /^\d+$/.test(String(value))) return mark(value);
  if (key === 'created' && /^\d{17,19}$/.test(String(value))) return '<ticks>';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return '<function>';
  if (typeof value === 'string') {
    if (value.length > 400) return `<${value.length} characters>`;
    return value.replace(
      /^C:(\d+)\/P:(\d+)$/,
      (_, commit, prepare) => `C:${mark(commit)}/P:${mark(prepare)}`,
    );
  }
  if (value >= 2 ** 63) return 'max';
  if (value instanceof Date) return '<date>';
  if (value instanceof Uint8Array)
    return value.length > 400
      ? `<${value.length} bytes>`
      : `bytes:${Buffer.from(value).toString('utf8')}`;
  if (Array.isArray(value))
    return value.length > 200 ? `<${value.length} items>` : value.map((item) => encode(item));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([name, item]) => [name, encode(item, name)]),
  );
}

/** Turns the marked entries of one scenario into JSON lines without anything that varies. */
export function normalise(entries, { prefix, host, port }) {
  let lines = entries.map((entry) => JSON.stringify(entry)).join('\n');
  const positions = [...new Set([...lines.matchAll(/⟦(\d+)⟧/g)].map(([, digits]) => digits))].sort(
    (a, b) => (BigInt(a) < BigInt(b) ? -1 : 1),
  );
  const symbols = new Map(positions.map((digits, index) => [digits, `p${index + 1}`]));
  lines = lines.replace(/⟦(\d+)⟧/g, (_, digits) => symbols.get(digits));
  lines = lines.replace(/"message":"(?:[^"\\]|\\.)*"/g, (message) =>
    message
      .replace(/\b\d{3,}\b/g, (digits) => symbols.get(digits) ?? digits)
      .replace(/(checkpoint|position) \d{3,}/g, '$1 <position>'),
  );
  const ids = new Map();
  lines = lines.replace(/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g, (id) => {
    if (!/^[0-]+$/.test(id) && !ids.has(id)) ids.set(id, `id-${ids.size + 1}`);
    return ids.get(id) ?? id;
  });
  return lines
    .replaceAll(prefix, '~')
    .replaceAll(`"address":"${host}"`, '"address":"<host>"')
    .replaceAll(`"port":${port}`, '"port":"<port>"')
    .replaceAll(`${host}:${port}`, '<host>:<port>')
    .split('\n');
}
