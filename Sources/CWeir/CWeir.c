#define _GNU_SOURCE
#include "CWeir.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <linux/errqueue.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Static_assert(WEIR_IN == EPOLLIN && WEIR_PRI == EPOLLPRI && WEIR_OUT == EPOLLOUT && WEIR_ERR == EPOLLERR, "epoll");
_Static_assert(sizeof(((weir_datagram *)0)->peer) == sizeof(struct sockaddr_storage), "sockaddr_storage");
_Static_assert(WEIR_HUP == EPOLLHUP && WEIR_RDHUP == EPOLLRDHUP && WEIR_EDGE == EPOLLET, "epoll");

static int result(int value) { return value < 0 ? -errno : value; }

// MARK: - A stand-in for the kernel

#ifdef WEIR_STAND_IN
static _Atomic uint32_t fault_kinds;
static _Atomic uint64_t fault_dice;

enum { WATCHED = 4096 };
static struct {
    int epoll;
    uint32_t events;
    uint64_t token;
} watched[WATCHED];

void weir_stand_in(uint64_t seed, uint32_t kinds) {
    atomic_store(&fault_dice, seed);
    atomic_store(&fault_kinds, kinds);
}

// Draws the kind of a wrong answer, or 0 for the kernel's own answer.
static uint32_t draw_fault(int fd, uint32_t possible) {
    uint32_t kinds = atomic_load_explicit(&fault_kinds, memory_order_relaxed) & possible;
    if (__builtin_expect(!kinds, 1)) return 0;
    // SplitMix64.
    uint64_t z = atomic_fetch_add(&fault_dice, 0x9e3779b97f4a7c15) + 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    if (z % 4) return 0;
    unsigned skipped = (unsigned)(z >> 32) % (unsigned)__builtin_popcount(kinds);
    while (skipped-- > 0) kinds &= kinds - 1;
    kinds &= -kinds;
    if ((kinds & (WEIR_FAULT_AGAIN | WEIR_FAULT_SHORT)) && fd < WATCHED && watched[fd].epoll > 0) {
        struct epoll_event event = {.events = watched[fd].events, .data.u64 = watched[fd].token};
        epoll_ctl(watched[fd].epoll, EPOLL_CTL_MOD, fd, &event);
    }
    return kinds;
}

// Returns the errno of a wrong answer; 0 if it has none.
static int fault_error(uint32_t fault) {
    switch (fault) {
    case WEIR_FAULT_AGAIN: return EAGAIN;
    case WEIR_FAULT_INTR: return EINTR;
    case WEIR_FAULT_REFUSED: return ECONNREFUSED;
    case WEIR_FAULT_NOBUFS: return ENOBUFS;
    default: return 0;
    }
}

static void watch(int epoll, int fd, uint32_t events, uint64_t token) {
    if (!atomic_load_explicit(&fault_kinds, memory_order_relaxed) || fd >= WATCHED) return;
    watched[fd].epoll = epoll;
    watched[fd].events = events;
    watched[fd].token = token;
}
#else
// A program that is not tested has none.
void weir_stand_in(uint64_t seed, uint32_t kinds) { (void)seed, (void)kinds; }
static uint32_t draw_fault(int fd, uint32_t possible) { return (void)fd, (void)possible, 0; }
static int fault_error(uint32_t fault) { return (void)fault, 0; }
static void watch(int epoll, int fd, uint32_t events, uint64_t token) { (void)epoll, (void)fd, (void)events, (void)token; }
#endif

int weir_epoll_create(void) { return result(epoll_create1(EPOLL_CLOEXEC)); }

static int control(int epoll, int operation, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    return result(epoll_ctl(epoll, operation, fd, &event));
}

int weir_epoll_add(int epoll, int fd, uint32_t events, uint64_t token) {
    watch(epoll, fd, events, token);
    return control(epoll, EPOLL_CTL_ADD, fd, events, token);
}

int weir_epoll_modify(int epoll, int fd, uint32_t events, uint64_t token) {
    return control(epoll, EPOLL_CTL_MOD, fd, events, token);
}

int weir_epoll_remove(int epoll, int fd) { return control(epoll, EPOLL_CTL_DEL, fd, 0, 0); }

