import type { ContractCase } from '../case.js';
import { law01 } from './law-01-durable-send.js';
import { law01subscribers } from './law-01-subscribers.js';
import { law02 } from './law-02-fidelity.js';
import { law02limits } from './law-02-limits.js';
import { law02names } from './law-02-names.js';
import { law03 } from './law-03-at-least-once.js';
import { law03deduplication } from './law-03-deduplication.js';
import { law03volume } from './law-03-volume.js';
import { law04broadcast } from './law-04-broadcast.js';
import { law04 } from './law-04-groups.js';
import { law05 } from './law-05-start-position.js';
import { law06cutOff } from './law-06-cut-off.js';
import { law06 } from './law-06-order-by-key.js';
import { law07hold } from './law-07-hold.js';
import { law07 } from './law-07-redelivery.js';
import { law07release } from './law-07-release.js';
import { law07releaseFaults } from './law-07-release-faults.js';
import { law07retry } from './law-07-retry.js';
import { law07storms } from './law-07-storms.js';
import { law08brokerLimits } from './law-08-broker-limits.js';
import { law08 } from './law-08-dead-letter.js';
import { law08keeping } from './law-08-keeping.js';
import { law08kept } from './law-08-kept-letters.js';
import { law09interrupted } from './law-09-interrupted.js';
import { law09letters } from './law-09-letters.js';
import { law09redrive } from './law-09-redrive.js';
import { law10cancel } from './law-10-cancel.js';
import { law10 } from './law-10-delay.js';
import { law10fidelity } from './law-10-fidelity.js';
import { law10restart } from './law-10-restart.js';
import { law12 } from './law-12-batch.js';
import { law14 } from './law-14-backpressure.js';
import { law14credit } from './law-14-credit.js';
import { law15leaks } from './law-15-leaks.js';
import { law15 } from './law-15-lifecycle.js';
import { law16closing } from './law-16-closing.js';
import { law16connections } from './law-16-connections.js';
import { law16deletedTopic } from './law-16-deleted-topic.js';
import { law16 } from './law-16-health.js';
import { law16network } from './law-16-network.js';
import { law16overview } from './law-16-overview.js';
import { law16recovery } from './law-16-recovery.js';
import { law17claims } from './law-17-claims.js';
import { law17 } from './law-17-errors.js';
import { sabotage } from './sabotage.js';

/** Every case of the contract, by law. */
export const cases: readonly ContractCase[] = [
  ...law01,
  ...law01subscribers,
  ...law02,
  ...law02limits,
  ...law02names,
  ...law03,
  ...law03volume,
  ...law03deduplication,
  ...law04,
  ...law04broadcast,
  ...law05,
  ...law06,
  ...law06cutOff,
  ...law07,
  ...law07retry,
  ...law07hold,
  ...law07release,
  ...law07releaseFaults,
  ...law07storms,
  ...law08,
  ...law08kept,
  ...law08keeping,
  ...law08brokerLimits,
  ...law09letters,
  ...law09redrive,
  ...law09interrupted,
  ...law10,
  ...law10cancel,
  ...law10restart,
  ...law10fidelity,
  ...law12,
  ...law14,
  ...law14credit,
  ...law15,
  ...law15leaks,
  ...law16,
  ...law16recovery,
  ...law16closing,
  ...law16overview,
  ...law16network,
  ...law16connections,
  ...law16deletedTopic,
  ...law17,
  ...law17claims,
  ...sabotage,
];
