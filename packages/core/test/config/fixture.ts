import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type ResolvedConfiguration, resolveConfiguration } from '../../src/config/index.js';
import type { MessagingOptions } from '../../src/contract.js';
import { MessagingError } from '../../src/errors.js';

/** A folder like that of an application that uses AnyMQ. */
export interface Application {
  readonly folder: string;
  write(file: string, content: string): Promise<string>;
  /** A package in the application's `node_modules`: an adapter that records that it was imported. */
  install(name: string, options?: { readonly source?: string; readonly manifest?: object }): Promise<void>;
  resolve(options?: MessagingOptions): Promise<ResolvedConfiguration>;
  /** The one error that this configuration gives, with the folder's name as `/app`. */
  problem(options?: MessagingOptions): Promise<MessagingError & { readonly text: string }>;
  remove(): Promise<void>;
}

export async function application(): Promise<Application> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'anymq-config-')));
  const write = async (file: string, content: string): Promise<string> => {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), content);
    return join(folder, file);
  };
  const resolve = (options: MessagingOptions = {}) => resolveConfiguration({ cwd: folder, env: {}, ...options });
  return {
    folder,
    write,
    resolve,
    async install(
      name,
      { source = adapterSource(name), manifest = { exports: { '.': { import: './index.mjs' } } } } = {},
    ) {
      await write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', ...manifest }));
      await write(`node_modules/${name}/index.mjs`, source);
    },
    async problem(options) {
      const error = await resolve(options).then(
        () => new Error('the configuration was accepted'),
        (reason: unknown) => reason,
      );
      if (!(error instanceof MessagingError) || error.code !== 'INVALID_CONFIG') throw error;
      return Object.assign(error, { text: error.message.replaceAll(folder, '/app') });
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

const ZOD = pathToFileURL(join(dirname(createRequire(import.meta.url).resolve('zod/package.json')), 'index.js')).href;

/** `name` ends up in {@link imported} whenever the module is evaluated. Its options have one of every kind. */
export const adapterSource = (name: string, extra = ''): string => `
import { z } from '${ZOD}';
(globalThis.importedAdapters ??= []).push('${name}');
const tls = z.strictObject({ ca: z.string().optional(), rejectUnauthorized: z.boolean().optional() });
const plain = z.strictObject({ mechanism: z.literal('plain'), username: z.string(), password: z.string() });
const oauth = z.strictObject({ mechanism: z.literal('oauth'), token: z.string().min(20, 'too short a token') });
export const adapter = {
  name: 'fake',
  optionsSchema: z.strictObject({
    url: z.url().default('fake://local'),
    port: z.int().min(1).max(65535).optional(),
    servers: z.array(z.string()).min(1).optional(),
    lazyStart: z.boolean().default(false),
    mode: z.enum(['fast', 'safe']).optional(),
    tls: z.union([z.boolean(), tls]).optional(),
    sasl: z.discriminatedUnion('mechanism', [plain, oauth]).optional(),
    weights: z.record(z.string(), z.number()).optional(),
    password: z.string().regex(/^[a-z0-9]+$/).optional(),
    ${extra}
  }),
  configure(options) {
    if (options.mode === 'safe' && options.lazyStart) throw new Error('mode safe cannot start lazily');
    return { name: 'fake', options, capabilities: { rows: {}, limits: {} }, create() { throw new Error('not here'); } };
  },
};
`;

declare global {
  var importedAdapters: string[] | undefined;
}

/** Names of the adapters that were imported, in order. */
export const imported = (): readonly string[] => globalThis.importedAdapters ?? [];

/** What the fixture's adapter was configured with. */
export function optionsOf(configuration: ResolvedConfiguration, broker: string): unknown {
  const adapter: unknown = configuration.brokers.get(broker)?.adapter;
  return typeof adapter === 'object' && adapter !== null && 'options' in adapter ? adapter.options : undefined;
}
