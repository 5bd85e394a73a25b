import { mkdirSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { join } from 'node:path';
import { classPath, ensureJars, requireJava, SMALL_JVM } from './java.js';
import type { Kind, Place } from './kind.js';
import type { Ports } from './ports.js';
import { isOpen } from './ports.js';

const TITLE = 'RocketMQ';
const CLUSTER = 'DefaultCluster';
/** Remoting code GET_BROKER_CLUSTER_INFO. */
const CLUSTER_INFO = 106;
const TIMEOUT_MS = 3_000;
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
  requirements: () => requireJava(TITLE),

  async prepare(place) {
    await ensureJars('rocketmq', TITLE);
    const { folder, ports } = place;
    mkdirSync(join(folder, 'conf'), { recursive: true });
    writeFileSync(configFile(place, 'namesrv.conf'), `listenPort=${ports.nameServer}\n`);
    writeFileSync(configFile(place, 'broker.conf'), brokerProperties(place));
    writeFileSync(configFile(place, 'rmq-proxy.json'), JSON.stringify(proxyConfiguration(ports), null, 2));
  },

  programs: (place) => [
    {
      name: 'name-server',
      command: 'java',
      args: [
        ...SMALL_JVM,
        '-Xmx192m',
        ...properties(place),
        '-cp',
        classPath('rocketmq'),
        'org.apache.rocketmq.namesrv.NamesrvStartup',
        '-c',
        configFile(place, 'namesrv.conf'),
      ],
      env: { ROCKETMQ_HOME: place.folder },
      ready: () => isOpen(place.ports.nameServer ?? 0),
    },
    { name: 'broker', command: 'java', args: brokerArguments(place), env: { ROCKETMQ_HOME: place.folder } },
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
const properties = ({ folder }: Place): string[] => [`-Duser.home=${folder}`, `-Danymq.folder=${folder}`];

function brokerArguments(place: Place): string[] {
  const config = (name: string): string => configFile(place, name);
  return [
    ...SMALL_JVM,
    '-Xms256m',
    '-Xmx1g',
    '-XX:MaxDirectMemorySize=1g',
    ...properties(place),
    ...OPENED,
    ...['-cp', classPath('rocketmq'), 'org.apache.rocketmq.proxy.ProxyStartup', '-pm', 'local'],
    ...['-n', `127.0.0.1:${place.ports.nameServer}`, '-bc', config('broker.conf'), '-pc', config('rmq-proxy.json')],
  ];
}

function proxyConfiguration({ proxy, remoting, nameServer }: Ports): Record<string, unknown> {
  return {
    rocketMQClusterName: CLUSTER,
    proxyMode: 'LOCAL',
    grpcServerPort: proxy,
    remotingListenPort: remoting,
    namesrvAddr: `127.0.0.1:${nameServer}`,
  };
}

function brokerProperties({ folder, ports }: Place): string {
  return Object.entries({
    brokerClusterName: CLUSTER,
    brokerName: 'broker-a',
    brokerId: 0,
    brokerIP1: '127.0.0.1',
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
  })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

/** The name server knows the broker. */
function isRegistered({ nameServer = 0, broker }: Ports): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: nameServer });
    let answer = '';
    const end = (found: boolean): void => {
      socket.destroy();
      resolve(found);
    };
    socket.setEncoding('latin1').setTimeout(TIMEOUT_MS, () => end(false));
    socket.once('error', () => end(false)).once('close', () => end(false));
    socket.on('data', (text: string) => {
      answer += text;
      if (answer.includes(`:${broker}`)) end(true);
      else if (answer.includes('"clusterAddrTable":{}')) end(false);
    });
    socket.write(remotingRequest(CLUSTER_INFO));
  });
}

/** Length, header length, JSON header: RocketMQ's remoting protocol. */
function remotingRequest(code: number): Buffer {
  const header = Buffer.from(
    JSON.stringify({ code, language: 'OTHER', version: 475, opaque: 1, flag: 0, serializeTypeCurrentRPC: 'JSON' }),
  );
  const frame = Buffer.alloc(8 + header.length);
  frame.writeUInt32BE(4 + header.length, 0);
  frame.writeUInt32BE(header.length, 4);
  header.copy(frame, 8);
  return frame;
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