int weir_epoll_wait(int epoll, weir_event *events, int capacity, int64_t timeout_ns) {
    struct epoll_event ready[256];
    struct timespec timeout = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    if (capacity > 256) capacity = 256;
    // Linux before 5.11 lacks epoll_pwait2, and system-call filters may refuse it with any error: then every later wait
    // uses epoll_wait and milliseconds.
    static atomic_bool is_refused;
    int count = -1;
    if (!atomic_load_explicit(&is_refused, memory_order_relaxed)) {
        count = epoll_pwait2(epoll, ready, capacity, timeout_ns < 0 ? NULL : &timeout, NULL);
        if (count < 0 && errno == EINTR) return 0;
        if (count < 0) atomic_store_explicit(&is_refused, true, memory_order_relaxed);
    }
    if (count < 0) {
        int64_t milliseconds = timeout_ns < 0 ? -1 : (timeout_ns + 999999) / 1000000;
        count = epoll_wait(epoll, ready, capacity, milliseconds > 60000 ? 60000 : (int)milliseconds);
    }
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        events[i].token = ready[i].data.u64;
        events[i].events = ready[i].events;
    }
    return count;
}

int weir_eventfd(void) { return result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

void weir_trim_memory(void) { malloc_trim(0); }

// Returns whether an error may come from a filter that refuses a system call, instead of from the call itself.
static bool may_be_refusal(int error) { return error == ENOSYS || error == EPERM || error == EACCES; }

int weir_accept(int fd, void *peer) {
    static atomic_bool is_refused;
    socklen_t length = sizeof(struct sockaddr_storage);
    if (!atomic_load_explicit(&is_refused, memory_order_relaxed)) {
        int accepted = accept4(fd, peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted >= 0 || !may_be_refusal(errno)) return result(accepted);
    }
    // Try the older call: if its answer is different, the newer one is never called again.
    length = sizeof(struct sockaddr_storage);
    int accepted = accept(fd, peer, &length);
    if (accepted < 0 && may_be_refusal(errno)) return -errno;
    atomic_store_explicit(&is_refused, true, memory_order_relaxed);
    if (accepted < 0) return -errno;
    if (fcntl(accepted, F_SETFL, O_NONBLOCK) < 0 || fcntl(accepted, F_SETFD, FD_CLOEXEC) < 0) {
        int error = errno;
        close(accepted);
        return -error;
    }
    return accepted;
}

// recv and send of the C library are cancellation points, which costs more than entering the kernel, so they are
// bypassed unless a sanitizer must see them.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define WEIR_SANITIZED 1
#endif
#endif

int64_t weir_receive(int fd, void *buffer, size_t length) {
    uint32_t fault = draw_fault(fd, WEIR_FAULT_AGAIN | WEIR_FAULT_INTR | WEIR_FAULT_SHORT);
    if (fault_error(fault)) return -fault_error(fault);
    if (fault == WEIR_FAULT_SHORT && length > 100) length = 100;
#ifdef WEIR_SANITIZED
    ssize_t count = recv(fd, buffer, length, 0);
#else
    ssize_t count = syscall(SYS_recvfrom, fd, buffer, length, 0, NULL, NULL);
#endif
    return count < 0 ? -errno : count;
}

int64_t weir_send(int fd, const void *bytes, size_t length, bool more) {
    uint32_t fault = draw_fault(fd, WEIR_FAULT_AGAIN | WEIR_FAULT_INTR | WEIR_FAULT_SHORT);
    if (fault_error(fault)) return -fault_error(fault);
    if (fault == WEIR_FAULT_SHORT) length = (length + 1) / 2;
    int flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
#ifdef WEIR_SANITIZED
    ssize_t count = send(fd, bytes, length, flags);
#else
    ssize_t count = syscall(SYS_sendto, fd, bytes, length, flags, NULL, 0);
#endif
    return count < 0 ? -errno : count;
}

static int ask(int fd, unsigned long request) {
    int value = 0;
    return ioctl(fd, request, &value) < 0 ? -errno : value;
}

int weir_unsent(int fd) { return ask(fd, SIOCOUTQ); }

int weir_in_flight(int fd) {
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0) return -errno;
    if (length < offsetof(struct tcp_info, tcpi_notsent_bytes) + sizeof info.tcpi_notsent_bytes) return -EOPNOTSUPP;
    int unsent = weir_unsent(fd);
    if (unsent < 0) return unsent;
    return unsent > (int)info.tcpi_notsent_bytes ? unsent - (int)info.tcpi_notsent_bytes : 0;
}

bool weir_is_resending(int fd) {
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0) return false;
    // Toward a receiver that has shrunk its window, the kernel retransmits without counting.
    return info.tcpi_retransmits > 0 || info.tcpi_ca_state == TCP_CA_Loss;
}

int weir_unread(int fd) { return ask(fd, SIOCINQ); }

