#ifndef CTLS_H
#define CTLS_H

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Bytes on their way between a TLS engine and a relay, in memory that the relay owns.
//
// The relay lends what has arrived, and room for what is to be sent, for the time of one call; only what is left of both at its end is
// copied.
typedef struct weir_tls_io weir_tls_io;

// Makes the memory for bytes; NULL if there is none.
weir_tls_io *weir_tls_io_make(void);
void weir_tls_io_free(weir_tls_io *io);

// Lends bytes that have arrived, and room for those that are to be sent, until weir_tls_io_settle.
void weir_tls_io_lend(weir_tls_io *io, const void *bytes, size_t count, void *room, size_t room_count);
// Ends the loan: copies the bytes that the engine has not taken, and those that were not sent; returns false if there is no memory.
bool weir_tls_io_settle(weir_tls_io *io);
// Notes that no byte will arrive.
void weir_tls_io_end(weir_tls_io *io);
// The number of bytes that have arrived and that the engine has not taken.
size_t weir_tls_io_unread(const weir_tls_io *io);

// The bytes that are to be sent; the pointer is valid until the engine's next call.
const void *weir_tls_io_outgoing(const weir_tls_io *io, size_t *count);
// Removes the first bytes of those that are to be sent.
void weir_tls_io_sent(weir_tls_io *io, size_t count);

// Gives an engine its bytes' memory, which must live longer than it; returns false if there is no memory.
bool weir_tls_attach(SSL *ssl, weir_tls_io *io);

// What OpenSSL has as macros.
bool weir_tls_set_versions(SSL_CTX *context, int least, int most);
void weir_tls_set_modes(SSL_CTX *context);
bool weir_tls_set_name(SSL *ssl, const char *name);
// No tickets, no renegotiation, and ends without close_notify are no errors.
uint64_t weir_tls_options(void);
uint64_t weir_tls_legacy(void);
unsigned long weir_tls_name_format(void);
const char *weir_tls_group(SSL *ssl);
EVP_PKEY *weir_tls_make_p256(void);
EVP_PKEY *weir_tls_make_rsa(int bits);

#endif
