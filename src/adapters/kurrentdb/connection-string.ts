/**
 * The connection string, as the client gets it and as people may see it.
 *
 * 1. What is shown holds neither user nor password; everything that a connection string is quoted in is shown that way.
 */
import { EclError } from '../../core/errors.ts';

const form =
  /^(?<scheme>kurrentdb|kurrent|kdb|esdb)(?<discover>\+discover)?:\/\/(?:(?<credentials>[^@/?]*)@)?(?<hosts>[^/?@]+)\/?(?:\?(?<query>.*))?$/i;

export interface ConnectionString {
  /** With everything in it: for the client only. */
  readonly full: string;
  /** For logs, errors and people. */
  readonly shown: string;
  /** The nodes, in one order however they are written: what is kept of a server on this machine is kept by it. */
  readonly nodes: string;
  readonly isCluster: boolean;
  readonly isEncrypted: boolean;
}

/** A text without what stands between `://` and `@`. */
export const redacted = (text: string): string => text.replaceAll(/:\/\/[^\s]*@/g, '://***@');

/** @throws EclError `config.invalid` */
export const parseConnectionString = (text: string): ConnectionString => {
  const groups = form.exec(text)?.groups;
  const { scheme, hosts } = groups ?? {};
  if (groups === undefined || scheme === undefined || hosts === undefined) {
    const issues = `store: "${redacted(text)}" is no connection string; write kurrentdb://host:2113?tls=false, or kurrentdb://user:password@host1,host2,host3 for a cluster (special characters of a password as %40)`;
    throw new EclError('config.invalid', { issues });
  }
  const { credentials, discover = '', query = '' } = groups;
  const isCluster = discover !== '' || hosts.includes(',');
  // Without an exception a refused append looks like one that was stored.
  const parameters = query
    .split('&')
    .filter((one) => one !== '' && !/^throwOnAppendFailure=/i.test(one));
  const names = new Map(parameters.map((one) => one.split('=') as [string, string]));
  const given = (name: string): string | undefined =>
    [...names].find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
  // The client's native part waits for this long before it connects for the first time.
  const interval = given('discoveryInterval') === undefined && !isCluster;
  const address = `${hosts}${parameters.length === 0 ? '' : `?${parameters.join('&')}`}`;
  const begin = `kurrentdb${discover}://`;
  const separator = parameters.length === 0 ? '?' : '&';
  return {
    full: `${begin}${credentials === undefined ? '' : `${credentials}@`}${address}${interval ? `${separator}discoveryInterval=10` : ''}`,
    shown: `${begin}${credentials === undefined ? '' : '***@'}${address}`,
    nodes: hosts.toLowerCase().split(',').toSorted().join(','),
    isCluster,
    isEncrypted: given('tls')?.toLowerCase() !== 'false',
  };
};
