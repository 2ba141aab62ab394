import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { integerBetween } from '../seeded-random';
import type { ChaosWorld } from './chaos-world';
import type { Fault } from './fault';

const OUTAGE_MS = 150;
const STATEMENTS = [
  'enter_fast_epochs',
  'refill_fast_epochs',
  'record_grants',
  'command_batch',
] as const;
const TERMINATIONS = 40;

function replyLost(statement: string): Fault {
  return {
    name: `the reply of ${statement} is lost after the commit`,
    losesMemory: statement === 'enter_fast_epochs',
    async strike(world, random) {
      const before = world.seats.map(({ database }) => database.lost);
      const count = integerBetween(random, 1, 2);
      for (const { database } of world.seats) database.loseReplies(new RegExp(statement), count);
      if (statement === 'enter_fast_epochs') await world.dropStates();
      await world.served(20);
      for (const { database } of world.seats) database.loseReplies(/$^/, 0);
      return world.seats.some(({ database }, index) => database.lost > (before[index] ?? 0));
    },
  };
}

/** Ends whoever is just writing, again and again, so that commits are hit. */
async function terminate(world: ChaosWorld, busyOnly: boolean): Promise<boolean> {
  const client = new Client({ connectionString: world.postgres.url });
  await client.connect();
  let ended = 0;
  try {
    for (let attempt = 0; attempt < TERMINATIONS; attempt += 1) {
      const { rowCount } = await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name LIKE 'noncekit%' AND pid <> pg_backend_pid()
           AND (state = 'active' OR NOT $1)`,
        [busyOnly],
      );
      ended += rowCount ?? 0;
      if (!busyOnly) break;
      await pause(5);
    }
  } finally {
    await client.end();
  }
  return ended > 0;
}

export const POSTGRES_FAULTS: readonly Fault[] = [
  {
    name: 'kill -9 of Postgres',
    async strike({ postgres: { server } }) {
      await server.kill();
      await pause(OUTAGE_MS);
      await server.restart();
      return true;
    },
  },
  {
    name: 'a clean restart of Postgres',
    async strike({ postgres: { server } }) {
      await server.restart();
      return true;
    },
  },
  {
    name: 'Postgres stands still for 1200 ms',
    async strike({ postgres: { server } }) {
      await server.pause();
      await pause(1_200);
      await server.resume();
      return true;
    },
  },
  { name: 'connections ended at commit', strike: (world) => terminate(world, true) },
  { name: 'all connections of Postgres ended', strike: (world) => terminate(world, false) },
  ...STATEMENTS.map(replyLost),
];
