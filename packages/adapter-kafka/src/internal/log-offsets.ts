import type { Leaders } from './leaders.js';
import type { Link } from './link.js';

const AT = Object.freeze({ latest: -1, earliest: -2 });
/** What open transactions wrote does not count yet. */
export const READ_COMMITTED = 1;
const NO_REPLICA = -1;

/** First or next offset of each of `partitions`. */
export async function logOffsets(
  link: Link,
  leaders: Leaders,
  topic: string,
  at: keyof typeof AT,
  partitions: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  const byNode = new Map<number | undefined, number[]>();
  for (const partition of partitions) {
    const node = leaders.of(partition);
    byNode.set(node, [...(byNode.get(node) ?? []), partition]);
  }
  const answers = await Promise.all(
    [...byNode.values()].map(async (led) => {
      const broker = await leaders.broker(link, led[0] as number);
      const { responses } = await broker.listOffsets({
        replicaId: NO_REPLICA,
        isolationLevel: READ_COMMITTED,
        topics: [{ topic, partitions: led.map((partition) => ({ partition, timestamp: AT[at] })) }],
      });
      return responses.flatMap((response) => response.partitions);
    }),
  );
  return new Map(answers.flat().map(({ partition, offset }) => [partition, Number(offset)]));
}
