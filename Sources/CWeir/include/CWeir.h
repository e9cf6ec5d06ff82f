// What Swift cannot see or call: epoll's packed struct, the variants of accept and recvmsg that are GNU extensions, and
// the CMSG macros. Every function returns a number of at least 0, or an errno below 0.
//
// Addresses are passed as void *, a struct sockaddr_storage each: were its header included here, Swift would find the
// system's declarations now in this module, now in Glibc.
#ifndef CWEIR_H
#define CWEIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// One ready descriptor: the token that was given with it, and the EPOLL bits.
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
// Waits at most timeout_ns nanoseconds; below 0 waits for ever. Interrupted, it returns 0.
int weir_epoll_wait(int epoll, weir_event *events, int capacity, int64_t timeout_ns);

int weir_eventfd(void);

// Gives the memory that was freed back to the system.
void weir_trim_memory(void);

// Accepts a connection as a non-blocking, close-on-exec descriptor.
int weir_accept(int fd, void *peer);
// Reads from a socket; 0 is the end.
int64_t weir_receive(int fd, void *buffer, size_t length);
// Sends on a socket, and never raises SIGPIPE. more says that an end follows at once: what does not fill a packet waits
// for it, and leaves in the same packet.
int64_t weir_send(int fd, const void *bytes, size_t length, bool more);
// Counts the bytes of a TCP socket that its peer has not acknowledged.
int weir_unsent(int fd);
// Counts those of them that were sent already, and may have arrived; -EOPNOTSUPP if the kernel cannot tell (before 4.6).
int weir_in_flight(int fd);
// Whether those have been sent again for want of an acknowledgement, for 200 ms at least: they did not arrive, most likely.
bool weir_is_resending(int fd);
// Counts the bytes that can be read from a socket.
int weir_unread(int fd);
// Counts the datagrams that the kernel dropped because a socket's receive buffer was full.
int weir_drops(int fd);
// Counts the seconds by which local time is ahead of UTC.
int weir_local_offset(int64_t seconds);

// Keeps up to 4 MiB of freed blocks of less than 1 MiB for a thread for the next use, instead of giving each back to the
// system: what a slow receiver leaves behind comes and goes in such blocks.
void weir_tune_allocator(void);
// Names the calling thread, in at most 15 bytes, for ps and debuggers.
void weir_name_thread(const char *name);

// Starts a process that makes and deletes files in a folder for a user, and returns the socket that asks it; it ends
// when that is closed. To be called before rights are given up, and before anything is open that it must not keep open.
int weir_keeper_start(const char *folder, uint32_t user, uint32_t group);
// Asks for a new file of a name without '/', with the mode 0600, and returns its descriptor; or deletes one of the
// user's.
int weir_keeper_ask(int keeper, bool removes, const char *name);
// Gives up for good that a program which this one starts has more rights than this one.
int weir_forbid_privileges(void);

// A socket as sock_diag(7) tells of it: addresses in network order, an IPv4 address in the first 4 bytes; ports in host
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

// Opens a socket that answers the questions below, which are in the network of the thread that opens it.
int weir_diag_open(void);
// Finds the socket with these ends, or a UDP socket that takes datagrams between them; -ENOENT where there is none.
int weir_diag_find(int diag, bool udp, const weir_socket *wanted, weir_socket *found);
// Lists the sockets of a family (4 or 6) that are in one of the states, a bit each; take returns false to be told no
// more.
int weir_diag_list(int diag, bool udp, int family, uint32_t states,
                   bool (*take)(void *context, const weir_socket *socket), void *context);
// Returns the number that no other socket has had since the system's start; 0 where the kernel has none.
uint64_t weir_cookie(int fd);
// Gives the calling thread a table of descriptors of its own, which holds the first three and these: what it opens
// takes none of the other threads' numbers.
int weir_own_descriptors(const int *kept, unsigned count);
// Looks which of these inodes, in rising order, are sockets that a process has open, and marks them, until all are
// marked; returns how many were marked now. It begins at a descriptor, and leaves there the last one that it has found;
// whole goes on to those before it.
int weir_process_holds(int process, const uint32_t *inodes, unsigned count, bool *held, int *descriptor, bool whole);

// Datagrams in batches of at most 64, each in a buffer of 65,536 bytes.
enum { WEIR_BATCH = 64, WEIR_BUFFER = 65536 };

// An address of IPv4 (family 4) or IPv6 (family 6) in network order; family 0 is none.
typedef struct {
    uint8_t bytes[16];
    uint32_t scope;
    uint32_t family;
} weir_address;

// One received datagram; peer is a struct sockaddr_storage.
typedef struct {
    uint64_t peer[16];
    weir_address local;
    uint32_t length;
    bool truncated;
} weir_datagram;

typedef struct weir_inbox weir_inbox;
weir_inbox *weir_inbox_create(void);
void weir_inbox_destroy(weir_inbox *inbox);
// Receives up to count datagrams into the places from first on. with_peer asks where each came from and, on a socket
// with IP_PKTINFO or IPV6_RECVPKTINFO, which address it was sent to.
int weir_inbox_receive(weir_inbox *inbox, int fd, unsigned first, unsigned count, bool with_peer);
const weir_datagram *weir_inbox_datagram(const weir_inbox *inbox, unsigned index);
const void *weir_inbox_bytes(const weir_inbox *inbox, unsigned index);

// Dissolves the connection of a datagram socket; a port that the kernel chose for it is free then.
int weir_disconnect(int fd);
// Makes the kernel keep the errors that a datagram socket's peers answer with, as it does for a connected socket.
int weir_keep_errors(int fd, bool is_ipv6);
// Takes up to count of those errors, oldest first, and returns how many there were; the socket's error is clear then.
int weir_take_errors(int fd, int *errors, unsigned count);

typedef struct weir_outbox weir_outbox;
weir_outbox *weir_outbox_create(void);
void weir_outbox_destroy(weir_outbox *outbox);
// Puts a datagram at a place; the bytes stay where they are. peer may be null on a connected socket, local null or of
// family 0 where the kernel is to choose the source address.
void weir_outbox_put(weir_outbox *outbox, unsigned index, const void *bytes, size_t length,
                     const void *peer, uint32_t peer_length, const weir_address *local);
// Sends count datagrams from first on; returns how many the kernel took before the first error.
int weir_outbox_send(weir_outbox *outbox, int fd, unsigned first, unsigned count);

// For tests: answers in the kernel's place now and then, by dice with this seed, from weir_receive, weir_send,
// weir_inbox_receive and weir_outbox_send, with what the kernel answers rarely: the kinds, of which 0 ends it. Descriptors
// that are watched from now on are told of again after a wrong answer, as the kernel would.
enum {
    WEIR_FAULT_AGAIN = 1,    // EAGAIN
    WEIR_FAULT_INTR = 2,     // EINTR
    WEIR_FAULT_SHORT = 4,    // fewer bytes or datagrams than there are
    WEIR_FAULT_REFUSED = 8,  // datagrams: ECONNREFUSED, which an earlier one met
    WEIR_FAULT_NOBUFS = 16,  // datagrams: ENOBUFS, which costs the datagram
};
void weir_stand_in(uint64_t seed, uint32_t kinds);

#endif
