/** The port in `--port`. */
import { EclError } from '../core/errors.ts';

/** @throws EclError `usage.invalid` */
export const readPort = (text: string): number => {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  const reason = `--port takes a whole number from 0 to 65535, not "${text}"`;
  throw new EclError('usage.invalid', { reason });
};
