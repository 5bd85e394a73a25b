import { contract } from '@anymq/contract-kit';
import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { target } from './target.js';

await contract(target, { describe, test, beforeAll, afterAll });
