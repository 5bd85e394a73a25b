import type { ContractCase } from '../case.js';
import { law01 } from './law-01-durable-send.js';
import { law02 } from './law-02-fidelity.js';
import { law03 } from './law-03-at-least-once.js';
import { law04 } from './law-04-groups.js';
import { law05 } from './law-05-start-position.js';
import { law06 } from './law-06-order-by-key.js';
import { law07 } from './law-07-redelivery.js';
import { law12 } from './law-12-batch.js';
import { law14 } from './law-14-backpressure.js';
import { law15 } from './law-15-lifecycle.js';
import { law16 } from './law-16-health.js';
import { law17 } from './law-17-errors.js';

/** Every case of the contract, by law. */
export const cases: readonly ContractCase[] = [
  ...law01,
  ...law02,
  ...law03,
  ...law04,
  ...law05,
  ...law06,
  ...law07,
  ...law12,
  ...law14,
  ...law15,
  ...law16,
  ...law17,
];
