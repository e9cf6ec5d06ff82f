// Functions and types that Swift cannot see or call: epoll's packed struct, the variants of accept and recvmsg that are
// GNU extensions, and the CMSG macros. Every function returns a number of at least 0, or a negative errno.
//
// Addresses are passed as void *, each to a struct sockaddr_storage: if its header were included here, Swift would find
// the system's declarations sometimes in this module, and sometimes in Glibc.
#ifndef CWEIR_H
#define CWEIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A ready descriptor: the token that it was added with, and the EPOLL bits.
typedef struct {
    uint64_t token;
    uint32_t events;
} weir_event;

enum {
    WEIR_IN = 0x001,
    WEIR_PRI = 0x002,
    WEIR_OUT = 0x004,
    WEIR_ERR = 0x008,
    WEIR_HUP = 0x010,
    WEIR_RDHUP = 0x2000,
};
#define WEIR_EDGE (UINT32_C(1) << 31)

int weir_epoll_create(void);
int weir_epoll_add(int epoll, int fd, uint32_t events, uint64_t token);
int weir_epoll_modify(int epoll, int fd, uint32_t events, uint64_t token);
int weir_epoll_remove(int epoll, int fd);
// Waits for at most timeout_ns nanoseconds, or for ever if it is negative. Returns 0 if a signal interrupts it.
int weir_epoll_wait(int epoll, weir_event *events, int capacity, int64_t timeout_ns);

int weir_eventfd(void);

// Returns freed memory to the system.
void weir_trim_memory(void);

// Accepts a connection as a non-blocking, close-on-exec descriptor.
int weir_accept(int fd, void *peer);
// Reads from a socket; returns 0 at the end of the stream.
int64_t weir_receive(int fd, void *buffer, size_t length);
// Sends on a socket without raising SIGPIPE. more means that a half-close follows at once: bytes that do not fill a
// packet wait for it, and leave in the same packet.
int64_t weir_send(int fd, const void *bytes, size_t length, bool more);
// Returns how many bytes of a TCP socket its peer has not acknowledged.
int weir_unsent(int fd);
// Returns how many of them were sent, so may have arrived; -EOPNOTSUPP if the kernel cannot tell (before 4.6).
int weir_in_flight(int fd);
// Returns whether those were retransmitted because no acknowledgment came for at least 200 ms: they probably did not
// arrive.
bool weir_is_resending(int fd);
// Returns how many bytes can be read from a socket.
int weir_unread(int fd);
// Returns how many datagrams the kernel dropped because the socket's receive buffer was full.
int weir_drops(int fd);
// Returns how many seconds local time is ahead of UTC at a time, in seconds since 1970 UTC.
int weir_local_offset(int64_t seconds);

// Makes the allocator keep up to 4 MiB of freed blocks of less than 1 MiB per thread for later use, instead of
// returning each to the system: a slow receiver's queues come and go in such blocks.
void weir_tune_allocator(void);
// Sets the calling thread's name, at most 15 bytes, for ps and debuggers.
void weir_name_thread(const char *name);

// Starts a process that creates and deletes files in a folder for a user, and returns the socket for requests to it;
// the process ends when that is closed. Call it before dropping rights, and before opening anything that the process
// must not keep open.
int weir_file_helper_start(const char *folder, uint32_t user, uint32_t group);
// Asks for a new file with a name without '/' and the mode 0600, and returns its descriptor; or deletes one of the
// user's files.
int weir_file_helper_ask(int helper, bool removes, const char *name);
// Makes sure for good that no program started by this one has more rights than this one.
int weir_forbid_privileges(void);

// A socket as sock_diag(7) reports it: addresses in network order, an IPv4 address in the first 4 bytes; ports in host
// order; state as in tcp_states.h.
typedef struct {
    uint8_t local[16];
    uint8_t remote[16];
    uint16_t local_port;
    uint16_t remote_port;
    uint8_t family;
    uint8_t state;
    uint32_t scope;
    uint32_t user;
    uint32_t inode;
    uint64_t cookie;
} weir_socket;

