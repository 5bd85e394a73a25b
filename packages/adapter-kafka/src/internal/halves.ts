import type { Cluster, KafkajsConnection } from './wire.js';

/**
 * Forgets what connections that are not open have read of an answer. kafkajs keeps it when a connection breaks in the middle
 * of one, and puts what the next connection reads behind it: from then on no answer is ever recognised, and every request on
 * that connection ends in a time-out. To be called before a connection opens.
 */
export function forgetHalves({ brokerPool }: Cluster): void {
  const brokers = [...Object.values(brokerPool?.brokers ?? {}), brokerPool?.seedBroker];
  for (const connection of brokers.flatMap((broker) => broker?.connectionPool?.pool ?? [])) {
    if (!connection.isConnected()) forget(connection);
  }
}

function forget(connection: KafkajsConnection): void {
  connection.chunks = [];
  connection.bytesBuffered = 0;
  connection.bytesNeeded = SIZE_BYTES;
}

/** An answer begins with its size. */
const SIZE_BYTES = 4;
