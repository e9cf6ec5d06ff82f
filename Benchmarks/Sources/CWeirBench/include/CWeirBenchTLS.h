// What the load needs of OpenSSL: both ends of TLS connections on non-blocking sockets, and certificates for the relays.
// TLS 1.3 with AES-256-GCM alone; no tickets, no cache, nobody is verified.
#ifndef WEIR_BENCH_TLS_H
#define WEIR_BENCH_TLS_H

#include <stdbool.h>
#include <stddef.h>

/// What all ends of one side share: an SSL_CTX.
typedef struct ssl_ctx_st weir_bench_tls_side;

/// One end of a connection: an SSL.
typedef struct ssl_st weir_bench_tls_end;

/// Makes the side of clients, or of servers with a new P-256 certificate; NULL when OpenSSL refuses. From then on a write to a
/// closed connection is an error, not a signal (SIGPIPE).
weir_bench_tls_side *_Nullable weir_bench_tls_make_side(bool is_server);

/// Frees a side; its ends may still live.
void weir_bench_tls_free_side(weir_bench_tls_side *_Nonnull side);

/// Writes a new P-256 key and its self-signed certificate, as PEM, into a new file that this user alone can read: that of a server on
/// 127.0.0.1, or of an authority.
bool weir_bench_tls_write_pem(const char *_Nonnull path, bool is_authority);

/// Makes the end on a connected or connecting socket, which stays the caller's.
weir_bench_tls_end *_Nullable weir_bench_tls_open(weir_bench_tls_side *_Nonnull side, int socket, bool is_server);

/// Frees an end; says nothing to the peer.
void weir_bench_tls_close(weir_bench_tls_end *_Nonnull end);

/// Goes on with the handshake; 1 when it is done, -EAGAIN when it waits, another -errno when it failed (-EPROTO for TLS itself).
int weir_bench_tls_handshake(weir_bench_tls_end *_Nonnull end);

/// Reads; the number of bytes, 0 at the end, or -errno as for a handshake.
long weir_bench_tls_read(weir_bench_tls_end *_Nonnull end, void *_Nonnull bytes, size_t room);

/// Writes, at most one record; the number of bytes, or -errno as for a handshake. After -EAGAIN the same bytes must be given again.
long weir_bench_tls_write(weir_bench_tls_end *_Nonnull end, const void *_Nonnull bytes, size_t count);

/// Tells the peer that nothing follows (close_notify).
void weir_bench_tls_finish(weir_bench_tls_end *_Nonnull end);

#endif
