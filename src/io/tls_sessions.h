/* tls_sessions.h: sessions of other servers, for resuming them (RFC 8446 2.2, RFC 5077): a bounded
 * memory, from which the oldest go first. Who calls it: tls.c, for contexts that tls_client_resume
 * was called for. From any thread. */
#ifndef IO_TLS_SESSIONS_H
#define IO_TLS_SESSIONS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { TLS_SESSIONS_MAX = 2000, TLS_SESSION_KEY_MAX = 600 };

struct tls_sessions;

/* lifetime_s: of a session, in seconds. NULL: no memory. */
struct tls_sessions *tls_sessions_new(int64_t lifetime_s);
void tls_sessions_free(struct tls_sessions *s); /* NULL is fine */
/* In place of what it had for the key. True: it has taken the reference. */
bool tls_sessions_put(struct tls_sessions *s, struct slice key, SSL_SESSION *session);
/* The caller's reference; NULL: none that can be used. */
SSL_SESSION *tls_sessions_take(struct tls_sessions *s, struct slice key);

#endif
