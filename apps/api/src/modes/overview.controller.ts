import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '../documents/api-documentation';
import { RequireScope } from '../http/scopes';
import { OverviewReader } from './overview-reader';
import { OverviewDto } from './overview.dto';

@ApiTags('operations')
@Controller('v1/ops/overview')
export class OverviewController {
  constructor(private readonly reader: OverviewReader) {}

  @Get()
  @RequireScope('ops:read')
  @ApiOperation({ operationId: 'getOverview', summary: 'Mode, running switch and health' })
  @ApiOkResponse({ type: OverviewDto })
  @ApiProblems()
  read(): Promise<OverviewDto> {
    return this.reader.read(new Date());
  }
}
