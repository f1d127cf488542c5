/** Lists over HTTP: a page of items, and a cursor where there are more. */
import { z } from 'zod';

export const pageOf = <Item extends z.ZodType>(item: Item, id: string) =>
  z
    .object({
      items: z.array(item),
      nextCursor: z.string().optional().meta({ description: 'Gives the next page' }),
    })
    .meta({ id });

export const Limit = z.coerce
  .number()
  .int()
  .min(1)
  .max(1000)
  .optional()
  .meta({ description: 'Items of the page; 50 where it is left out' });

export const limitDefault = 50;

export const Cursor = z
  .string()
  .max(512)
  .optional()
  .meta({ description: '`nextCursor` of the page before' });

const positionPattern = /^\d{1,19}$/;

export const Position = z
  .string()
  .regex(positionPattern)
  .optional()
  .meta({ description: 'The answer shows all that is stored up to this position of an event' });
