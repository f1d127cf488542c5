/**
 * Part of the composition root: what every logger of ECL has in common, above all what it never writes.
 *
 * 1. Fields that hold keys, headers of access, prompts or answers are censored by their names, at any depth: paths, as
 *    pino's own redaction wants them, are not known of what a step logs.
 * 2. The secrets of this process, and what has the form of one, are masked wherever they stand in a line.
 * 3. Of an error whose message may quote an answer or an input only the code is told, and never a cause: a provider's
 *    error may quote the whole request.
 */
import pino, { type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import { environment } from '../config.ts';
import { EclError, errorCatalogue } from '../core/errors.ts';

const censored = '[redacted]';

/** In lower case, without what separates words. */
const censoredNames = new Set(
  `apikey xapikey authorization proxyauthorization cookie setcookie token accesstoken refreshtoken idtoken
  secret clientsecret password privatekey credentials connectionstring
  prompt prompts system messages documents completion request body
  reply answer text content contents output input previous feedback`.split(/\s+/),
);

/** Nobody reads deeper in a line. */
const depthMax = 8;

const isCensored = (name: string): boolean =>
  censoredNames.has(name.replaceAll(/[-_]/g, '').toLowerCase());

const censor = (value: unknown, depth: number): unknown => {
  if (typeof value !== 'object' || value === null || value instanceof Error) return value;
  if (depth > depthMax) return '…';
  if (Array.isArray(value)) return value.map((each) => censor(each, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  // A Date, a URL and their like say themselves how they are written.
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [
      name,
      isCensored(name) ? censored : censor(part, depth + 1),
    ]),
  );
};

/** What has the form of a secret: keys of providers and of ECL's server, headers, credentials in an address. */
const secretForms: readonly [RegExp, string][] = [
  [/\b(Bearer|Basic) +[\w.~+/=-]{8,}/gi, `$1 ${censored}`],
  [/\b(?:sk|ecl)[-_][\w-]{16,}/g, censored],
  [/:\/\/[^\s/@"\\]+:[^\s/@"\\]*@/g, `://${censored}@`],
];

const masked = (line: string, secrets: readonly string[]): string => {
  let text = line;
  for (const secret of secrets) text = text.replaceAll(secret, censored);
  for (const [form, instead] of secretForms) text = text.replaceAll(form, instead);
  return text;
};

/** Shorter ones would be found in words. */
const secretLengthMin = 8;

const secretsOfProcess = (): readonly string[] => {
  const { anthropicApiKey, openAiApiKey } = environment();
  return [anthropicApiKey, openAiApiKey].flatMap((secret) =>
    secret === undefined || secret.length < secretLengthMin ? [] : [secret.trim()],
  );
};

/** Beginnings of codes whose messages may quote what a model, a person or a step said. */
const quoting = ['model.', 'step.', 'rounds.', 'gate.', 'child.', 'run.', 'input.', 'event.'];

const toldError = (error: unknown): object => {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name: type, message, stack = '' } = error;
  if (!(error instanceof EclError)) return { type, message, stack };
  const { code } = error;
  if (!quoting.some((beginning) => code.startsWith(beginning))) {
    return { type, code, message, stack };
  }
  const frames = stack.split('\n').filter((line) => line.startsWith('    at '));
  return { type, code, message: errorCatalogue[code].message, stack: frames.join('\n') };
};

export interface EclLoggerOptions {
  readonly level: string;
  /** @default 'ecl' */
  readonly name?: string | undefined;
  /** @default stderr, in JSON lines */
  readonly destination?: DestinationStream;
}

/** A logger that writes no secret, no prompt and no answer. */
export const createLogger = (options: EclLoggerOptions): Logger => {
  const { level, name = 'ecl', destination } = options;
  const secrets = secretsOfProcess();
  const settings: LoggerOptions = {
    name,
    level,
    serializers: { err: toldError },
    formatters: { log: (line) => censor(line, 0) as Record<string, unknown> },
    hooks: { streamWrite: (line) => masked(line, secrets) },
  };
  return pino(settings, destination ?? pino.destination({ fd: 2, sync: true }));
};