int weir_drops(int fd) {
    uint32_t values[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof values;
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, values, &length) < 0) return -errno;
    return length > SK_MEMINFO_DROPS * sizeof values[0] ? (int)values[SK_MEMINFO_DROPS] : 0;
}

int weir_local_offset(int64_t seconds) {
    time_t time = seconds;
    struct tm local;
    return localtime_r(&time, &local) ? (int)local.tm_gmtoff : 0;
}

void weir_tune_allocator(void) {
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 4 << 20);
}

void weir_name_thread(const char *name) { prctl(PR_SET_NAME, name); }

// MARK: - Datagrams

// Receives like recvmmsg; if that is refused, one by one.
static int receive_many(int fd, struct mmsghdr *headers, unsigned count) {
    static atomic_bool is_refused;
    if (!atomic_load_explicit(&is_refused, memory_order_relaxed)) {
        int received = recvmmsg(fd, headers, count, MSG_DONTWAIT, NULL);
        if (received >= 0 || !may_be_refusal(errno)) return received;
    }
    for (unsigned i = 0; i < count; i++) {
        ssize_t length = recvmsg(fd, &headers[i].msg_hdr, MSG_DONTWAIT);
        if (length < 0 && may_be_refusal(errno)) return i > 0 ? (int)i : -1;
        atomic_store_explicit(&is_refused, true, memory_order_relaxed);
        // Datagrams that were received matter more than a later error, which belongs to an earlier datagram.
        if (length < 0) return i > 0 ? (int)i : -1;
        headers[i].msg_len = (unsigned)length;
    }
    return (int)count;
}

// Sends like sendmmsg; if that is refused, one by one.
static int send_many(int fd, struct mmsghdr *headers, unsigned count) {
    static atomic_bool is_refused;
    int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    if (!atomic_load_explicit(&is_refused, memory_order_relaxed)) {
        int sent = sendmmsg(fd, headers, count, flags);
        if (sent >= 0 || !may_be_refusal(errno)) return sent;
    }
    for (unsigned i = 0; i < count; i++) {
        ssize_t length = sendmsg(fd, &headers[i].msg_hdr, flags);
        // A firewall also refuses a datagram with EPERM: then the newer call is tried again.
        if (length < 0) return i > 0 ? (int)i : -1;
        atomic_store_explicit(&is_refused, true, memory_order_relaxed);
        headers[i].msg_len = (unsigned)length;
    }
    return (int)count;
}

enum { CONTROL = 64 };

struct weir_inbox {
    struct mmsghdr headers[WEIR_BATCH];
    struct iovec vectors[WEIR_BATCH];
    weir_datagram datagrams[WEIR_BATCH];
    uint8_t controls[WEIR_BATCH][CONTROL] __attribute__((aligned(16)));
    uint8_t *bytes;
};

weir_inbox *weir_inbox_create(void) {
    weir_inbox *inbox = calloc(1, sizeof *inbox);
    if (!inbox) return NULL;
    inbox->bytes = malloc((size_t)WEIR_BATCH * WEIR_BUFFER);
    if (!inbox->bytes) {
        free(inbox);
        return NULL;
    }
    for (unsigned i = 0; i < WEIR_BATCH; i++) {
        inbox->vectors[i].iov_base = inbox->bytes + (size_t)i * WEIR_BUFFER;
        inbox->vectors[i].iov_len = WEIR_BUFFER - 1;
        inbox->headers[i].msg_hdr.msg_iov = &inbox->vectors[i];
        inbox->headers[i].msg_hdr.msg_iovlen = 1;
    }
    return inbox;
}

void weir_inbox_destroy(weir_inbox *inbox) {
    if (inbox) free(inbox->bytes);
    free(inbox);
}

// Finds the address to which a datagram was sent.
static void find_local(struct msghdr *header, weir_address *local) {
    local->family = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            memset(local, 0, sizeof *local);
            memcpy(local->bytes, &info.ipi_addr, 4);
            local->family = 4;
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            memcpy(local->bytes, &info.ipi6_addr, 16);
            local->scope = IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr) ? info.ipi6_ifindex : 0;
            local->family = 6;
        }
    }
}

