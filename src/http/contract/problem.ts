/** Errors over HTTP: problem documents (RFC 9457) that carry the code of the catalogue. */
import { z } from 'zod';

export const problemMediaType = 'application/problem+json';

export const Problem = z
  .object({
    type: z.string().meta({ description: 'urn:ecl:problem:<code>' }),
    title: z.string().meta({ description: 'What the status means' }),
    status: z.number().int(),
    detail: z.string().meta({ description: 'What happened, in one line' }),
    code: z.string().meta({ description: 'Stable; the codes stand in docs/errors.md' }),
    details: z.record(z.string(), z.unknown()).optional().meta({
      description: 'The values in it; for signal.not-now `events` are those possible now',
    }),
    requestId: z.string().optional().meta({ description: 'Stands in the log of the server too' }),
  })
  .meta({ id: 'Problem', description: 'An error, as RFC 9457 has it' });
export type Problem = z.infer<typeof Problem>;
