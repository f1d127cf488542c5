/** Workflows that runs can be started of, and their machines for other tools. */
import { z } from 'zod';
import { exportFormats } from '../../core/export-formats.ts';
import type { Api, ServedWorkflow } from '../api.ts';
import { pageOf } from '../contract/page.ts';
import { Workflow, WorkflowExport } from '../contract/status.ts';
import { answersJson, problems, route, type Route } from '../route.ts';

const jsonSchema = (schema: z.ZodType | undefined): unknown =>
  schema === undefined ? null : z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });

const documentOf = ({ workflow, origin }: ServedWorkflow): z.infer<typeof Workflow> => ({
  id: workflow.id,
  version: workflow.version,
  description: workflow.description ?? null,
  // Where modules lie on the server's disk is no client's business.
  origin: origin === 'built-in' ? origin : (origin.split(/[/\\]/).at(-1) ?? origin),
  input: jsonSchema(workflow.input),
});

const svgMediaType = 'image/svg+xml';

const WorkflowPath = z.object({
  id: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,62}$/)
    .meta({ description: 'Id of a workflow' }),
});

const listWorkflows = ({ workflows }: Api): Route =>
  route({
    method: 'get',
    path: '/api/v1/workflows',
    operationId: 'listWorkflows',
    tag: 'Workflows',
    summary: 'Workflows that runs can be started of',
    scope: 'read',
    answers: {
      200: answersJson(pageOf(Workflow, 'WorkflowPage'), 'All workflows'),
      ...problems(),
    },
    handle: async (context) => {
      const all = await workflows.all();
      return context.json({ items: all.map(documentOf) });
    },
  });

const getWorkflow = ({ workflows, exportWorkflow }: Api): Route =>
  route({
    method: 'get',
    path: '/api/v1/workflows/{id}',
    operationId: 'getWorkflow',
    tag: 'Workflows',
    summary: 'A workflow, or with `format` its machine for another tool',
    scope: 'read',
    takes: {
      params: WorkflowPath,
      query: z.strictObject({ format: z.enum(exportFormats).optional() }),
    },
    answers: {
      200: {
        description:
          'The workflow; with `format=svg` and `Accept: image/svg+xml` the drawing itself',
        content: {
          'application/json': z.union([Workflow, WorkflowExport]),
          [svgMediaType]: z.string(),
        },
      },
      ...problems(404),
    },
    handle: async (context, { params, query }) => {
      const found = await workflows.find(params.id);
      const { format } = query;
      if (format === undefined) return context.json(documentOf(found));
      const { id, version } = found.workflow;
      const content = await exportWorkflow(format, found.workflow);
      if (format === 'svg' && context.req.header('accept')?.includes(svgMediaType) === true) {
        return context.body(String(content), 200, {
          'Content-Type': svgMediaType,
          // It needs its own style and nothing else, whatever its machine is called.
          'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
        });
      }
      return context.json({ workflow: id, version, format, content });
    },
  });

export const workflowRoutes = (api: Api): Route[] => [listWorkflows(api), getWorkflow(api)];
