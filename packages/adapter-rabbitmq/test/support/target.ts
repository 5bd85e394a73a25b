import { MissingTool, type PrivateBroker, startPrivate } from '@anymq/brokers';
import { BrokerMissing, type ContractTarget, faultWays, type OpenTarget, versionOf } from '@anymq/contract-kit';
import { rabbitmq } from '../../src/index.js';
import { entryOf, type GroupNames, groupNames } from '../../src/names.js';
import { nativePeer } from './native-peer.js';

// #region open
/** A broker of its own: a run makes hundreds of queues at once, of which the shared one's file handles bear about 300. */
async function open(): Promise<OpenTarget> {
  const broker = await startPrivate('rabbitmq').catch((error: unknown) => {
    throw error instanceof MissingTool ? new BrokerMissing(error.message) : error;
  });
  const url = String(broker.connection.url);
  const { hostname: host, port } = new URL(url);
  const ways = faultWays({ target: () => ({ host, port: Number(port) }), framing: 'amqp' });
  return {
    configure: () => rabbitmq({ url }),
    unreachable: () => rabbitmq({ url: 'amqp://127.0.0.1:1' }),
    unauthorised: (secret: string) => rabbitmq({ url, username: 'guest', password: secret }),
    firstDead: () => rabbitmq({ urls: ['amqp://127.0.0.1:1', url] }),
    checking: () => rabbitmq({ url, topology: 'check' }),
    limit: (namespace: string, topic: string, group: string) =>
      limit(broker, groupNames(entryOf(namespace, topic), group)),
    native: (namespace: string) => nativePeer(url, namespace, (name) => deleteAll(broker, name)),
    ways: 3,
    proxied: () => ways.open((address) => rabbitmq({ url: `amqp://${address}` })),
    process: () => ({
      module: new URL('./chaos.js', import.meta.url).href,
      connection: { url },
      unreachable: { url: 'amqp://127.0.0.1:1' },
    }),
    footprint: () => footprint(broker),
    cleanUp: sweeper(broker),
    about: () => ({
      adapter: versionOf('@anymq/adapter-rabbitmq', import.meta.url),
      client: versionOf('amqplib', import.meta.url),
      broker: broker.version,
    }),
    close: async () => {
      await ways.close();
      await broker.close();
    },
  };
}
// #endregion

/** A limit of time, as an administrator sets it: it applies to queues whatever those who declare them say. */
async function limit(broker: PrivateBroker, names: GroupNames): Promise<void> {
  const shares = names.bucket(0).replace(/\d+$/, '');
  const pattern = `^${shares.replaceAll('.', '\\.')}[0-9]+$`;
  const definition = JSON.stringify({ 'message-ttl': 1 });
  await broker.tool('rabbitmqctl', 'set_operator_policy', shares, pattern, definition, '--apply-to', 'queues');
}

/** One question for all: each start of rabbitmqctl takes a second. */
const COUNTS = `io:format("~p ~p ~p ~p", [length(L) || L <- [
  rabbit_networking:connections(), rabbit_channel:list(), rabbit_amqqueue:list(), rabbit_amqqueue:consumers_all(<<"/">>)]]).`;

async function footprint(broker: PrivateBroker): Promise<Record<string, number>> {
  const printed = await broker.tool('rabbitmqctl', 'eval', COUNTS);
  const [connections, channels, queues, consumers] = (/^(\d+) (\d+) (\d+) (\d+)/.exec(printed) ?? [])
    .slice(1)
    .map(Number);
  if (connections === undefined || channels === undefined || queues === undefined || consumers === undefined)
    throw new Error(`rabbitmqctl printed ${printed}`);
  return { connections, channels, queues, consumers };
}

/** Cases whose queues are removed together: each start of rabbitmqctl takes a second. */
const SWEEP = 8;

/** Thousands of queues that nobody uses any more would keep the broker from its work. */
function sweeper(broker: PrivateBroker): (namespace: string) => Promise<void> {
  let namespaces: string[] = [];
  return async (namespace) => {
    namespaces.push(namespace);
    if (namespaces.length < SWEEP) return;
    const over = namespaces.map((name) => `<<"${name}.">>, <<"${name}:">>`).join(', ');
    namespaces = [];
    await broker.tool('rabbitmqctl', 'eval', `${REMOVE.replace('NAMES', over)}`);
  };
}

const REMOVE = `[catch rabbit_amqqueue:delete(Q, false, false, <<"test">>) || Q <- rabbit_amqqueue:list(<<"/">>),
  lists:any(fun(P) -> binary:longest_common_prefix([P, element(4, amqqueue:get_name(Q))]) =:= byte_size(P) end, [NAMES])], ok.`;

/** As somebody does with the management pages: everything that the name says belongs to it. */
async function deleteAll(broker: PrivateBroker, name: string): Promise<void> {
  await broker.tool('rabbitmqctl', 'eval', DELETE.replaceAll('NAME', name));
}

const DELETE = `Ours = fun(N) -> N =:= <<"NAME">> orelse binary:longest_common_prefix([<<"NAME:">>, N]) =:= byte_size(<<"NAME:">>) end,
  [rabbit_exchange:delete(R, false, <<"test">>) || R <- rabbit_exchange:list_names(), Ours(element(4, R))],
  [catch rabbit_amqqueue:delete(Q, false, false, <<"test">>) || Q <- rabbit_amqqueue:list(<<"/">>),
    Ours(element(4, amqqueue:get_name(Q)))], ok.`;

/** RabbitMQ as the contract kit needs it. */
export const target: ContractTarget = { name: 'rabbitmq', open };
