import { describe, expect, test } from 'vitest';
import { allElements, readXml, textOf } from '../xml.ts';
import { startServer } from './kit.ts';

describe('GET /api/v1/workflows/{id}?format=', () => {
  test.each([
    ['stately', 'setup({'],
    ['mermaid', 'stateDiagram-v2'],
    ['svg', '<svg xmlns="http://www.w3.org/2000/svg"'],
  ])('%s gives the machine as text in a document', async (format, beginning) => {
    const server = await startServer();
    const answer = await server.fetch(`/api/v1/workflows/offer?format=${format}`);
    expect(answer.headers.get('content-type')).toBe('application/json');
    const document = (await answer.json()) as { content: string };
    expect(document).toMatchObject({ workflow: 'offer', version: '1.0.0', format });
    expect(document.content).toContain(beginning);
  });

  test('svg is the drawing itself for who accepts one, and may do nothing in a page', async () => {
    const server = await startServer();
    const headers = { accept: 'image/avif,image/svg+xml,*/*;q=0.8' };
    const ask = (): Promise<Response> =>
      server.fetch('/api/v1/workflows/offer?format=svg', { headers });
    const answer = await ask();
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('image/svg+xml');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    const drawing = await answer.text();
    expect(allElements(readXml(drawing)).map(textOf)).toContain('offer 1.0.0');
    expect(await (await ask()).text()).toBe(drawing);
  });

  test('another word is a 400 that names those there are', async () => {
    const server = await startServer();
    const answer = await server.fetch('/api/v1/workflows/offer?format=png');
    expect(answer.status).toBe(400);
    expect(await answer.text()).toMatch(/stately.*json.*mermaid.*svg/);
  });
});
