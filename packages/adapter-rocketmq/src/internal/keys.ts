import type { ParsedOptions, Secret } from '../options.js';

/** What requests are signed with, read anew for each. */
export interface Keys {
  readonly accessKey: string;
  readonly secretKey: string;
  /** The same, as the client library calls it. */
  readonly accessSecret: string;
  readonly securityToken: string | undefined;
}

const textOf = (secret: Secret): string => (typeof secret === 'string' ? secret : secret());

/** Undefined where the broker is used without credentials. */
export function keysOf({ accessKey, secretKey, securityToken }: ParsedOptions): Keys | undefined {
  if (accessKey === undefined || secretKey === undefined) return undefined;
  return {
    get accessKey() {
      return textOf(accessKey);
    },
    get secretKey() {
      return textOf(secretKey);
    },
    get accessSecret() {
      return textOf(secretKey);
    },
    get securityToken() {
      return securityToken === undefined ? undefined : textOf(securityToken);
    },
  };
}
