import { contract } from '@anymq/contract-kit/node-test';
import { target } from './target.js';

await contract(target);
