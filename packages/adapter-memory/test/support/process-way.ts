import { createMemoryBroker, memory } from '../../src/index.js';

const broker = createMemoryBroker({ leaseMs: 1_000 });
const away = createMemoryBroker({ leaseMs: 1_000 });
away.setAvailability('unavailable');

/** For a process of its own: all that it configures meets in it. */
export const configure = ({ there }: { readonly there?: boolean }) => memory({ broker: there ? broker : away });
