#define _GNU_SOURCE
#include "CWeirBench.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

struct weir_bench_batch {
    unsigned count;
    size_t size;
    struct mmsghdr *headers;
    struct iovec *vectors;
    struct sockaddr_in *senders;
    uint8_t *bytes;
};

weir_bench_batch *weir_bench_batch_create(unsigned count, size_t size) {
    weir_bench_batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL) return NULL;
    batch->count = count;
    batch->size = size;
    batch->headers = calloc(count, sizeof *batch->headers);
    batch->vectors = calloc(count, sizeof *batch->vectors);
    batch->senders = calloc(count, sizeof *batch->senders);
    batch->bytes = calloc(count, size);
    if (!batch->headers || !batch->vectors || !batch->senders || !batch->bytes) {
        weir_bench_batch_destroy(batch);
        return NULL;
    }
    for (unsigned index = 0; index < count; index++) {
        batch->vectors[index].iov_base = batch->bytes + index * size;
        batch->headers[index].msg_hdr.msg_iov = &batch->vectors[index];
        batch->headers[index].msg_hdr.msg_iovlen = 1;
    }
    return batch;
}

void weir_bench_batch_destroy(weir_bench_batch *batch) {
    free(batch->headers);
    free(batch->vectors);
    free(batch->senders);
    free(batch->bytes);
    free(batch);
}

uint8_t *weir_bench_batch_bytes(weir_bench_batch *batch, unsigned index) { return batch->bytes + index * batch->size; }

size_t weir_bench_batch_length(const weir_bench_batch *batch, unsigned index) {
    return batch->headers[index].msg_len;
}

static int send_headers(weir_bench_batch *batch, int descriptor, unsigned count) {
    unsigned sent = 0;
    while (sent < count) {
        int result = sendmmsg(descriptor, batch->headers + sent, count - sent, MSG_DONTWAIT);
        if (result < 0) {
            if (errno == EINTR) continue;
            return sent > 0 ? (int)sent : -errno;
        }
        sent += (unsigned)result;
    }
    return (int)sent;
}

int weir_bench_batch_receive(weir_bench_batch *batch, int descriptor) {
    for (unsigned index = 0; index < batch->count; index++) {
        batch->vectors[index].iov_len = batch->size;
        batch->headers[index].msg_hdr.msg_name = &batch->senders[index];
        batch->headers[index].msg_hdr.msg_namelen = sizeof batch->senders[index];
    }
    int result;
    do {
        result = recvmmsg(descriptor, batch->headers, batch->count, MSG_DONTWAIT, NULL);
    } while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}

int weir_bench_batch_echo(weir_bench_batch *batch, int descriptor, unsigned count) {
    for (unsigned index = 0; index < count; index++) batch->vectors[index].iov_len = batch->headers[index].msg_len;
    return send_headers(batch, descriptor, count);
}

int weir_bench_batch_send(weir_bench_batch *batch, int descriptor, unsigned count) {
    for (unsigned index = 0; index < count; index++) {
        batch->vectors[index].iov_len = batch->size;
        batch->headers[index].msg_hdr.msg_name = NULL;
        batch->headers[index].msg_hdr.msg_namelen = 0;
    }
    return send_headers(batch, descriptor, count);
}

int weir_bench_accept(int listener) {
    int result;
    do {
        result = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}

static volatile sig_atomic_t stop_signal;

static void remember_signal(int number) { stop_signal = number; }

void weir_bench_watch_signals(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = remember_signal;
    action.sa_flags = SA_RESTART;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    sigaction(SIGQUIT, &action, NULL);
    sigaction(SIGPIPE, &action, NULL);
}

int weir_bench_stop_signal(void) { return stop_signal; }

// On Linux this is the calling thread's alone.
void weir_bench_yield_priority(void) { setpriority(PRIO_PROCESS, 0, 10); }
