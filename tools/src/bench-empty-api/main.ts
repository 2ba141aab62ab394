/**
 * The yardstick of the HTTP case: Nest on fastify, the validation of an allocation request, and a
 * handler that does nothing. Listens on a free port and says which to the program that forked it.
 */
import 'reflect-metadata';
import { Body, Controller, Module, Param, Post, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { IsInt, IsObject, IsOptional, IsString, Max, Min } from 'class-validator';

class AllocateBody {
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(256)
  count?: number;

  @IsOptional()
  @IsInt()
  @Min(1_000)
  @Max(86_400_000)
  ttlMs?: number;

  @IsOptional()
  @IsString()
  operationId?: string;

  @IsOptional()
  @IsObject()
  metadata?: Record<string, unknown>;
}

@Controller('v1/submitters/:submitter/allocations')
class EmptyController {
  /** As long as a real answer. */
  @Post()
  allocate(@Param('submitter') submitter: string, @Body() body: AllocateBody): unknown {
    const at = new Date().toISOString();
    const id = '00000000-0000-7000-8000-000000000000';
    const item = {
      ...{ id, submitter, nonce: body.count ?? 1, status: 'RESERVED', stage: 'GRANTED' },
      ...{ source: 'fresh', epoch: 1, engine: 'reliable', operationId: null, txHash: null },
      ...{ proof: null, deadline: at, createdAt: at, updatedAt: at, hashes: [], note: null },
    };
    return { items: [item], contiguous: true };
  }
}

@Module({ controllers: [EmptyController] })
class EmptyModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create<NestFastifyApplication>(
    EmptyModule,
    new FastifyAdapter({ forceCloseConnections: true }),
    { logger: false },
  );
  app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true }));
  await app.listen(0, '127.0.0.1');
  process.send?.({ url: await app.getUrl() });
  process.once('disconnect', () => process.exit(0));
}

void main();
