import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';

const program = `
import { connect, createServer } from 'node:net';
import { resetSocket } from '${new URL('../src/faults/reset.js', import.meta.url).href}';
const server = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).resume());
server.listen(0, '127.0.0.1', () => {
  const client = connect(server.address());
  client.once('connect', () => {
    client.write('x');
    client.end();
    process.nextTick(() => resetSocket(client));
    server.close();
  });
  client.once('close', () => console.log('closed'));
});
server.on('connection', (socket) => socket.once('end', () => socket.destroy()));
`;

test('a process that resets a connection which is just being ended ends by itself', () => {
  const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { timeout: 10_000 });
  expect(String(stdout)).toBe('closed\n');
  expect(signal).toBeNull();
});
