/**
 * Milliseconds between the moment when a member that is cut off from its broker tells its handlers to stop, and the earliest
 * moment at which another member may be given what they have. A handler that ends in that time never overlaps with another of its
 * key. Of a lease this much is not used; where the broker gives messages away as soon as a connection breaks, who gets them waits
 * this long. It is a tenth of the leases that adapters ask real brokers for (10 s and more).
 */
export const HANDOVER_MS = 1_000;
