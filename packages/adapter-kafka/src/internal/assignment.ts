/** Shares partitions out evenly: any two members differ by one at most. The same members get the same, in any order. */
export function assign(members: readonly string[], partitions: readonly number[]): Map<string, number[]> {
  const sorted = [...members].sort();
  const shares = new Map<string, number[]>(sorted.map((member) => [member, []]));
  partitions.forEach((partition, index) => {
    shares.get(sorted[index % sorted.length] as string)?.push(partition);
  });
  return shares;
}
