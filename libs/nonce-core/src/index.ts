export * from './domain';
export * from './ports';
export { AdminServer, type AdminFacts, type MetricsSource } from './module/admin/admin-server';
export { HealthReports, type HealthReport } from './module/admin/health-reports';
export { FlushDrain } from './module/fast/flush-drain';
export { LOG_REDACTION } from './module/admin/log-redaction';
export { readVersion, type Version } from './module/admin/version';
export {
  environmentReference,
  type EnvironmentReferenceRow,
} from './module/environment/environment-reference';
export { loadEnvironment } from './module/environment/load-environment';
export { NonceEnvironment } from './module/environment/nonce-environment';
export type { EnvironmentSource } from './module/environment/read-setting';
export {
  FromEnvironment,
  type EnvironmentClass,
  type SettingSpec,
} from './module/environment/setting';
export { toNonceOptions } from './module/environment/to-nonce-options';
export { toRedisConnection, type RedisConnection } from './module/environment/to-redis-connection';
export type { ChainClient, ChainOptions } from './module/chain-options';
export type {
  DatabaseOptions,
  FlushOptions,
  NonceModuleOptions,
  PerformanceOptions,
  RecoveryOptions,
  ResolvedNonceOptions,
} from './module/options';
export { FlushOverview, type FlushStatus } from './flush/flush-overview';
export { migrate, type MigrateOptions } from './postgres/migrate';
export { type NonceModuleAsyncOptions, type NonceOptionsFactory } from './module/async-options';
export {
  InjectNonce,
  InjectSubmitter,
  SubmitterNonces,
  submitterToken,
  type NamedSubmitter,
} from './module/named-submitters';
export {
  NonceComponent,
  type AllocateOptions,
  type NonceRef,
  type SubmitSteps,
} from './module/nonce-component';
export { NonceEvents, type NonceEventListener } from './module/nonce-events';
export { NonceHealthIndicator } from './module/nonce-health-indicator';
export { NonceRecoveryService } from './module/nonce-recovery-service';
export { NonceModule } from './module/nonce.module';
export { OPTION_DEFAULTS } from './module/option-defaults';
export { StableBlocks, type StableBlockEvent } from './heads/stable-blocks';
export { NonceTrackingModule } from './module/tracking/nonce-tracking.module';
export { PeriodicJobs } from './module/tracking/periodic-jobs';
export type { TrackingIntervals } from './module/tracking/tracking-jobs';
export { prefetchProblems } from './module/prefetch-problems';
export { SystemClock } from './module/system-clock';
export {
  ACCESS_STORE,
  ALARM_STORE,
  ALIGNMENT_STORE,
  ALLOCATION_STORE,
  CHAIN_REGISTRY,
  HEALTH_PROBES,
  MIRROR_REPORT,
  MODE_SOURCE,
  MODE_STORE,
  MODE_SWITCHING,
  METRICS_REGISTRY,
  NONCE_CLOCK,
  NONCE_LOGGER,
  NONCE_METRICS,
  NONCE_OPTIONS,
  SUBMITTER_STORE,
  TRACKING_STORE,
  TRANSITION_LOG,
} from './module/tokens';
export { AlignWithChain } from './recovery/align-with-chain';
export {
  RECONCILE_SCOPES,
  type ReconcileCounts,
  type ReconcileProblem,
  type ReconcileScope,
  type Reconciliation,
} from './domain/reconciliation';
export { tellTransition } from './tracking/tell-transition';
export type {
  TrackedTransition,
  TransitionLog,
  TransitionPlace,
} from './ports/transition-log.port';
export type { ReconcileOrder } from './ports/reconciliation-store.port';
export type { ReconcileRun, SubmitterReconciliation } from './recovery/full-reconcile';
export {
  ALARM_KINDS,
  runbookOf,
  type Alarm,
  type AlarmFigure,
  type AlarmKind,
  type AlarmThresholds,
} from './domain/alarm';
export type { AlarmSink, AlarmStore } from './ports/alarm.port';
export type { RebaselineReport } from './recovery/rebaseline-submitter';
export type { OperatorWord } from './recovery/continuity';
export { ContinuityWatch, type RecoveryState } from './recovery/continuity-watch';
export {
  ALIGNMENT_SWEEP_DEFAULTS,
  AlignmentSweep,
  type AlignmentSweepSettings,
} from './recovery/alignment-sweep';
export { RedisLockCoordinator } from './redis/redis-lock-coordinator';
export { NonceEngineManager } from './routing/engine-manager';
export type { NonceContext, Replacement } from './template/nonce-context';
export { NonceExecutionTemplate } from './template/nonce-execution-template';
export type { NonceExecution, NonceHandler, WithNonceOptions } from './template/with-nonce';
export { nonceTransport } from './viem/nonce-transport';
export { toViemAccount } from './viem/to-viem-account';
export { toViemNonceManager } from './viem/to-viem-nonce-manager';
