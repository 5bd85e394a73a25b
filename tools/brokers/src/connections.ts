import { readFileSync } from 'node:fs';

/** Linux's table of TCP sockets; brokers that listen on all interfaces stand in the second one. */
const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];
const ESTABLISHED = '01';

/** Connections that stand between clients and a port of this machine, as the system sees them. */
export function connectionsTo(port: number): number {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = TABLES.flatMap((table) => readFileSync(table, 'utf8').split('\n').slice(1));
  return rows.filter((row) => {
    const [, local = '', , state] = row.trim().split(/\s+/);
    return local.endsWith(suffix) && state === ESTABLISHED;
  }).length;
}
