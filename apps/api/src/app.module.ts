import { Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import { ArtifactsController } from './artifacts/artifacts.controller.js';
import { ArtifactsService } from './artifacts/artifacts.service.js';
import { AuthGuard } from './auth/auth.guard.js';
import { BadgesController } from './badges/badges.controller.js';
import { BoardsController } from './boards/boards.controller.js';
import { BoardsService } from './boards/boards.service.js';
import { ConsoleGateway } from './console/console.gateway.js';
import { EventsController } from './events/events.controller.js';
import { EventsService } from './events/events.service.js';
import { ImageIntake } from './images/image-intake.js';
import { ImageJanitor } from './images/image-janitor.js';
import { ImagesController } from './images/images.controller.js';
import { ImagesService } from './images/images.service.js';
import { ImportsService } from './images/imports.service.js';
import { MultipartReader } from './images/multipart.js';
import { TransfersController } from './images/transfers.controller.js';
import { UploadsController } from './images/uploads.controller.js';
import { UploadsService } from './images/uploads.service.js';
import { JobImages } from './jobs/job-images.js';
import { JobLogService } from './jobs/job-log.service.js';
import { JobValidation } from './jobs/job-validation.js';
import { JobsController } from './jobs/jobs.controller.js';
import { SchemasController } from './jobs/schemas.controller.js';
import { JobsService } from './jobs/jobs.service.js';
import { Reconciler } from './jobs/reconciler.service.js';
import { SubmissionReader } from './jobs/submission.js';
import { SubmissionsService } from './jobs/submissions.service.js';
import { ResultsController } from './results/results.controller.js';
import { ResultsService } from './results/results.service.js';
import { LabModule } from './lab.module.js';
import { OperationsModule } from './operations/operations.module.js';
import { PeopleModule } from './people/people.module.js';
import { ProblemFilter } from './problem/problem.filter.js';
import { SchemaPipe } from './problem/schema.pipe.js';
import { WebhooksController } from './webhooks/webhooks.controller.js';
import { WebhookSender } from './webhooks/webhook-sender.js';
import { WebhooksService } from './webhooks/webhooks.service.js';
import { WebController } from './web/web.js';

@Module({
  imports: [LabModule, PeopleModule, OperationsModule],
  // The web pages come last: their route takes whatever the others left.
  controllers: [
    BoardsController,
    TransfersController,
    UploadsController,
    ImagesController,
    JobsController,
    SchemasController,
    ArtifactsController,
    ResultsController,
    EventsController,
    BadgesController,
    WebhooksController,
    WebController,
  ],
  providers: [
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_GUARD, useClass: AuthGuard },
    { provide: APP_PIPE, useClass: SchemaPipe },
    BoardsService,
    ImagesService,
    ImageIntake,
    ImageJanitor,
    ImportsService,
    UploadsService,
    MultipartReader,
    JobImages,
    JobValidation,
    JobsService,
    JobLogService,
    ArtifactsService,
    SubmissionReader,
    SubmissionsService,
    ResultsService,
    EventsService,
    WebhooksService,
    WebhookSender,
    Reconciler,
    ConsoleGateway,
  ],
})
export class AppModule {}