// Opens a socket for the queries below, which apply to the network namespace of the thread that opens it.
int weir_diag_open(void);
// Finds the socket with these ends, or a UDP socket that receives datagrams between them; -ENOENT if there is none.
int weir_diag_find(int diag, bool udp, const weir_socket *wanted, weir_socket *found);
// Lists the sockets of a family (4 or 6) in the given states, one bit for each state; take returns false if it needs no
// more.
int weir_diag_list(int diag, bool udp, int family, uint32_t states,
                   bool (*take)(void *context, const weir_socket *socket), void *context);
// Returns a socket's cookie, a number that no other socket has had since the system started; 0 if the kernel has none.
uint64_t weir_cookie(int fd);
// Gives the calling thread its own table of descriptors, with the first three and these: descriptors that it opens use
// none of the other threads' numbers.
int weir_own_descriptors(const int *kept, unsigned count);
// Finds which of these inodes, in rising order, are sockets that a process has open, and marks them in held, until all
// are marked; returns how many it marked. It begins at *descriptor, and stores there the last one that it found; if
// whole is true, it continues with those before it.
int weir_process_holds(int process, const uint32_t *inodes, unsigned count, bool *held, int *descriptor, bool whole);

// The limits of a batch: at most 64 datagrams, each in a buffer of 65,536 bytes.
enum { WEIR_BATCH = 64, WEIR_BUFFER = 65536 };

// An address of IPv4 (family 4) or IPv6 (family 6) in network order; family 0 means none.
typedef struct {
    uint8_t bytes[16];
    uint32_t scope;
    uint32_t family;
} weir_address;

// A received datagram; peer is a struct sockaddr_storage.
typedef struct {
    uint64_t peer[16];
    weir_address local;
    uint32_t length;
    bool truncated;
} weir_datagram;

typedef struct weir_inbox weir_inbox;
weir_inbox *weir_inbox_create(void);
void weir_inbox_destroy(weir_inbox *inbox);
// Receives up to count datagrams into the places from first on. with_peer asks for the source of each and, on a socket
// with IP_PKTINFO or IPV6_RECVPKTINFO, for the address to which it was sent.
int weir_inbox_receive(weir_inbox *inbox, int fd, unsigned first, unsigned count, bool with_peer);
const weir_datagram *weir_inbox_datagram(const weir_inbox *inbox, unsigned index);
const void *weir_inbox_bytes(const weir_inbox *inbox, unsigned index);

// Disconnects a datagram socket; this frees a port that the kernel chose for it.
int weir_disconnect(int fd);
// Makes the kernel keep the errors with which a datagram socket's peers answer, as it does for a connected socket.
int weir_keep_errors(int fd, bool is_ipv6);
// Takes up to count of those errors, oldest first, and returns how many there were; this clears the socket's error.
int weir_take_errors(int fd, int *errors, unsigned count);

typedef struct weir_outbox weir_outbox;
weir_outbox *weir_outbox_create(void);
void weir_outbox_destroy(weir_outbox *outbox);
// Puts a datagram at a place, without copying its bytes. peer may be null on a connected socket; local may be null or
// of family 0 if the kernel should choose the source address.
void weir_outbox_put(weir_outbox *outbox, unsigned index, const void *bytes, size_t length,
                     const void *peer, uint32_t peer_length, const weir_address *local);
// Sends count datagrams from first on; returns how many the kernel accepted before the first error.
int weir_outbox_send(weir_outbox *outbox, int fd, unsigned first, unsigned count);

// For tests: makes weir_receive, weir_send, weir_inbox_receive and weir_outbox_send sometimes give an answer that the
// kernel rarely gives, instead of the kernel's own. The kinds of answers are bits, and 0 ends it; a generator with this
// seed draws them. For descriptors that are watched from now on, a wrong answer is followed by a new event, as from the
// kernel.
enum {
    WEIR_FAULT_AGAIN = 1,    // EAGAIN
    WEIR_FAULT_INTR = 2,     // EINTR
    WEIR_FAULT_SHORT = 4,    // fewer bytes or datagrams than there are
    WEIR_FAULT_REFUSED = 8,  // datagrams: ECONNREFUSED, which an earlier one met
    WEIR_FAULT_NOBUFS = 16,  // datagrams: ENOBUFS, which costs the datagram
};
void weir_stand_in(uint64_t seed, uint32_t kinds);

#include "watch.h"

#endif
