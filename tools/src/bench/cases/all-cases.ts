import type { BenchCase } from '../bench-case';
import { chainTransfers } from './chain-transfers';
import { fastHolder } from './fast-holder';
import { fastHot } from './fast-hot';
import { flush } from './flush';
import { growth } from './growth';
import { holderCommands } from './holder-commands';
import { hotSubmitter } from './hot-submitter';
import { httpAllocate } from './http-allocate';
import { loneCaller } from './lone-caller';
import { manySubmitters } from './many-submitters';
import { memory } from './memory';
import { redisRestart } from './redis-restart';
import { scaleOut } from './scale-out';

/** In the order they run. */
export const CASES: readonly BenchCase[] = [
  hotSubmitter,
  manySubmitters,
  loneCaller,
  holderCommands,
  fastHot,
  fastHolder,
  flush,
  growth,
  scaleOut,
  httpAllocate,
  chainTransfers,
  memory,
  redisRestart,
];
