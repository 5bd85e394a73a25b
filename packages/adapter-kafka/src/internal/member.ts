import type { GroupProtocol } from '../client.js';
import { typeOf } from '../errors.js';
import type { ParsedOptions } from '../options.js';
import { assign } from './assignment.js';
import { Coordinator } from './coordinator.js';
import type { Committer } from './group-store.js';
import type { Leaders } from './leaders.js';
import type { Link } from './link.js';
import type { JoinAnswer } from './wire.js';

/** Members of AnyMQ only: a plain Kafka consumer that comes with this group id is refused by the broker. */
const ASSIGNOR = 'anymq';

/** One generation of the group, as one member has it. */
export interface Membership extends Committer {
  readonly partitions: readonly number[];
  /** This member shares the partitions out. */
  readonly leads: boolean;
  /** Partitions that were shared out, if this member leads. */
  readonly total: number;
}

export interface MemberSettings {
  readonly options: ParsedOptions;
  readonly groupId: string;
  readonly topic: string;
  readonly protocol: GroupProtocol;
  readonly link: Link;
  readonly coordinator: Coordinator;
  readonly leaders: Leaders;
  /** Connections of its own, for leaving while the others are taken. */
  readonly openLink: () => Link;
}

/** The group protocol: join, share out, stay, leave. One attempt each. */
export class Member {
  readonly #settings: MemberSettings;
  /** Kept from one generation to the next, so that a rejoin replaces nobody. */
  #memberId = '';
  #joining = false;

  constructor(settings: MemberSettings) {
    this.#settings = settings;
  }

  /** Waits for all other members, up to the rebalance time-out. */
  async join(): Promise<Membership> {
    this.#joining = true;
    try {
      const answer = await this.#join();
      this.#memberId = answer.memberId;
      return await this.#sync(answer);
    } catch (error) {
      if (typeOf(error) === 'UNKNOWN_MEMBER_ID') this.forget();
      throw error;
    } finally {
      this.#joining = false;
    }
  }

  /** The broker does not know this member any more. */
  forget(): void {
    this.#memberId = '';
  }

  async heartbeat({ memberId, generationId }: Committer): Promise<void> {
    const { groupId, coordinator } = this.#settings;
    await coordinator.ask((broker) => broker.heartbeat({ groupId, memberId, groupGenerationId: generationId }));
  }

  /** The others get the partitions at once. */
  async leave(): Promise<void> {
    const { groupId, coordinator, link, openLink, topic } = this.#settings;
    const memberId = this.#memberId;
    if (memberId === '') return;
    this.forget();
    if (!this.#joining) {
      await coordinator.ask((broker) => broker.leaveGroup({ groupId, memberId }));
      return;
    }
    // The broker answers one request at a time: behind the pending join, a leave would wait as long as that.
    await link.abort('the member leaves');
    const other = openLink();
    try {
      await other.leaders(topic);
      await new Coordinator(other, groupId).ask((broker) => broker.leaveGroup({ groupId, memberId }));
    } finally {
      await other.close();
    }
  }

  #join(): Promise<JoinAnswer> {
    const { options, groupId, topic, protocol, coordinator } = this.#settings;
    return coordinator.ask((broker) =>
      broker.joinGroup({
        groupId,
        memberId: this.#memberId,
        sessionTimeout: options.sessionTimeoutMs,
        rebalanceTimeout: options.rebalanceTimeoutMs,
        groupProtocols: [{ name: ASSIGNOR, metadata: protocol.subscription(topic) }],
      }),
    );
  }

  async #sync({ generationId, memberId, leaderId, members }: JoinAnswer): Promise<Membership> {
    const { groupId, topic, protocol, coordinator, leaders, link } = this.#settings;
    const leads = leaderId === memberId;
    if (leads) await leaders.refresh(link);
    const shares = leads
      ? assign(
          members.map((member) => member.memberId),
          leaders.partitions,
        )
      : new Map<string, number[]>();
    const groupAssignment = [...shares].map(([id, partitions]) => ({
      memberId: id,
      memberAssignment: protocol.assignment(topic, partitions),
    }));
    const { memberAssignment } = await coordinator.ask((broker) =>
      broker.syncGroup({ groupId, generationId, memberId, groupAssignment }),
    );
    const partitions = protocol.assigned(memberAssignment, topic);
    return { memberId, generationId, partitions, leads, total: leaders.count };
  }
}
