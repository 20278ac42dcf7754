/* load.c: plays one dialogue of a text protocol over many connections, each in a thread of its own,
 * and prints one line of JSON: sessions, failures, seconds, sessions a second, and the sessions'
 * duration (median, 99th percentile).
 *
 *   load HOST PORT CONNECTIONS SESSIONS ACCOUNTS DIALOGUE
 *
 * Lines of a dialogue: "send TEXT" (with CRLF; %a: the account's number, %n: the session's), "data
 * FILE" (as it is), "want PREFIX" (reads lines until one begins so; a line that begins with 4, 5,
 * -ERR, or TAG NO|BAD ends the session as failed), "loop N" … "end", "tls" (shakes hands, without
 * session reuse and without a look at the certificate). Lines that begin with # are comments. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum verb { SEND, DATA, WANT, LOOP, END, TLS };

struct step {
    enum verb verb;
    char *text;
    size_t len;
    unsigned times;
    size_t partner; /* LOOP: its END; END: its LOOP */
};

enum { STEPS_MAX = 128, LINE_MAX_LEN = 512, FILE_MAX = 64 << 20, INPUT = 64 * 1024, LOOPS_MAX = 8 };

static struct step steps[STEPS_MAX];
static size_t step_count;
static struct sockaddr_in server;
static unsigned sessions, accounts;
static atomic_uint next_session, failures;
static double *durations;
static _Atomic(char *) first_failure;
static SSL_CTX *tls_context;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *what, const char *which)
{
    fprintf(stderr, "load: %s: %s\n", what, which);
    exit(2);
}

static void load_file(struct step *s, const char *path)
{
    FILE *f = fopen(path, "rb");
    s->text = malloc(FILE_MAX);
    if (!f || !s->text)
        die("cannot read", path);
    s->len = fread(s->text, 1, FILE_MAX, f);
    fclose(f);
    s->text = realloc(s->text, s->len + 1);
}

static void add_step(const char *line)
{
    static const char *const verbs[] = {"send ", "data ", "want ", "loop ", "end", "tls"};
    struct step *s = &steps[step_count];
    for (unsigned v = 0; v < sizeof verbs / sizeof *verbs; v++) {
        size_t n = strlen(verbs[v]);
        if (strncmp(line, verbs[v], n) != 0)
            continue;
        s->verb = (enum verb)v;
        if (v == DATA) {
            load_file(s, line + n);
        } else {
            s->text = strdup(line + n);
            s->len = strlen(s->text);
            s->times = (unsigned)atoi(s->text);
        }
        step_count++;
        return;
    }
    die("no step", line);
}

static void load_dialogue(const char *path)
{
    char line[LINE_MAX_LEN];
    size_t open[LOOPS_MAX], depth = 0;
    FILE *f = fopen(path, "r");
    if (!f)
        die("cannot read", path);
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        if (line[0] == 0 || line[0] == '#')
            continue;
        if (step_count == STEPS_MAX)
            die("too many steps", path);
        add_step(line);
        size_t at = step_count - 1;
        if (steps[at].verb == LOOP && depth < LOOPS_MAX) {
            open[depth++] = at;
        } else if (steps[at].verb == END && depth) {
            steps[at].partner = open[--depth];
            steps[steps[at].partner].partner = at;
        }
    }
    fclose(f);
    if (depth)
        die("a loop without end", path);
}

struct connection {
    int fd;
    SSL *tls; /* NULL: in clear */
    unsigned number;
    size_t from, to;
    char input[INPUT];
};

static ssize_t write_some(struct connection *c, const char *bytes, size_t len)
{
    size_t n = 0;
    if (!c->tls)
        return write(c->fd, bytes, len);
    return SSL_write_ex(c->tls, bytes, len, &n) ? (ssize_t)n : -1;
}

static ssize_t read_some(struct connection *c, char *into, size_t size)
{
    size_t n = 0;
    if (!c->tls)
        return read(c->fd, into, size);
    return SSL_read_ex(c->tls, into, size, &n) ? (ssize_t)n : -1;
}

