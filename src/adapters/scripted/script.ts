/**
 * The script of a scripted model: what it answers to what. It is data, checked when it is read; it runs nothing.
 *
 * A file is JSON (a list), JSON lines or YAML, told by its ending.
 */
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { z } from 'zod';
import { EclError, errorCatalogue, type ErrorCode } from '../../core/errors.ts';
import { unreadableFile } from '../../core/unreadable-file.ts';

const ModelErrorCode = z
  .string()
  .refine((code) => code.startsWith('model.') && Object.hasOwn(errorCatalogue, code), {
    message: 'it is no model.* code of the error catalogue',
  })
  .transform((code) => code as ErrorCode);

const Count = z.number().int().nonnegative();

const ScriptedReply = z.strictObject({
  text: z.string().optional(),
  /** The text of the reply is its JSON. */
  object: z.unknown().optional(),
  toolCalls: z
    .array(
      z.strictObject({
        id: z.string().optional(),
        name: z.string(),
        input: z.unknown().optional(),
      }),
    )
    .optional(),
  usage: z
    .strictObject({
      inputTokens: Count,
      outputTokens: Count,
      cacheReadTokens: Count.exactOptional(),
      cacheWriteTokens: Count.exactOptional(),
    })
    .optional(),
  stopReason: z.enum(['end', 'max-tokens', 'tool-use', 'stop-sequence']).optional(),
  /** The model the reply names. @default 'scripted' */
  model: z.string().optional(),
});

/** One entry of a script. */
export const ScriptEntry = z
  .strictObject({
    match: z
      .strictObject({
        /** Stands anywhere in the system text, the messages or the documents. */
        contains: z.string().optional(),
        /** The name of the requested output. */
        schema: z.string().optional(),
      })
      .optional(),
    reply: ScriptedReply.optional(),
    error: z.strictObject({ code: ModelErrorCode, retryAfterMs: Count.optional() }).optional(),
    delayMs: Count.optional(),
    /** @default 1 */
    times: z.union([z.number().int().positive(), z.literal('always')]).optional(),
  })
  .refine((entry) => (entry.reply === undefined) !== (entry.error === undefined), {
    message: 'an entry has either a reply or an error',
  });
export type ScriptEntry = z.infer<typeof ScriptEntry>;

/** A script as it is written. */
export type Script = readonly z.input<typeof ScriptEntry>[];

const ScriptFile = z.union([
  z.array(ScriptEntry),
  z.strictObject({ entries: z.array(ScriptEntry) }),
]);

/** @throws EclError `input.invalid` */
export const checkScript = (script: unknown, what: string): ScriptEntry[] => {
  const list = Array.isArray(script) ? z.array(ScriptEntry) : ScriptFile;
  const parsed = list.safeParse(script);
  if (parsed.success) return Array.isArray(parsed.data) ? parsed.data : parsed.data.entries;
  const issues = parsed.error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.') || 'the script'}: ${issue.message}`)
    .join('; ');
  throw new EclError('input.invalid', { what, issues });
};

const parseText = async (text: string, ending: string): Promise<unknown> => {
  if (ending === '.yaml' || ending === '.yml') {
    const { parse } = await import('yaml');
    return parse(text) as unknown;
  }
  if (ending === '.jsonl' || ending === '.ndjson') {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    return lines.map((line) => JSON.parse(line) as unknown);
  }
  return JSON.parse(text) as unknown;
};

/** @throws EclError `input.file-missing`, `input.invalid` */
export const readScript = async (path: string): Promise<ScriptEntry[]> => {
  const what = `the script ${path}`;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw unreadableFile(path, error);
  }
  let script: unknown;
  try {
    script = await parseText(text, extname(path).toLowerCase());
  } catch (error) {
    const issues = error instanceof Error ? error.message : String(error);
    throw new EclError('input.invalid', { what, issues }, { cause: error });
  }
  return checkScript(script, what);
};
