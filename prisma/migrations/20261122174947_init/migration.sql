-- CreateEnum
CREATE TYPE "JobState" AS ENUM ('queued', 'running', 'ended');

-- CreateEnum
CREATE TYPE "Outcome" AS ENUM ('pass', 'fail', 'timeout', 'infra', 'cancelled');

-- CreateEnum
CREATE TYPE "ImageRole" AS ENUM ('kernel', 'initrd', 'firmware', 'drive');

-- CreateEnum
CREATE TYPE "MachineState" AS ENUM ('running', 'ended', 'lost');

-- CreateEnum
CREATE TYPE "ResultOutcome" AS ENUM ('pass', 'fail', 'skip');

-- CreateTable
CREATE TABLE "Project" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Project_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Token" (
    "id" UUID NOT NULL,
    "projectId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "hash" CHAR(64) NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lastUsedAt" TIMESTAMPTZ(3),
    "revokedAt" TIMESTAMPTZ(3),

    CONSTRAINT "Token_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Image" (
    "id" UUID NOT NULL,
    "projectId" UUID NOT NULL,
    "sha256" CHAR(64) NOT NULL,
    "name" TEXT NOT NULL,
    "sizeBytes" BIGINT NOT NULL,
    "type" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "arch" TEXT,
    "byteOrder" TEXT,
    "bits" INTEGER,
    "entry" BIGINT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Image_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Job" (
    "id" UUID NOT NULL,
    "projectId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "state" "JobState" NOT NULL DEFAULT 'queued',
    "outcome" "Outcome",
    "reason" TEXT,
    "spec" JSONB NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "startedAt" TIMESTAMPTZ(3),
    "endedAt" TIMESTAMPTZ(3),
    "cancelRequestedAt" TIMESTAMPTZ(3),
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "virtualNs" BIGINT NOT NULL DEFAULT 0,
    "instructions" BIGINT NOT NULL DEFAULT 0,
    "wallMs" BIGINT NOT NULL DEFAULT 0,
    "consoles" TEXT[],
    "logFirstSeq" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "Job_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "JobImage" (
    "jobId" UUID NOT NULL,
    "role" "ImageRole" NOT NULL,
    "position" INTEGER NOT NULL DEFAULT 0,
    "imageId" UUID NOT NULL,

    CONSTRAINT "JobImage_pkey" PRIMARY KEY ("jobId","role","position")
);

-- CreateTable
CREATE TABLE "Machine" (
    "id" UUID NOT NULL,
    "jobId" UUID NOT NULL,
    "attempt" INTEGER NOT NULL,
    "board" TEXT NOT NULL,
    "worker" TEXT NOT NULL,
    "state" "MachineState" NOT NULL DEFAULT 'running',
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "endedAt" TIMESTAMPTZ(3),
    "virtualNs" BIGINT NOT NULL DEFAULT 0,
    "instructions" BIGINT NOT NULL DEFAULT 0,
    "ramSha256" CHAR(64),

    CONSTRAINT "Machine_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Result" (
    "id" UUID NOT NULL,
    "jobId" UUID NOT NULL,
    "position" INTEGER NOT NULL,
    "suite" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "outcome" "ResultOutcome" NOT NULL,
    "detail" TEXT,
    "startNs" BIGINT,
    "durationNs" BIGINT,

    CONSTRAINT "Result_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "LogSegment" (
    "jobId" UUID NOT NULL,
    "firstSeq" BIGINT NOT NULL,
    "lastSeq" BIGINT NOT NULL,
    "sizeBytes" BIGINT NOT NULL,
    "blobKey" TEXT NOT NULL,

    CONSTRAINT "LogSegment_pkey" PRIMARY KEY ("jobId","firstSeq")
);

-- CreateTable
CREATE TABLE "stream_head" (
    "name" TEXT NOT NULL,
    "next" BIGINT NOT NULL,

    CONSTRAINT "stream_head_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "stream_entry" (
    "name" TEXT NOT NULL,
    "seq" BIGINT NOT NULL,
    "data" BYTEA NOT NULL,

    CONSTRAINT "stream_entry_pkey" PRIMARY KEY ("name","seq")
);

-- CreateIndex
CREATE UNIQUE INDEX "Project_name_key" ON "Project"("name");

-- CreateIndex
CREATE UNIQUE INDEX "Token_hash_key" ON "Token"("hash");

-- CreateIndex
CREATE INDEX "Image_projectId_createdAt_id_idx" ON "Image"("projectId", "createdAt" DESC, "id");

-- CreateIndex
CREATE UNIQUE INDEX "Image_projectId_sha256_key" ON "Image"("projectId", "sha256");

-- CreateIndex
CREATE INDEX "Job_projectId_createdAt_id_idx" ON "Job"("projectId", "createdAt" DESC, "id");

-- CreateIndex
CREATE INDEX "Job_state_createdAt_idx" ON "Job"("state", "createdAt");

-- CreateIndex
CREATE INDEX "JobImage_imageId_idx" ON "JobImage"("imageId");

-- CreateIndex
CREATE UNIQUE INDEX "Machine_jobId_attempt_key" ON "Machine"("jobId", "attempt");

-- CreateIndex
CREATE UNIQUE INDEX "Result_jobId_position_key" ON "Result"("jobId", "position");

-- AddForeignKey
ALTER TABLE "Token" ADD CONSTRAINT "Token_projectId_fkey" FOREIGN KEY ("projectId") REFERENCES "Project"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Image" ADD CONSTRAINT "Image_projectId_fkey" FOREIGN KEY ("projectId") REFERENCES "Project"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Job" ADD CONSTRAINT "Job_projectId_fkey" FOREIGN KEY ("projectId") REFERENCES "Project"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "JobImage" ADD CONSTRAINT "JobImage_jobId_fkey" FOREIGN KEY ("jobId") REFERENCES "Job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "JobImage" ADD CONSTRAINT "JobImage_imageId_fkey" FOREIGN KEY ("imageId") REFERENCES "Image"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Machine" ADD CONSTRAINT "Machine_jobId_fkey" FOREIGN KEY ("jobId") REFERENCES "Job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Result" ADD CONSTRAINT "Result_jobId_fkey" FOREIGN KEY ("jobId") REFERENCES "Job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "LogSegment" ADD CONSTRAINT "LogSegment_jobId_fkey" FOREIGN KEY ("jobId") REFERENCES "Job"("id") ON DELETE CASCADE ON UPDATE CASCADE;
