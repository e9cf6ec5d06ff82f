#include "CWeirBenchTLS.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

// MARK: - Certificates

static bool extend(X509 *certificate, int number, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, number, value);
    if (!extension) return false;
    bool is_added = X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return is_added;
}

static bool fill(X509 *certificate, EVP_PKEY *key, bool is_authority) {
    const unsigned char *name = (const unsigned char *)(is_authority ? "weir-bench CA" : "weir-bench");
    X509_NAME *subject = X509_get_subject_name(certificate);
    return X509_set_version(certificate, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set(X509_get_serialNumber(certificate), getpid()) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -86400) &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), 7 * 86400) && X509_set_pubkey(certificate, key) == 1 &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, name, -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, subject) == 1 &&
           extend(certificate, NID_basic_constraints, is_authority ? "critical,CA:TRUE" : "CA:FALSE") &&
           (is_authority || extend(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1")) &&
           X509_sign(certificate, key, EVP_sha256()) > 0;
}

static X509 *make_certificate(EVP_PKEY *key, bool is_authority) {
    X509 *certificate = X509_new();
    if (!certificate || fill(certificate, key, is_authority)) return certificate;
    X509_free(certificate);
    return NULL;
}

bool weir_bench_tls_write_pem(const char *path, bool is_authority) {
    int number = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = number < 0 ? NULL : fdopen(number, "w");
    if (!file) return false;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = key ? make_certificate(key, is_authority) : NULL;
    bool is_written = certificate && PEM_write_X509(file, certificate) == 1 &&
                      PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1;
    X509_free(certificate);
    EVP_PKEY_free(key);
    return fclose(file) == 0 && is_written;
}

// MARK: - Sides

static bool use_new_certificate(SSL_CTX *side) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = key ? make_certificate(key, false) : NULL;
    bool is_used = certificate && SSL_CTX_use_certificate(side, certificate) == 1 &&
                   SSL_CTX_use_PrivateKey(side, key) == 1;
    X509_free(certificate);
    EVP_PKEY_free(key);
    return is_used;
}

static bool set_up(SSL_CTX *side, bool is_server) {
    SSL_CTX_set_options(side, SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(side, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(side, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // Few and large reads: the load takes as little as it can of the processor that the relay is measured on.
    SSL_CTX_set_read_ahead(side, 1);
    SSL_CTX_set_default_read_buffer_len(side, 64 << 10);
    return SSL_CTX_set_min_proto_version(side, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(side, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_ciphersuites(side, "TLS_AES_256_GCM_SHA384") == 1 && SSL_CTX_set_num_tickets(side, 0) == 1 &&
           (!is_server || use_new_certificate(side));
}

SSL_CTX *weir_bench_tls_make_side(bool is_server) {
    signal(SIGPIPE, SIG_IGN);
    // No clean-up at the end of the program: other threads may be in the middle of something then.
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
    SSL_CTX *side = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    if (!side || set_up(side, is_server)) return side;
    SSL_CTX_free(side);
    return NULL;
}

void weir_bench_tls_free_side(SSL_CTX *side) { SSL_CTX_free(side); }

// MARK: - Ends

SSL *weir_bench_tls_open(SSL_CTX *side, int socket, bool is_server) {
    SSL *end = SSL_new(side);
    if (!end) return NULL;
    if (SSL_set_fd(end, socket) != 1) {
        SSL_free(end);
        return NULL;
    }
    if (is_server) {
        SSL_set_accept_state(end);
    } else {
        SSL_set_connect_state(end);
    }
    return end;
}

void weir_bench_tls_close(SSL *end) { SSL_free(end); }

static void begin(void) {
    ERR_clear_error();
    errno = 0;
}

static int outcome(const SSL *end, int status) {
    int number = errno;
    switch (SSL_get_error(end, status)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN: return 0;
    case SSL_ERROR_SYSCALL: return number > 0 ? -number : -ECONNRESET;
    default: return -EPROTO;
    }
}

int weir_bench_tls_handshake(SSL *end) {
    begin();
    int status = SSL_do_handshake(end);
    if (status == 1) return 1;
    int failure = outcome(end, status);
    return failure == 0 ? -ECONNRESET : failure;
}

long weir_bench_tls_read(SSL *end, void *bytes, size_t room) {
    begin();
    size_t count = 0;
    int status = SSL_read_ex(end, bytes, room, &count);
    return status == 1 ? (long)count : outcome(end, status);
}

long weir_bench_tls_write(SSL *end, const void *bytes, size_t length) {
    begin();
    size_t count = 0;
    int status = SSL_write_ex(end, bytes, length, &count);
    if (status == 1) return (long)count;
    int failure = outcome(end, status);
    return failure == 0 ? -EPIPE : failure;
}

void weir_bench_tls_finish(SSL *end) {
    begin();
    SSL_shutdown(end);
}
