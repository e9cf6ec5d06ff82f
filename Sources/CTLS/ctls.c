#include "CTLS.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

// Bytes in the order of their arrival; those before `start` are taken.
typedef struct {
    uint8_t *bytes;
    size_t start, end, room;
    // Whether the memory is the relay's, lent for the time of one call.
    bool is_lent;
} queue;

struct weir_tls_io {
    const uint8_t *lent;
    size_t lent_count;
    queue kept, out;
    bool has_ended;
};

static size_t count_of(const queue *q) { return q->end - q->start; }

static void drop_memory(queue *q) {
    if (!q->is_lent) free(q->bytes);
    *q = (queue){0};
}

// Moves the bytes to memory of the queue's own with more room; returns false if there is none.
static bool grow(queue *q, size_t more) {
    size_t count = count_of(q);
    if (more > SIZE_MAX / 4 || count > SIZE_MAX / 4) return false;
    size_t room = 512;
    while (room < count + more) room *= 2;
    uint8_t *bytes = malloc(room);
    if (!bytes) return false;
    if (count > 0) memcpy(bytes, q->bytes + q->start, count);
    drop_memory(q);
    *q = (queue){.bytes = bytes, .end = count, .room = room};
    return true;
}

static bool append(queue *q, const void *bytes, size_t count) {
    if (count == 0) return true;
    if (q->room - q->end < count && !grow(q, count)) return false;
    memcpy(q->bytes + q->end, bytes, count);
    q->end += count;
    return true;
}

// An empty queue has no memory: most connections are idle most of the time.
static void take(queue *q, size_t count) {
    q->start += count;
    if (q->start < q->end) return;
    if (q->is_lent) {
        q->start = q->end = 0;
    } else {
        drop_memory(q);
    }
}

weir_tls_io *weir_tls_io_make(void) { return calloc(1, sizeof(weir_tls_io)); }

void weir_tls_io_free(weir_tls_io *io) {
    if (!io) return;
    drop_memory(&io->kept);
    drop_memory(&io->out);
    free(io);
}

void weir_tls_io_lend(weir_tls_io *io, const void *bytes, size_t count, void *room, size_t room_count) {
    io->lent = bytes;
    io->lent_count = count;
    if (count_of(&io->out) == 0) {
        drop_memory(&io->out);
        io->out = (queue){.bytes = room, .room = room_count, .is_lent = true};
    }
}

bool weir_tls_io_settle(weir_tls_io *io) {
    bool is_kept = append(&io->kept, io->lent, io->lent_count);
    io->lent = NULL;
    io->lent_count = 0;
    if (!io->out.is_lent) return is_kept;
    if (count_of(&io->out) > 0) return grow(&io->out, 0) && is_kept;
    drop_memory(&io->out);
    return is_kept;
}

void weir_tls_io_end(weir_tls_io *io) { io->has_ended = true; }

size_t weir_tls_io_unread(const weir_tls_io *io) { return count_of(&io->kept) + io->lent_count; }

const void *weir_tls_io_outgoing(const weir_tls_io *io, size_t *count) {
    *count = count_of(&io->out);
    return *count > 0 ? io->out.bytes + io->out.start : NULL;
}

void weir_tls_io_sent(weir_tls_io *io, size_t count) {
    if (count > 0) take(&io->out, count);
}

// MARK: - OpenSSL's view

static int io_read(BIO *bio, char *bytes, size_t room, size_t *count) {
    weir_tls_io *io = BIO_get_data(bio);
    *count = 0;
    BIO_clear_retry_flags(bio);
    // What was kept came before what is lent.
    size_t kept = count_of(&io->kept);
    if (kept > 0) {
        *count = kept < room ? kept : room;
        memcpy(bytes, io->kept.bytes + io->kept.start, *count);
        take(&io->kept, *count);
        return 1;
    }
    if (io->lent_count > 0) {
        *count = io->lent_count < room ? io->lent_count : room;
        memcpy(bytes, io->lent, *count);
        io->lent += *count;
        io->lent_count -= *count;
        return 1;
    }
    if (!io->has_ended) BIO_set_retry_read(bio);
    return 0;
}

static int io_write(BIO *bio, const char *bytes, size_t length, size_t *count) {
    weir_tls_io *io = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *count = 0;
    if (!append(&io->out, bytes, length)) return 0;
    *count = length;
    return 1;
}

static long io_control(BIO *bio, int command, long number, void *pointer) {
    (void)number;
    (void)pointer;
    const weir_tls_io *io = BIO_get_data(bio);
    switch (command) {
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_EOF: return io->has_ended && weir_tls_io_unread(io) == 0;
    default: return 0;
    }
}

static BIO_METHOD *make_method(void) {
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weir");
    if (!method) return NULL;
    BIO_meth_set_read_ex(method, io_read);
    BIO_meth_set_write_ex(method, io_write);
    BIO_meth_set_ctrl(method, io_control);
    return method;
}

static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
static BIO_METHOD *shared_method;
static void make_shared_method(void) { shared_method = make_method(); }

bool weir_tls_attach(SSL *ssl, weir_tls_io *io) {
    if (!CRYPTO_THREAD_run_once(&once, make_shared_method) || !shared_method) return false;
    BIO *bio = BIO_new(shared_method);
    if (!bio) return false;
    BIO_set_data(bio, io);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    return true;
}

// MARK: - Macros

bool weir_tls_set_versions(SSL_CTX *context, int least, int most) {
    return SSL_CTX_set_min_proto_version(context, least) == 1 && SSL_CTX_set_max_proto_version(context, most) == 1;
}

void weir_tls_set_modes(SSL_CTX *context) {
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

bool weir_tls_set_name(SSL *ssl, const char *name) { return SSL_set_tlsext_host_name(ssl, name) == 1; }

uint64_t weir_tls_options(void) { return SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF; }

uint64_t weir_tls_legacy(void) { return SSL_OP_LEGACY_SERVER_CONNECT; }

unsigned long weir_tls_name_format(void) { return XN_FLAG_RFC2253; }

const char *weir_tls_group(SSL *ssl) {
    long number = SSL_get_negotiated_group(ssl);
    if (number == 0) return NULL;
    return SSL_group_to_name(ssl, (int)number);
}

EVP_PKEY *weir_tls_make_p256(void) { return EVP_EC_gen("P-256"); }

EVP_PKEY *weir_tls_make_rsa(int bits) { return EVP_RSA_gen((unsigned)bits); }
