import type { DynamicModule } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';

/** Nest tells dynamic modules apart by identity: one definition, one registry per application. */
export const SCHEDULE: DynamicModule = ScheduleModule.forRoot();
