import { epochOf, grantOf } from '../support/fast-epochs';
import { describeGuards, type FunctionGuard } from '../support/function-guards';

const GUARDS: readonly FunctionGuard[] = [
  {
    rule: 'a new epoch starts at the ceiling, not at what was flushed',
    functionName: 'change_epoch',
    without: ['base = v_old.ceiling,', 'base = v_old.next_local_nonce,'],
    async harm(bench, submitter) {
      const first = await bench.enter(submitter);
      const second = await bench.enter(submitter, { incarnation: 'redis-2' });
      return second.base < first.ceiling;
    },
  },
  {
    rule: 'a row refuses everybody but its owner once there is an intent',
    functionName: 'adopt_fast_grants',
    without: ["ELSE 'none' END AS fate", "ELSE 'take' END AS fate"],
    triggers: ['allocation_keeps_its_past', 'allocation_stage_moves_by_the_table'],
    async harm(bench, submitter) {
      const epoch = await bench.enter(submitter);
      const [a, b] = [
        grantOf(epoch, 0, { exposure: 'declared' }),
        grantOf(epoch, 0, { exposure: 'declared', generation: 3 }),
      ];
      await bench.say('intent', a, 1);
      return (await bench.say('intent', b, 2)) === 'INTENT';
    },
  },
  {
    rule: 'H-5: a relaxed epoch that was cut off leaves what it was lent in quarantine',
    functionName: 'change_epoch',
    without: ['IF NOT v_walk THEN', 'IF false THEN'],
    async harm(bench, submitter) {
      const strict = await bench.enter(submitter, { raise: 1 });
      const released = grantOf(strict, 0);
      await bench.record(released);
      await bench.say('recyclable', released);
      // This epoch's store grants 0 again, which is sent; then the store is lost.
      await bench.enter(submitter, { intents: 'relaxed' });
      const next = await bench.enter(submitter, { intents: 'relaxed', incarnation: 'redis-2' });
      return next.free.some(({ nonce, tainted }) => nonce === 0 && !tainted);
    },
  },
  {
    rule: 'a nonce is handed to the store of an epoch once',
    functionName: 'load_free',
    without: ['a.loaded_epoch IS DISTINCT FROM v_state.epoch OR', 'true OR'],
    async harm(bench, submitter) {
      const strict = await bench.enter(submitter, { raise: 1 });
      const released = grantOf(strict, 0);
      await bench.record(released);
      await bench.say('recyclable', released);
      const relaxed = await bench.enter(submitter, { intents: 'relaxed' });
      const again = { view: relaxed.view, ceilingSeen: -1, raise: 0, defaultWindow: 0 };
      const [answer] = await bench.epochs.refill([again], 'relaxed');
      return relaxed.free.length === 1 && epochOf(answer).free.length === 1;
    },
  },
  {
    rule: 'a late owner is fenced while a relaxed store was lent its nonce',
    functionName: 'is_lent',
    without: ["l.intents = 'relaxed'", 'false'],
    async harm(bench, submitter) {
      const strict = await bench.enter(submitter, { raise: 1 });
      const late = grantOf(strict, 0, { exposure: 'declared' });
      const relaxed = await bench.enter(submitter, { intents: 'relaxed' });
      const lent = relaxed.free.some(({ nonce }) => nonce === 0);
      return lent && (await bench.say('intent', late)) === 'INTENT';
    },
  },
  {
    rule: 'the sweep leaves reservations of the ruling epoch to its store',
    functionName: 'reclaim_of',
    without: [
      "AND NOT (o.engine = 'performance' AND s.engine = 'performance' AND o.epoch = s.epoch)",
      '',
    ],
    async harm(bench, submitter) {
      const epoch = await bench.enter(submitter, { intents: 'relaxed' });
      // Its holder moved the deadline in the store, where Postgres does not see it.
      await bench.record(grantOf(epoch, 0, { exposure: 'declared', deadlineMs: Date.now() - 1 }));
      await bench.fixture.database.pool.query(
        `UPDATE submitter_nonce_state SET reclaim_at = now() - interval '1 s' WHERE submitter = $1`,
        [submitter],
      );
      const row = { view: epoch.view, ceilingSeen: -1, raise: 0, defaultWindow: 0 };
      const [answer] = await bench.epochs.refill([row], 'relaxed');
      return epochOf(answer).free.length > 0;
    },
  },
  {
    rule: 'H-2, S4: the intent of an operation that is bound elsewhere is refused',
    functionName: 'adopt_fast_grants',
    without: ['AND p_ids[o.ord] <> ALL (b.ids))', 'AND false)'],
    alsoWithout: [
      'command_batch',
      "q.hash IS NOT NULL AND a.stage IN ('GRANTED', 'REUSABLE', 'QUARANTINED')",
      'false',
    ],
    async harm(bench, submitter) {
      const old = await bench.enter(submitter, { raise: 8 });
      const lost = grantOf(old, 5, { exposure: 'declared', operationId: 'A' });
      const now = await bench.enter(submitter, { incarnation: 'redis-2' });
      const again = grantOf(now, 3, {
        exposure: 'declared',
        operationId: 'A',
        source: 'recycled',
      });
      await bench.record(again);
      const both = [await bench.say('intent', lost, 1), await bench.say('intent', again, 2)];
      return both.every((stage) => stage === 'INTENT');
    },
  },
];

describeGuards(GUARDS);
