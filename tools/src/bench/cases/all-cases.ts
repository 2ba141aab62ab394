import type { BenchCase } from '../bench-case';
import { chainTransfers } from './chain-transfers';
import { growth } from './growth';
import { holderCommands } from './holder-commands';
import { hotSubmitter } from './hot-submitter';
import { httpAllocate } from './http-allocate';
import { loneCaller } from './lone-caller';
import { manySubmitters } from './many-submitters';
import { memory } from './memory';
import { scaleOut } from './scale-out';

/** In the order they run. */
export const CASES: readonly BenchCase[] = [
  hotSubmitter,
  manySubmitters,
  loneCaller,
  holderCommands,
  growth,
  scaleOut,
  httpAllocate,
  chainTransfers,
  memory,
];
