import { PostgresFlushStore } from '../../src/postgres/postgres-flush-store';
import { PostgresModeStore } from '../../src/postgres/postgres-mode-store';
import { eventOf } from '../flush/flushed-rows';
import { type FastEpochBench, grantOf } from '../support/fast-epochs';
import { describeGuards, type FunctionGuard } from '../support/function-guards';
import { switchTo } from '../support/mode-switches';
import { batchOf, FIRST_MODE_EPOCH, noncesOf, QUARANTINE, rowOf } from '../support/store-fixture';

const leave = ({ fixture }: FastEpochBench) =>
  switchTo(new PostgresModeStore(fixture.runner), 'RELIABLE');

/**
 * The first two keep no promise of safety: whoever wins an epoch wins it alone, and issues above
 * all that were. Without them nodes that are behind take submitters from each other for ever.
 */
const GUARDS: readonly FunctionGuard[] = [
  {
    rule: 'L5: a node that is behind the mode does not win back what the mode gave away',
    functionName: 'enter_fast_epochs',
    without: ['(q.submitter, p_mode_epoch) THEN', '(q.submitter, p_mode_epoch) AND false THEN'],
    async harm(bench, submitter) {
      await bench.enter(submitter);
      const { epoch } = await leave(bench);
      let moves = 0;
      for (let round = 0; round < 3; round += 1) {
        const view = await bench.epochs.ruling(submitter);
        const ending = view === null ? null : { epoch: view.epoch, retiredNext: 0 };
        await bench.takeOver(submitter, ending, epoch);
        const behind = await bench.ask(submitter, { modeEpoch: FIRST_MODE_EPOCH });
        if (behind?.kind === 'epoch') moves += 1;
      }
      return moves === 3;
    },
  },
  {
    rule: 'L5: a node that is behind the mode does not take away what the mode gives',
    functionName: 'take_over_submitter',
    without: ['OR v_mode.is_fast THEN', 'AND false THEN'],
    async harm(bench, submitter) {
      const { view } = await bench.enter(submitter);
      const ending = { epoch: view.epoch, retiredNext: 0 };
      return (await bench.takeOver(submitter, ending, 0)) === 'taken';
    },
  },
  {
    rule: 'S8: what was told of one epoch ends no other',
    functionName: 'take_over_submitter',
    without: ['v_state.epoch IS DISTINCT FROM p_epoch', 'false'],
    alsoWithout: ['take_over_submitter', 'WHEN v_state.epoch = p_epoch THEN', 'WHEN true THEN'],
    async harm(bench, submitter) {
      const told = await bench.enter(submitter, { intents: 'relaxed', raise: 1 });
      const ruling = await bench.enter(submitter, {
        ...{ intents: 'relaxed', incarnation: 'redis-2', raise: 1 },
      } as const);
      // The store of the ruling epoch grants its only nonce, which is sent; nobody hears of it.
      const { epoch } = await leave(bench);
      const ending = { epoch: told.view.epoch, retiredNext: told.base };
      await bench.takeOver(submitter, ending, epoch);
      const [answer] = await bench.fixture.store.allocate(batchOf([rowOf(submitter)]));
      return answer?.kind === 'granted' && noncesOf(answer).includes(ruling.base);
    },
  },
  {
    rule: 'S3: what a relaxed store issued and told nothing of is not issued clean',
    functionName: 'change_epoch',
    without: [
      "ELSIF v_intents = 'relaxed' AND p_retired_next IS NOT NULL THEN",
      'ELSIF false THEN',
    ],
    async harm(bench, submitter) {
      const { view } = await bench.enter(submitter, { intents: 'relaxed', raise: 4 });
      const { epoch } = await leave(bench);
      // It had granted 0; the fact about it is lost on the way.
      await bench.takeOver(submitter, { epoch: view.epoch, retiredNext: 1 }, epoch);
      const [answer] = await bench.fixture.store.allocate(batchOf([rowOf(submitter)]));
      return noncesOf(answer).includes(0);
    },
  },
  {
    rule: 'S5: a release that is heard of after its store told all counts as one',
    functionName: 'apply_events',
    without: ['AND l.retired_next IS NULL', ''],
    async harm(bench, submitter) {
      const flush = new PostgresFlushStore(bench.fixture.runner);
      const epoch = await bench.enter(submitter, { intents: 'relaxed' });
      const released = grantOf(epoch, 0, { exposure: 'declared' });
      const held = grantOf(epoch, 0, { exposure: 'declared', generation: 3, source: 'recycled' });
      await flush.apply([eventOf(held, 'GRANTED')], QUARANTINE);
      const mode = await leave(bench);
      const ending = { epoch: epoch.view.epoch, retiredNext: 1 };
      await bench.takeOver(submitter, ending, mode.epoch);
      await flush.apply([eventOf(released, 'REUSABLE')], QUARANTINE);
      const { rows } = await bench.fixture.database.pool.query<{ ended_stage: string }>(
        'SELECT ended_stage FROM allocation_grant WHERE id = $1',
        [released.id],
      );
      return rows[0]?.ended_stage !== 'REUSABLE';
    },
  },
];

describeGuards(GUARDS);
