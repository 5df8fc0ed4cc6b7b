-- AlterTable
ALTER TABLE "Job" ADD COLUMN     "missingArtifacts" JSONB NOT NULL DEFAULT '[]';

-- CreateIndex
CREATE INDEX "Artifact_createdAt_idx" ON "Artifact"("createdAt");
