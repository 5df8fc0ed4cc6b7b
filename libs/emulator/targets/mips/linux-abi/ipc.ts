/**
 * System V IPC in the Linux ABI of MIPS o32. Source: asm/shmbuf.h, asm/sembuf.h, asm/msgbuf.h and asm/shmparam.h of
 * Linux 6.1's user-space headers. Upper halves of times, which come in 2106, are padding here.
 */
import type { ByteOrder } from '../../../core/index.js';
import { IPC_PERMISSION } from '../../linux-abi/ipc-abi.js';
import type { LinuxIpcAbi } from '../../linux-abi/ipc-abi.js';
import { padding, structLayout } from '../../linux-abi/layout.js';
import { O32 } from './files.js';

/** SI_MESGQ of asm/siginfo.h: MIPS has numbers of its own for it. */
const SI_MESGQ = -4;
/** 256 KiB, for caches whose lines are found by virtual addresses. */
const SHMLBA = 0x40000;

export function mipsO32Ipc(byteOrder: ByteOrder): LinuxIpcAbi {
  const high = padding('ulong');
  const msqidDs =
    byteOrder === 'big'
      ? structLayout(O32, {
          ...IPC_PERMISSION,
          stime_high: high,
          msg_stime: 'ulong',
          rtime_high: high,
          msg_rtime: 'ulong',
          ctime_high: high,
          msg_ctime: 'ulong',
          ...QUEUE_COUNTS,
        })
      : structLayout(O32, {
          ...IPC_PERMISSION,
          msg_stime: 'ulong',
          stime_high: high,
          msg_rtime: 'ulong',
          rtime_high: high,
          msg_ctime: 'ulong',
          ctime_high: high,
          ...QUEUE_COUNTS,
        });
  return {
    shmidDs: structLayout(O32, {
      ...IPC_PERMISSION,
      shm_segsz: 'ulong',
      shm_atime: 'ulong',
      shm_dtime: 'ulong',
      shm_ctime: 'ulong',
      shm_cpid: 'i32',
      shm_lpid: 'i32',
      shm_nattch: 'ulong',
      times_high: padding('u16', 4),
    }),
    semidDs: structLayout(O32, {
      ...IPC_PERMISSION,
      sem_otime: 'ulong',
      sem_ctime: 'ulong',
      sem_nsems: 'ulong',
      times_high: padding('ulong', 2),
    }),
    msqidDs,
    attachAlignment: SHMLBA,
    alignsFixedAttachments: true,
    queueSignalCode: SI_MESGQ,
  };
}

const QUEUE_COUNTS = {
  msg_cbytes: 'ulong',
  msg_qnum: 'ulong',
  msg_qbytes: 'ulong',
  msg_lspid: 'i32',
  msg_lrpid: 'i32',
  unused: padding('ulong', 2),
} as const;
