import { describe, expect, test } from '@jest/globals';
import { kafka, kafkaProperties } from '../src/kafka.js';
import { rabbitmq, rabbitmqEnvironment } from '../src/rabbitmq.js';
import { brokerProperties, rocketmq } from '../src/rocketmq.js';
import { placeOf } from './support/sleeper.js';

const lines = (text: string): string[] => text.split('\n');

describe('kafka', () => {
  const ports = { client: 1, controller: 2, behindProxy0: 3, behindProxy1: 4 };

  test('listens on its ports and keeps its data in its folder', () => {
    const written = lines(kafkaProperties(placeOf('/f', ports)));
    expect(written).toContain('listeners=PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2');
    expect(written).toContain('advertised.listeners=PLAINTEXT://127.0.0.1:1');
    expect(written).toContain('controller.quorum.voters=1@127.0.0.1:2');
    expect(written).toContain('log.dirs=/f/data');
    expect(kafka.connection(ports)).toEqual({ brokers: ['127.0.0.1:1'] });
  });

  test('has further listeners, each of which advertises the address of a proxy', () => {
    const written = lines(kafkaProperties({ ...placeOf('/f', ports), advertised: ['proxy:9', 'other:8'] }));
    expect(written).toContain(
      'listeners=PLAINTEXT://127.0.0.1:1,PROXIED0://127.0.0.1:3,PROXIED1://127.0.0.1:4,CONTROLLER://127.0.0.1:2',
    );
    expect(written).toContain('advertised.listeners=PLAINTEXT://127.0.0.1:1,PROXIED0://proxy:9,PROXIED1://other:8');
  });
});

test('rabbitmq keeps to its ports, its folder and its own configuration', () => {
  const environment = rabbitmqEnvironment(placeOf('/state/rabbitmq', { client: 1, distribution: 2 }));
  expect(environment).toMatchObject({ RABBITMQ_NODE_PORT: '1', RABBITMQ_DIST_PORT: '2', HOME: '/state/rabbitmq/home' });
  for (const name of [
    'MNESIA_BASE',
    'LOG_BASE',
    'CONFIG_FILE',
    'CONFIG_FILES',
    'CONF_ENV_FILE',
    'ADVANCED_CONFIG_FILE',
  ])
    expect(environment[`RABBITMQ_${name}`]).toMatch(/^\/state\/rabbitmq\//);
  expect(rabbitmq.connection({ client: 1 })).toEqual({ url: 'amqp://127.0.0.1:1' });
});

test('rocketmq listens on its ports and keeps its data in its folder', () => {
  const ports = { proxy: 1, remoting: 2, broker: 3, ha: 4, nameServer: 5 };
  const written = lines(brokerProperties(placeOf('/f', ports)));
  for (const line of ['listenPort=3', 'haListenPort=4', 'namesrvAddr=127.0.0.1:5', 'storePathRootDir=/f/store'])
    expect(written).toContain(line);
  expect(rocketmq.connection(ports)).toEqual({ endpoints: '127.0.0.1:1', nameServers: ['127.0.0.1:5'] });
});
