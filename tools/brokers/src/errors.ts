/** A sentence for the person at the terminal; shown without a stack. */
export class BrokerError extends Error {
  override readonly name: string = 'BrokerError';
}

/** This machine lacks what a broker needs (a JDK, Maven, RabbitMQ's package): a reason to skip a test, not to fail it. */
export class MissingTool extends BrokerError {
  override readonly name = 'MissingTool';
}