static bool put(struct connection *c, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = write_some(c, bytes, len);
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static bool send_text(struct connection *c, const struct step *s)
{
    char line[LINE_MAX_LEN * 2];
    size_t n = 0;
    for (size_t i = 0; i < s->len && n < sizeof line - 16; i++) {
        if (s->text[i] == '%' && s->text[i + 1] == 'a')
            n += (size_t)snprintf(line + n, 16, "%u", c->number % accounts), i++;
        else if (s->text[i] == '%' && s->text[i + 1] == 'n')
            n += (size_t)snprintf(line + n, 16, "%u", c->number), i++;
        else
            line[n++] = s->text[i];
    }
    line[n++] = '\r';
    line[n++] = '\n';
    return put(c, line, n);
}

static char *take_line(struct connection *c, size_t *ret_len)
{
    for (;;) {
        char *start = c->input + c->from;
        char *end = memchr(start, '\n', c->to - c->from);
        if (end) {
            *ret_len = (size_t)(end - start);
            c->from += *ret_len + 1;
            return start;
        }
        memmove(c->input, start, c->to - c->from);
        c->to -= c->from;
        c->from = 0;
        if (c->to == INPUT)
            c->to = 0; /* a line that long is content: only its end matters */
        ssize_t n = read_some(c, c->input + c->to, INPUT - c->to);
        if (n <= 0)
            return NULL;
        c->to += (size_t)n;
    }
}

/* A line that begins with a number refuses only where a reply code is waited for. */
static bool is_refusal(const char *line, size_t len, bool codes)
{
    if (len >= 4 && strncmp(line, "-ERR", 4) == 0)
        return true;
    if (codes && len > 3 && (line[0] == '4' || line[0] == '5') &&
        (line[3] == ' ' || line[3] == '-'))
        return true;
    const char *space = memchr(line, ' ', len < 8 ? len : 8);
    return line[0] != '*' && space && len - (size_t)(space - line) > 3 &&
           (strncmp(space, " NO ", 4) == 0 || strncmp(space, " BAD", 4) == 0);
}

static void remember_failure(const char *text, size_t len)
{
    char *copy = strndup(text, len < 200 ? len : 200), *none = NULL;
    if (!atomic_compare_exchange_strong(&first_failure, &none, copy))
        free(copy);
}

static bool want_line(struct connection *c, const struct step *s)
{
    for (;;) {
        size_t len;
        char *line = take_line(c, &len);
        if (!line) {
            remember_failure("connection closed", 17);
            return false;
        }
        if (len >= s->len && memcmp(line, s->text, s->len) == 0)
            return true;
        if (is_refusal(line, len, s->text[0] >= '0' && s->text[0] <= '9')) {
            remember_failure(line, len);
            return false;
        }
    }
}

static bool shake_hands(struct connection *c)
{
    c->tls = SSL_new(tls_context);
    if (c->tls && SSL_set_fd(c->tls, c->fd) == 1 && SSL_connect(c->tls) == 1)
        return true;
    remember_failure("TLS handshake", 13);
    return false;
}

static bool converse(struct connection *c)
{
    unsigned rounds[STEPS_MAX] = {0};
    for (size_t at = 0; at < step_count; at++) {
        const struct step *s = &steps[at];
        bool ok = true;
        if (s->verb == SEND)
            ok = send_text(c, s);
        else if (s->verb == DATA)
            ok = put(c, s->text, s->len);
        else if (s->verb == WANT)
            ok = want_line(c, s);
        else if (s->verb == TLS)
            ok = shake_hands(c);
        else if (s->verb == LOOP)
            rounds[at] = s->times;
        else if (--rounds[s->partner] > 0)
            at = s->partner;
        if (!ok)
            return false;
    }
    return true;
}

static void *work(void *unused)
{
    struct connection *c = malloc(sizeof *c);
    (void)unused;
    while (c && (c->number = atomic_fetch_add(&next_session, 1)) < sessions) {
        double began = now();
        int on = 1;
        c->fd = socket(AF_INET, SOCK_STREAM, 0);
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        c->from = c->to = 0;
        c->tls = NULL;
        if (connect(c->fd, (struct sockaddr *)&server, sizeof server) != 0 || !converse(c))
            atomic_fetch_add(&failures, 1);
        SSL_free(c->tls);
        close(c->fd);
        durations[c->number] = now() - began;
    }
    free(c);
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fprintf(stderr, "usage: load HOST PORT CONNECTIONS SESSIONS ACCOUNTS DIALOGUE\n");
        return 2;
    }
    unsigned connections = (unsigned)atoi(argv[3]);
    server.sin_family = AF_INET;
    server.sin_port = htons((uint16_t)atoi(argv[2]));
    sessions = (unsigned)atoi(argv[4]);
    accounts = (unsigned)atoi(argv[5]);
    if (inet_pton(AF_INET, argv[1], &server.sin_addr) != 1 || !connections || !sessions ||
        !accounts)
        die("bad argument", argv[1]);
    load_dialogue(argv[6]);
    tls_context = SSL_CTX_new(TLS_client_method());
    if (!tls_context)
        die("no memory", "");
    durations = calloc(sessions, sizeof *durations);
    pthread_t *threads = calloc(connections, sizeof *threads);
    if (!durations || !threads)
        die("no memory", "");
    double began = now();
    for (unsigned i = 0; i < connections; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            die("cannot start", "a thread");
    for (unsigned i = 0; i < connections; i++)
        pthread_join(threads[i], NULL);
    double took = now() - began;
    qsort(durations, sessions, sizeof *durations, by_size);
    if (first_failure)
        fprintf(stderr, "load: first failure: %s\n", first_failure);
    printf(
        "{\"sessions\": %u, \"failed\": %u, \"seconds\": %.3f, \"rate\": %.1f, \"p50_ms\": %.2f, "
        "\"p99_ms\": %.2f}\n",
        sessions, failures, took, sessions / took, durations[sessions / 2] * 1e3,
        durations[(size_t)(sessions * 0.99)] * 1e3);
    return 0;
}
