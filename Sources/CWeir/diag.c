// Queries to the kernel for its sockets (sock_diag(7)), and to /proc for the processes that have them open.
#define _GNU_SOURCE
#include "CWeir.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// The kernel fills 32 KiB at once at most.
enum { PIECE = 32768 };

int weir_diag_open(void) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0) return -errno;
    struct timeval patience = {.tv_sec = 1};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

typedef struct {
    struct nlmsghdr header;
    struct inet_diag_req_v2 body;
} request;

static int ask(int diag, const request *question) {
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    ssize_t count = sendto(diag, question, sizeof *question, 0, (struct sockaddr *)&kernel, sizeof kernel);
    return count < 0 ? -errno : 0;
}

static void begin(request *question, bool udp, int family, uint32_t states) {
    static _Atomic uint32_t sequence;
    memset(question, 0, sizeof *question);
    question->header.nlmsg_len = sizeof *question;
    question->header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    question->header.nlmsg_flags = NLM_F_REQUEST;
    question->header.nlmsg_seq = ++sequence;
    question->body.sdiag_family = family == 4 ? AF_INET : AF_INET6;
    question->body.sdiag_protocol = udp ? IPPROTO_UDP : IPPROTO_TCP;
    question->body.idiag_states = states;
}

static void read_socket(const struct inet_diag_msg *message, weir_socket *found) {
    memset(found, 0, sizeof *found);
    found->family = message->idiag_family == AF_INET ? 4 : 6;
    memcpy(found->local, message->id.idiag_src, 16);
    memcpy(found->remote, message->id.idiag_dst, 16);
    found->local_port = ntohs(message->id.idiag_sport);
    found->remote_port = ntohs(message->id.idiag_dport);
    found->scope = message->id.idiag_if;
    found->state = message->idiag_state;
    found->user = message->idiag_uid;
    found->inode = message->idiag_inode;
    found->cookie = (uint64_t)message->id.idiag_cookie[1] << 32 | message->id.idiag_cookie[0];
}

// Reads the answers to one question until the kernel reports the end; take returns false if it needs no more.
static int listen_for(int diag, uint32_t sequence, bool (*take)(void *, const weir_socket *), void *context) {
    _Alignas(struct nlmsghdr) char piece[PIECE];
    bool wants = true;
    for (;;) {
        ssize_t count = recv(diag, piece, sizeof piece, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return count < 0 ? -errno : -EIO;
        int left = (int)count;
        for (struct nlmsghdr *header = (struct nlmsghdr *)piece; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
            // A late answer to the previous question.
            if (header->nlmsg_seq != sequence) continue;
            if (header->nlmsg_type == NLMSG_DONE) return 0;
            if (header->nlmsg_type == NLMSG_ERROR) {
                const struct nlmsgerr *error = NLMSG_DATA(header);
                return error->error;
            }
            if (header->nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg))) continue;
            weir_socket found;
            read_socket(NLMSG_DATA(header), &found);
            wants = wants && take(context, &found);
            if (!(header->nlmsg_flags & NLM_F_MULTI)) return 0;
        }
    }
}

static bool take_one(void *context, const weir_socket *found) {
    *(weir_socket *)context = *found;
    return false;
}

int weir_diag_find(int diag, bool udp, const weir_socket *wanted, weir_socket *found) {
    request question;
    begin(&question, udp, wanted->family, UINT32_MAX);
    struct inet_diag_sockid *id = &question.body.id;
    // For UDP the kernel uses the source as the remote end, "for historical reasons" (net/ipv4/udp_diag.c).
    memcpy(id->idiag_src, udp ? wanted->remote : wanted->local, 16);
    memcpy(id->idiag_dst, udp ? wanted->local : wanted->remote, 16);
    id->idiag_sport = htons(udp ? wanted->remote_port : wanted->local_port);
    id->idiag_dport = htons(udp ? wanted->local_port : wanted->remote_port);
    id->idiag_if = wanted->scope;
    id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    memset(found, 0, sizeof *found);
    int status = ask(diag, &question);
    if (status < 0) return status;
    status = listen_for(diag, question.header.nlmsg_seq, take_one, found);
    if (status < 0) return status;
    return found->family ? 0 : -ENOENT;
}

int weir_diag_list(int diag, bool udp, int family, uint32_t states, bool (*take)(void *, const weir_socket *),
                   void *context) {
    request question;
    begin(&question, udp, family, states);
    question.header.nlmsg_flags |= NLM_F_DUMP;
    int status = ask(diag, &question);
    return status < 0 ? status : listen_for(diag, question.header.nlmsg_seq, take, context);
}

uint64_t weir_cookie(int fd) {
    uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) < 0 ? 0 : cookie;
}

int weir_own_descriptors(const int *kept, unsigned count) {
    if (unshare(CLONE_FILES) < 0) return -errno;
    for (int fd = 3, last = (int)sysconf(_SC_OPEN_MAX); fd < last;) {
        int next = last;
        bool keeps = false;
        for (unsigned i = 0; i < count; i++) {
            if (kept[i] == fd) keeps = true;
            if (kept[i] > fd && kept[i] < next) next = kept[i];
        }
        int from = keeps ? fd + 1 : fd;
        if (from < next && syscall(SYS_close_range, from, next == last ? ~0U : (unsigned)next - 1, 0) < 0) {
            // Linux before 5.9 has no close_range.
            for (int i = from; i < next; i++) close(i);
        }
        fd = next;
    }
    return 0;
}

// Returns the index of an inode in a list in rising order; -1 if it is not there.
static int place_of(uint32_t inode, const uint32_t *inodes, unsigned count) {
    unsigned low = 0, high = count;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (inodes[middle] < inode) low = middle + 1;
        else high = middle;
    }
    return low < count && inodes[low] == inode ? (int)low : -1;
}

// Returns the inode of a descriptor that is a socket; 0 for any other descriptor.
static uint32_t socket_inode(DIR *folder, const char *name) {
    char target[64];
    ssize_t length = readlinkat(dirfd(folder), name, target, sizeof target - 1);
    if (length < 9 || memcmp(target, "socket:[", 8)) return 0;
    target[length] = 0;
    return (uint32_t)strtoul(target + 8, NULL, 10);
}

int weir_process_holds(int process, const uint32_t *inodes, unsigned count, bool *held, int *descriptor, bool whole) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", process);
    DIR *folder = opendir(path);
    if (!folder) return -errno;
    unsigned left = 0;
    for (unsigned i = 0; i < count; i++) left += !held[i];
    int found = 0, begin = *descriptor > 0 ? *descriptor : 0;
    // A process that keeps opening sockets has the new ones after those that were found last, so begin there: otherwise
    // thousands of others would be read again and again. The kernel lists descriptor N at position N + 2
    // (fs/proc/fd.c).
    for (int pass = begin ? 0 : 1; pass < (whole || !begin ? 2 : 1) && left; pass++) {
        seekdir(folder, pass ? 0 : begin + 2);
        for (struct dirent *entry; left && (entry = readdir(folder));) {
            if (entry->d_name[0] == '.') continue;
            if (pass && begin && atoi(entry->d_name) >= begin) break;
            int place = place_of(socket_inode(folder, entry->d_name), inodes, count);
            if (place < 0 || held[place]) continue;
            held[place] = true;
            *descriptor = atoi(entry->d_name);
            found++;
            left--;
        }
    }
    closedir(folder);
    return found;
}
