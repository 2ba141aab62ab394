import type { BenchCase } from '../bench-case';
import { apiMemory } from './api-memory';
import { chainTransfers } from './chain-transfers';
import { drain } from './drain';
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
import { modeSwitch } from './mode-switch';
import { redisFailure } from './redis-failure';
import { redisMemory } from './redis-memory';
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
  modeSwitch,
  drain,
  redisFailure,
  memory,
  redisMemory,
  apiMemory,
  redisRestart,
];
