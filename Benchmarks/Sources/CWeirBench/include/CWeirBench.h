// What the load generator needs and Swift cannot see or call on Linux: epoll (through its header), accept4, recvmmsg,
// sendmmsg, and a signal handler that only sets a flag. Every function returns -errno where the system call failed.
#ifndef WEIR_BENCH_H
#define WEIR_BENCH_H

#include "CWeirBenchTLS.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

/// A fixed set of datagram buffers with their headers, allocated once and reused for every call.
typedef struct weir_bench_batch weir_bench_batch;

/// Allocates a batch of `count` datagrams of `size` bytes each; NULL when there is no memory.
weir_bench_batch *_Nullable weir_bench_batch_create(unsigned count, size_t size);

/// Frees a batch.
void weir_bench_batch_destroy(weir_bench_batch *_Nonnull batch);

/// Returns the bytes of datagram `index`.
uint8_t *_Nonnull weir_bench_batch_bytes(weir_bench_batch *_Nonnull batch, unsigned index);

/// Returns the length of datagram `index` after the last receive.
size_t weir_bench_batch_length(const weir_bench_batch *_Nonnull batch, unsigned index);

/// Receives as many datagrams as are there (recvmmsg, MSG_DONTWAIT); the number received or -errno.
int weir_bench_batch_receive(weir_bench_batch *_Nonnull batch, int descriptor);

/// Sends the first `count` received datagrams back to where they came from (sendmmsg); the number sent or -errno.
int weir_bench_batch_echo(weir_bench_batch *_Nonnull batch, int descriptor, unsigned count);

/// Sends the first `count` datagrams at full size on a connected socket (sendmmsg); the number sent or -errno.
int weir_bench_batch_send(weir_bench_batch *_Nonnull batch, int descriptor, unsigned count);

/// Accepts one connection, non-blocking and close-on-exec; the descriptor or -errno.
int weir_bench_accept(int listener);

/// Reads a counter that another process, or thread, may be writing.
static inline uint64_t weir_bench_load(const uint64_t *_Nonnull counter) {
    return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

/// Writes a counter that others may be reading.
static inline void weir_bench_store(uint64_t *_Nonnull counter, uint64_t value) {
    __atomic_store_n(counter, value, __ATOMIC_RELEASE);
}

/// Makes SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGPIPE set a flag in place of ending the process.
void weir_bench_watch_signals(void);

/// Returns the number of the last signal that was seen, 0 for none.
int weir_bench_stop_signal(void);

/// Lowers the priority of the calling thread, and of those that it starts, so that the relay comes first (nice 10).
void weir_bench_yield_priority(void);

#endif
