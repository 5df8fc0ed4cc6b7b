-- AlterEnum
ALTER TYPE "ImageRole" ADD VALUE 'upload';

-- AlterEnum
ALTER TYPE "ResultOutcome" ADD VALUE 'error';

-- AlterTable
ALTER TABLE "Job" ADD COLUMN     "board" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "combination" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN     "errorCount" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "evidenceConsole" TEXT,
ADD COLUMN     "evidenceFirst" INTEGER,
ADD COLUMN     "evidenceLast" INTEGER,
ADD COLUMN     "failCount" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "groupId" UUID,
ADD COLUMN     "groupPosition" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "passCount" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "skipCount" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "steps" JSONB NOT NULL DEFAULT '[]',
ADD COLUMN     "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- AlterTable
ALTER TABLE "Machine" ADD COLUMN     "outcome" "Outcome",
ADD COLUMN     "reason" TEXT;

-- AlterTable
ALTER TABLE "Result" ADD COLUMN     "console" TEXT,
ADD COLUMN     "firstLine" INTEGER,
ADD COLUMN     "lastLine" INTEGER,
ADD COLUMN     "unit" TEXT,
ADD COLUMN     "value" DOUBLE PRECISION;

-- CreateTable
CREATE TABLE "JobGroup" (
    "id" UUID NOT NULL,
    "projectId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "definition" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "JobGroup_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Artifact" (
    "id" UUID NOT NULL,
    "jobId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "contentType" TEXT NOT NULL,
    "sizeBytes" BIGINT NOT NULL,
    "sha256" CHAR(64) NOT NULL,
    "blobKey" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Artifact_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "IdempotencyKey" (
    "projectId" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "fingerprint" CHAR(64) NOT NULL,
    "jobIds" UUID[],
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "IdempotencyKey_pkey" PRIMARY KEY ("projectId","key")
);

-- CreateIndex
CREATE INDEX "JobGroup_projectId_createdAt_id_idx" ON "JobGroup"("projectId", "createdAt" DESC, "id");

-- CreateIndex
CREATE UNIQUE INDEX "Artifact_jobId_name_key" ON "Artifact"("jobId", "name");

-- CreateIndex
CREATE INDEX "IdempotencyKey_createdAt_idx" ON "IdempotencyKey"("createdAt");

-- CreateIndex
CREATE INDEX "Job_projectId_updatedAt_idx" ON "Job"("projectId", "updatedAt");

-- CreateIndex
CREATE INDEX "Job_groupId_groupPosition_idx" ON "Job"("groupId", "groupPosition");

-- CreateIndex
CREATE INDEX "Result_name_idx" ON "Result" USING HASH ("name");

-- AddForeignKey
ALTER TABLE "Job" ADD CONSTRAINT "Job_groupId_fkey" FOREIGN KEY ("groupId") REFERENCES "JobGroup"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "JobGroup" ADD CONSTRAINT "JobGroup_projectId_fkey" FOREIGN KEY ("projectId") REFERENCES "Project"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Artifact" ADD CONSTRAINT "Artifact_jobId_fkey" FOREIGN KEY ("jobId") REFERENCES "Job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "IdempotencyKey" ADD CONSTRAINT "IdempotencyKey_projectId_fkey" FOREIGN KEY ("projectId") REFERENCES "Project"("id") ON DELETE CASCADE ON UPDATE CASCADE;


-- Jobs from before this column
UPDATE "Job" SET "board" = COALESCE("spec" ->> 'board', '');
