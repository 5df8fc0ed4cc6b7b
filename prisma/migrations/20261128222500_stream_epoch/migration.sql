-- AlterTable
ALTER TABLE "stream_head" ADD COLUMN     "epoch" BIGINT NOT NULL DEFAULT 0;