int weir_inbox_receive(weir_inbox *inbox, int fd, unsigned first, unsigned count, bool with_peer) {
    uint32_t fault = draw_fault(fd, WEIR_FAULT_AGAIN | WEIR_FAULT_INTR | WEIR_FAULT_SHORT | WEIR_FAULT_REFUSED);
    if (fault_error(fault)) return -fault_error(fault);
    if (fault == WEIR_FAULT_SHORT) count = 1;
    for (unsigned i = first; i < first + count; i++) {
        struct msghdr *header = &inbox->headers[i].msg_hdr;
        header->msg_name = with_peer ? &inbox->datagrams[i].peer : NULL;
        header->msg_namelen = with_peer ? sizeof inbox->datagrams[i].peer : 0;
        header->msg_control = with_peer ? inbox->controls[i] : NULL;
        header->msg_controllen = with_peer ? CONTROL : 0;
    }
    int received = receive_many(fd, &inbox->headers[first], count);
    if (received < 0) return -errno;
    for (unsigned i = first; i < first + (unsigned)received; i++) {
        weir_datagram *datagram = &inbox->datagrams[i];
        datagram->length = inbox->headers[i].msg_len;
        datagram->truncated = inbox->headers[i].msg_hdr.msg_flags & MSG_TRUNC;
        if (with_peer) find_local(&inbox->headers[i].msg_hdr, &datagram->local);
    }
    return received;
}

const weir_datagram *weir_inbox_datagram(const weir_inbox *inbox, unsigned index) { return &inbox->datagrams[index]; }

const void *weir_inbox_bytes(const weir_inbox *inbox, unsigned index) { return inbox->vectors[index].iov_base; }

int weir_disconnect(int fd) {
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    return result(connect(fd, &nobody, sizeof nobody));
}

int weir_keep_errors(int fd, bool is_ipv6) {
    int on = 1;
    if (is_ipv6) return result(setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on));
    return result(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on));
}

int weir_take_errors(int fd, int *errors, unsigned count) {
    unsigned taken = 0;
    while (taken < count) {
        uint8_t control[512] __attribute__((aligned(16)));
        struct msghdr header = {.msg_control = control, .msg_controllen = sizeof control};
        if (recvmsg(fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) break;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
            bool is_error = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR)
                || (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
            if (!is_error) continue;
            struct sock_extended_err error;
            memcpy(&error, CMSG_DATA(c), sizeof error);
            // A local error was already the result of the send that caused it.
            if (error.ee_origin != SO_EE_ORIGIN_LOCAL) errors[taken++] = (int)error.ee_errno;
            break;
        }
    }
    return (int)taken;
}

struct weir_outbox {
    struct mmsghdr headers[WEIR_BATCH];
    struct iovec vectors[WEIR_BATCH];
    struct sockaddr_storage peers[WEIR_BATCH];
    uint8_t controls[WEIR_BATCH][CONTROL] __attribute__((aligned(16)));
};

weir_outbox *weir_outbox_create(void) { return calloc(1, sizeof(weir_outbox)); }

void weir_outbox_destroy(weir_outbox *outbox) { free(outbox); }

// Writes the control message that sets a datagram's source address.
static size_t put_local(uint8_t *control, const weir_address *local) {
    struct cmsghdr *c = (struct cmsghdr *)control;
    if (local->family == 4) {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, local->bytes, 4);
        c->cmsg_level = IPPROTO_IP;
        c->cmsg_type = IP_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(c), &info, sizeof info);
        return CMSG_SPACE(sizeof info);
    }
    struct in6_pktinfo info = {.ipi6_ifindex = local->scope};
    memcpy(&info.ipi6_addr, local->bytes, 16);
    c->cmsg_level = IPPROTO_IPV6;
    c->cmsg_type = IPV6_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof info);
    memcpy(CMSG_DATA(c), &info, sizeof info);
    return CMSG_SPACE(sizeof info);
}

void weir_outbox_put(weir_outbox *outbox, unsigned index, const void *bytes, size_t length,
                     const void *peer, uint32_t peer_length, const weir_address *local) {
    struct msghdr *header = &outbox->headers[index].msg_hdr;
    outbox->vectors[index].iov_base = (void *)bytes;
    outbox->vectors[index].iov_len = length;
    header->msg_iov = &outbox->vectors[index];
    header->msg_iovlen = 1;
    if (peer) memcpy(&outbox->peers[index], peer, peer_length);
    header->msg_name = peer ? &outbox->peers[index] : NULL;
    header->msg_namelen = peer ? peer_length : 0;
    bool chosen = local && local->family != 0;
    header->msg_control = chosen ? outbox->controls[index] : NULL;
    header->msg_controllen = chosen ? put_local(outbox->controls[index], local) : 0;
}

int weir_outbox_send(weir_outbox *outbox, int fd, unsigned first, unsigned count) {
    uint32_t fault = draw_fault(fd, ~0U);
    if (fault_error(fault)) return -fault_error(fault);
    if (fault == WEIR_FAULT_SHORT) count = 1;
    return result(send_many(fd, &outbox->headers[first], count));
}
