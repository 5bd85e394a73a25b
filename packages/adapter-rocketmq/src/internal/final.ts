import type { TopicSpec } from '@anymq/core/adapter';
import { classify, fault, StatusError } from '../errors.js';
import type { Topology } from '../topology.js';

/** What a receive has failed with, if none can succeed any more until somebody changes something; else undefined. */
export async function finalFault(
  error: unknown,
  { name, oneLane }: TopicSpec,
  topology: Pick<Topology, 'exists'>,
): Promise<unknown> {
  if (classify(error).code === 'UNAUTHORISED') return error;
  // Of a topic that was deleted proxies say this and that, errors of their own too; the only broker of a lane may be away.
  if (!(error instanceof StatusError) || oneLane === true) return undefined;
  const there = await topology.exists(name).catch(() => true);
  return there ? undefined : fault('NOT_FOUND', `Topic '${name}' was deleted from RocketMQ.`, error);
}
