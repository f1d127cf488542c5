/** The few HTTP answers of a node: whether it lives, what it is, and who belongs to its cluster. */
import type { RequestListener } from 'node:http';
import { protocolVersion, type Member } from './services/server.ts';

const json = 'application/json';

const info = {
  dbVersion: protocolVersion,
  esVersion: protocolVersion,
  state: 'leader',
  features: { projections: false, userManagement: false, atomPub: false },
  authentication: { type: 'insecure', properties: [] },
};

const gossip = ({ instanceId, address, now }: Member): object => {
  const { host, port } = address();
  return {
    members: [
      {
        instanceId,
        timeStamp: new Date(now()).toISOString(),
        state: 'Leader',
        isAlive: true,
        httpEndPointIp: host,
        httpEndPointPort: port,
        isReadOnlyReplica: false,
        esVersion: protocolVersion,
      },
    ],
    serverIp: host,
    serverPort: port,
  };
};

/** `?liveCode=200` asks for another code than 204, as some probes want it. */
const liveCode = (query: URLSearchParams): number => {
  const code = Number(query.get('liveCode'));
  return Number.isInteger(code) && code >= 200 && code <= 599 ? code : 204;
};

/** The HTTP API of a node, of which clients use a part where gRPC does not offer it. */
const apiPattern = /^\/(?:streams|subscriptions|projections?|users|admin|stats)(?:\/|$)/;

export const httpSide =
  (member: Member): RequestListener =>
  (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://gateway');
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const send = (code: number, body?: object): void => {
      if (body === undefined) response.writeHead(code).end();
      else response.writeHead(code, { 'content-type': json }).end(JSON.stringify(body));
    };
    if (apiPattern.test(pathname)) send(501);
    else if (!isRead) send(405);
    else if (pathname === '/health/live') send(liveCode(searchParams));
    else if (pathname === '/info') send(200, info);
    else if (pathname === '/gossip') send(200, gossip(member));
    else send(404);
  };
