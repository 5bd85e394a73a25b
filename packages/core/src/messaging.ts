import type { Messaging, MessagingOptions } from './contract.js';
import { MessagingError } from './errors.js';

export async function createMessaging(_options: MessagingOptions = {}): Promise<Messaging> {
  throw new MessagingError('INTERNAL', 'being written');
}
