import type { Socket } from 'node:net';

/**
 * Ends a connection with a reset, as a host that is gone does. One that is just being ended is closed instead: libuv refuses to
 * reset it, Node 20 takes it for closed all the same, and the process then turns for ever in its own end.
 */
export function resetSocket(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}
