-- CreateEnum
CREATE TYPE "TransferKind" AS ENUM ('upload', 'import');

-- CreateEnum
CREATE TYPE "TransferState" AS ENUM ('receiving', 'checking', 'stored', 'failed', 'cancelled');

-- AlterTable
ALTER TABLE "Image" ADD COLUMN     "kept" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "lastUsedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ADD COLUMN     "origin" TEXT,
ADD COLUMN     "removedAt" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "Project" ADD COLUMN     "imageRetentionDays" INTEGER;

-- CreateTable
CREATE TABLE "Blob" (
    "sha256" CHAR(64) NOT NULL,
    "touchedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Blob_pkey" PRIMARY KEY ("sha256")
);

-- CreateTable
CREATE TABLE "ImageTransfer" (
    "id" UUID NOT NULL,
    "projectId" UUID NOT NULL,
    "kind" "TransferKind" NOT NULL,
    "name" TEXT NOT NULL,
    "url" TEXT,
    "sizeBytes" BIGINT,
    "receivedBytes" BIGINT NOT NULL DEFAULT 0,
    "expectedSha256" CHAR(64),
    "unpack" BOOLEAN NOT NULL DEFAULT false,
    "state" "TransferState" NOT NULL DEFAULT 'receiving',
    "errors" JSONB,
    "imageId" UUID,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "ImageTransfer_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "ImageTransfer_projectId_createdAt_id_idx" ON "ImageTransfer"("projectId", "createdAt" DESC, "id");

-- CreateIndex
CREATE INDEX "ImageTransfer_state_updatedAt_idx" ON "ImageTransfer"("state", "updatedAt");

-- CreateIndex
CREATE INDEX "Image_sha256_idx" ON "Image"("sha256");

-- AddForeignKey
ALTER TABLE "ImageTransfer" ADD CONSTRAINT "ImageTransfer_projectId_fkey" FOREIGN KEY ("projectId") REFERENCES "Project"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Images that are there already.
INSERT INTO "Blob" ("sha256") SELECT DISTINCT "sha256" FROM "Image";
