import { mkdirSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { classPath, ensureJars, jarVersion, requireJars } from './jars.js';
import { requireJava, SMALL_JVM } from './java.js';
import type { Credentials, Kind, Place } from './kind.js';
import { isOpen, type Ports } from './ports.js';
import { properties } from './properties.js';
import { remotingCall } from './remoting.js';

const TITLE = 'RocketMQ';
const CLUSTER = 'DefaultCluster';
const TIMEOUT_MS = 3_000;
/** Codes of the remoting protocol. */
const UPDATE_BROKER_CONFIG = 25;
const GET_BROKER_CLUSTER_INFO = 106;
/** RocketMQ's direct buffers reach into the JDK. */
const OPENED = [
  '--add-exports=java.base/sun.nio.ch=ALL-UNNAMED',
  '--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED',
  '--add-opens=java.base/java.nio=ALL-UNNAMED',
  '--add-opens=java.base/sun.nio.ch=ALL-UNNAMED',
  '--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED',
];

/** RocketMQ 5.3: a name server, and broker and proxy in one process. */
export const rocketmq: Kind = {
  name: 'rocketmq',
  title: TITLE,
  ports: { proxy: 8081, remoting: 8080, broker: 10_911, ha: 10_912, nameServer: 9876 },
  processes: ['name-server', 'broker'],
  logs: ['logs/rocketmqlogs/broker.log', 'logs/rocketmqlogs/proxy.log'],

  version: (place) => `${TITLE} ${jarVersion(place, 'rocketmq', 'rocketmq-broker')}`,

  async requirements(place) {
    await requireJava(TITLE);
    await requireJars(place, 'rocketmq', TITLE);
  },

  async prepare(place) {
    await ensureJars(place, 'rocketmq', TITLE);
    mkdirSync(join(place.folder, 'conf'), { recursive: true });
    writeFileSync(configFile(place, 'namesrv.conf'), nameServerProperties(place));
    writeFileSync(configFile(place, 'broker.conf'), brokerProperties(place));
    writeFileSync(configFile(place, 'rmq-proxy.json'), JSON.stringify(proxyConfiguration(place), null, 2));
  },

  programs: (place) => [
    {
      name: 'name-server',
      command: 'java',
      args: nameServerArguments(place),
      env: { ROCKETMQ_HOME: place.folder },
      ready: () => isOpen(place.ports.nameServer ?? 0),
    },
    {
      name: 'broker',
      command: 'java',
      args: brokerArguments(place),
      env: { ROCKETMQ_HOME: place.folder },
      ready: () => register(place),
    },
  ],

  async answers(ports) {
    const [registered, speaksGrpc] = await Promise.all([isRegistered(ports), answersHttp2(ports)]);
    return registered && speaksGrpc;
  },

  connection: ({ proxy, nameServer }) => ({
    endpoints: `127.0.0.1:${proxy}`,
    nameServers: [`127.0.0.1:${nameServer}`],
  }),
};

const configFile = ({ folder }: Place, name: string): string => join(folder, 'conf', name);
/** Logs and stores stay in the folder instead of the home directory. */
const folders = ({ folder }: Place): string[] => [`-Duser.home=${folder}`, `-Danymq.folder=${folder}`];

function nameServerArguments(place: Place): string[] {
  const main = 'org.apache.rocketmq.namesrv.NamesrvStartup';
  const jvm = [...SMALL_JVM, '-Xmx192m', ...folders(place), '-cp', classPath(place, 'rocketmq')];
  return [...jvm, main, '-c', configFile(place, 'namesrv.conf')];
}

function brokerArguments(place: Place): string[] {
  const config = (name: string): string => configFile(place, name);
  return [
    ...[...SMALL_JVM, '-Xms256m', '-Xmx1g', '-XX:MaxDirectMemorySize=1g', ...folders(place), ...OPENED],
    ...['-cp', classPath(place, 'rocketmq'), 'org.apache.rocketmq.proxy.ProxyStartup', '-pm', 'local'],
    ...['-n', `127.0.0.1:${place.ports.nameServer}`, '-bc', config('broker.conf'), '-pc', config('rmq-proxy.json')],
  ];
}

const nameServerProperties = ({ ports }: Place): string =>
  properties({ listenPort: ports.nameServer, bindAddress: '127.0.0.1' });

/** `rmq-proxy.json`. Polls and leases keep their defaults, because users run the defaults, unless somebody asks for others. */
function proxyConfiguration({ ports, credentials, tls, minPollMs }: Place): Record<string, unknown> {
  const { proxy, remoting, nameServer } = ports;
  return {
    ...(minPollMs === undefined ? {} : { grpcClientConsumerMinLongPollingTimeoutMillis: minPollMs }),
    ...(credentials === undefined ? {} : accessControl(credentials, 'proxy.auth.Proxy')),
    // Without these it speaks TLS too, with a certificate that it makes up.
    ...(tls === undefined ? {} : { tlsTestModeEnable: false, tlsKeyPath: tls.key, tlsCertPath: tls.cert }),
    rocketMQClusterName: CLUSTER,
    proxyMode: 'LOCAL',
    grpcServerPort: proxy,
    // Routes name the port that the client came by: who comes through a TCP proxy stays behind it.
    useEndpointPortFromRequest: true,
    remotingListenPort: remoting,
    namesrvAddr: `127.0.0.1:${nameServer}`,
  };
}

/** Who brings no known key is refused; these may do everything, others what rules allow. `metadata`: where both are looked up. */
function accessControl({ username, password }: Credentials, metadata: string): Record<string, unknown> {
  return {
    authenticationEnabled: true,
    authenticationProvider: 'org.apache.rocketmq.auth.authentication.provider.DefaultAuthenticationProvider',
    authenticationMetadataProvider: `org.apache.rocketmq.${metadata}AuthenticationMetadataProvider`,
    authorizationEnabled: true,
    authorizationProvider: 'org.apache.rocketmq.auth.authorization.provider.DefaultAuthorizationProvider',
    authorizationMetadataProvider: `org.apache.rocketmq.${metadata.replace('authentication', 'authorization')}AuthorizationMetadataProvider`,
    innerClientAuthenticationCredentials: JSON.stringify({ accessKey: username, secretKey: password }),
  };
}

function brokerAccessControl(credentials: Credentials): Record<string, string> {
  const control = accessControl(credentials, 'auth.authentication.provider.Local');
  const texts = Object.entries(control).map(([name, value]) => [name, String(value)]);
  return { ...Object.fromEntries(texts), initAuthenticationUser: JSON.stringify(credentials) };
}

/** `broker.conf` of a broker at a place. */
export function brokerProperties({ folder, ports, credentials }: Place): string {
  return properties({
    ...(credentials === undefined ? {} : brokerAccessControl(credentials)),
    brokerClusterName: CLUSTER,
    brokerName: 'broker-a',
    brokerId: 0,
    brokerIP1: '127.0.0.1',
    bindAddress: '127.0.0.1',
    listenPort: ports.broker,
    haListenPort: ports.ha,
    namesrvAddr: `127.0.0.1:${ports.nameServer}`,
    storePathRootDir: join(folder, 'store'),
    storePathCommitLog: join(folder, 'store', 'commitlog'),
    autoCreateTopicEnable: false,
    enablePropertyFilter: true,
    recallMessageEnable: true,
    // Small files: fast start, little disk.
    mappedFileSizeCommitLog: 67_108_864,
    mappedFileSizeConsumeQueue: 600_000,
    transactionCheckInterval: 2_000,
    transactionTimeOut: 3_000,
    // At or above the time-out, finished transactions are asked about again.
    transactionOpBatchInterval: 300,
  });
}

/**
 * The broker registers at the name server only 10 s after its start, but at once when its permission is set: to what it is
 * anyway, read and write.
 */
async function register({ ports, credentials }: Place): Promise<boolean> {
  await remotingCall(ports.broker ?? 0, UPDATE_BROKER_CONFIG, 'brokerPermission=6\n', credentials).catch(() => {});
  return isRegistered(ports);
}

/** The name server knows the broker. */
async function isRegistered({ nameServer = 0, broker }: Ports): Promise<boolean> {
  const cluster = await remotingCall(nameServer, GET_BROKER_CLUSTER_INFO).catch(() => '');
  return cluster.includes(`:${broker}"`);
}

/** The proxy's gRPC port speaks HTTP/2: its settings frame is an answer, an open port is not. */
function answersHttp2({ proxy }: Ports): Promise<boolean> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://127.0.0.1:${proxy}`);
    const end = (answered: boolean): void => {
      session.destroy();
      resolve(answered);
    };
    session.once('remoteSettings', () => end(true)).once('error', () => end(false));
    session.setTimeout(TIMEOUT_MS, () => end(false));
  });
}
