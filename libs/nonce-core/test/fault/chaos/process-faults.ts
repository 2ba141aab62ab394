import { setTimeout as pause } from 'node:timers/promises';
import { TTL_MS, type ChaosWorld, type Seat } from './chaos-world';
import type { Fault } from './fault';
import type { HaltOrder } from './step-gate';

const STEP_TIMEOUT_MS = 5_000;
const NEW_EPOCHS = 8;
const NEW_EPOCH_TIMEOUT_MS = 700;
/** Long enough that everything a stopped node holds has run out and was given to others. */
const LONG_PAUSE_MS = TTL_MS * 1.6;

const NOWHERE: HaltOrder = { step: '', visit: 1, signal: 'SIGSTOP' };

type Moment = 'before' | 'after';
interface Step {
  readonly call: string;
  /** It comes to this step only when a new epoch is entered. */
  readonly newEpoch?: boolean;
}

const NODE_STEPS: readonly Step[] = [
  { call: 'fast.incarnationOf', newEpoch: true },
  { call: 'epochs.enter', newEpoch: true },
  { call: 'continuity.keep', newEpoch: true },
  { call: 'fast.open', newEpoch: true },
  { call: 'fast.allocate' },
  { call: 'epochs.record' },
  { call: 'epochs.refill' },
  { call: 'continuity.keep' },
  { call: 'fast.refill' },
  { call: 'store.command' },
  { call: 'fast.settle' },
];
const WORKER_STEPS: readonly Step[] = [
  { call: 'queue.take' },
  { call: 'flush.apply' },
  { call: 'queue.acknowledge' },
];
const MOMENTS: readonly Moment[] = ['before', 'after'];

function anyOf<T>(choices: readonly T[], random: () => number): T {
  const chosen = choices[Math.floor(random() * choices.length)];
  if (chosen === undefined) throw new Error('nothing to choose from');
  return chosen;
}

/** Another node may win the epoch and take the steps in its stead: then there is another one. */
async function haltsInNewEpoch(world: ChaosWorld, seat: Seat): Promise<boolean> {
  for (let epoch = 0; epoch < NEW_EPOCHS; epoch += 1) {
    await world.dropStates();
    if (await seat.node.halted(NEW_EPOCH_TIMEOUT_MS)) return true;
  }
  return false;
}

async function die(world: ChaosWorld, seat: Seat): Promise<boolean> {
  await seat.node.kill();
  await world.reseat(seat);
  world.warmUp();
  return true;
}

async function sleepAndWake(seat: Seat): Promise<boolean> {
  await pause(LONG_PAUSE_MS);
  seat.node.process.resume();
  return true;
}

function nodeAtStep(step: Step, moment: Moment, signal: HaltOrder['signal']): Fault {
  const verb = signal === 'SIGKILL' ? 'dies' : 'stands still';
  const where = `${moment} ${step.call}${step.newEpoch === true ? ' of a new epoch' : ''}`;
  return {
    name: `a node ${verb} ${where}`,
    ...(step.newEpoch === true ? { losesMemory: true } : {}),
    async strike(world, random) {
      const seat = anyOf(world.seats, random);
      seat.node.halt({ step: `${step.call}:${moment}`, visit: 1, signal });
      const halted =
        step.newEpoch === true
          ? await haltsInNewEpoch(world, seat)
          : await seat.node.halted(STEP_TIMEOUT_MS);
      if (signal === 'SIGKILL') return (await die(world, seat)) && halted;
      if (halted) return sleepAndWake(seat);
      // It may come to its step at any moment still.
      seat.node.halt(NOWHERE);
      seat.node.process.resume();
      return false;
    },
  };
}

function workerAtStep(step: Step, moment: Moment, signal: HaltOrder['signal']): Fault {
  const verb = signal === 'SIGKILL' ? 'dies' : 'stands still';
  return {
    name: `a worker ${verb} ${moment} ${step.call}`,
    async strike(world) {
      const worker = world.workers.shift();
      if (worker === undefined) return false;
      worker.halt({ step: `${step.call}:${moment}`, visit: 1, signal });
      const halted = await worker.halted(STEP_TIMEOUT_MS);
      if (signal === 'SIGSTOP' && halted) {
        await pause(LONG_PAUSE_MS);
        worker.process.resume();
        world.workers.push(worker);
        return true;
      }
      await worker.process.kill();
      world.workers.push(await world.openWorker(world.workers.length % 2 === 1));
      return halted;
    },
  };
}

export const STEP_DEATHS: readonly Fault[] = NODE_STEPS.flatMap((step) =>
  MOMENTS.map((moment) => nodeAtStep(step, moment, 'SIGKILL')),
);
export const STEP_PAUSES: readonly Fault[] = NODE_STEPS.flatMap((step) =>
  MOMENTS.map((moment) => nodeAtStep(step, moment, 'SIGSTOP')),
);
export const WORKER_DEATHS: readonly Fault[] = WORKER_STEPS.flatMap((step) =>
  MOMENTS.map((moment) => workerAtStep(step, moment, 'SIGKILL')),
);
export const WORKER_PAUSES: readonly Fault[] = WORKER_STEPS.flatMap((step) =>
  MOMENTS.map((moment) => workerAtStep(step, moment, 'SIGSTOP')),
);

export const PROCESS_FAULTS: readonly Fault[] = [
  {
    name: 'kill -9 of a node',
    strike: (world, random) => die(world, anyOf(world.seats, random)),
  },
  {
    name: 'a node stands still for longer than its reservations last',
    async strike(world, random) {
      const seat = anyOf(world.seats, random);
      seat.node.process.pause();
      return sleepAndWake(seat);
    },
  },
];
