/**
 * Shares partitions among members: sizes differ by at most one, and a partition stays where it is unless balance demands a
 * move, because every move waits for running handlers.
 *
 * @param current the member each partition stands with now; members that are gone count as none
 * @param members in the order they joined
 * @returns the member each partition belongs to; all undefined without members
 */
export function assign<M>(current: readonly (M | undefined)[], members: readonly M[]): (M | undefined)[] {
  if (members.length === 0) return current.map(() => undefined);
  const room = quotas(current, members);
  const target = current.map((member) => {
    const left = member === undefined ? 0 : (room.get(member) ?? 0);
    if (member === undefined || left === 0) return undefined;
    room.set(member, left - 1);
    return member;
  });
  const free = [...room].flatMap(([member, left]) => new Array<M>(left).fill(member)).values();
  return target.map((member) => member ?? (free.next().value as M));
}

/** How many partitions each member gets; those that hold most get the odd ones, so that fewer move. */
function quotas<M>(current: readonly (M | undefined)[], members: readonly M[]): Map<M, number> {
  const held = new Map<M, number>(members.map((member) => [member, 0]));
  for (const member of current) {
    if (member !== undefined && held.has(member)) held.set(member, (held.get(member) ?? 0) + 1);
  }
  const ranked = [...held].sort(([, a], [, b]) => b - a).map(([member]) => member);
  const odd = current.length % members.length;
  const even = Math.floor(current.length / members.length);
  return new Map(ranked.map((member, rank) => [member, rank < odd ? even + 1 : even]));
}
