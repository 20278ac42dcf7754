/* segments.c: see segments.h. */
#include "kv/segments.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_MAX_FILES = 64 };

void segments_init(struct segments *s, int dir_fd)
{
    *s = (struct segments){.dir_fd = dir_fd};
    pthread_mutex_init(&s->lock, NULL);
}

void segments_release(struct segments *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->items[i]->fd >= 0)
            close(s->items[i]->fd);
        free(s->items[i]);
    }
    free(s->items);
    pthread_mutex_destroy(&s->lock);
}

struct segment_name segment_name(uint64_t number)
{
    struct segment_name name;
    snprintf(name.text, sizeof name.text, "%016llx.seg", (unsigned long long)number);
    return name;
}

/* The number in a file's name, or 0. */
static uint64_t number_in_name(const char *text)
{
    char *end;
    unsigned long long n = strtoull(text, &end, 16);
    struct segment_name name = segment_name(n);
    return strcmp(name.text, text) == 0 ? n : 0;
}

/* Where the segment is or would be. */
static size_t place_of(const struct segments *s, uint64_t number)
{
    size_t low = 0, high = s->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->items[middle]->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct segment *find(const struct segments *s, uint64_t number)
{
    size_t i = place_of(s, number);
    return i < s->n && s->items[i]->number == number ? s->items[i] : NULL;
}

static bool grow(struct segments *s)
{
    if (s->n < s->size)
        return true;
    size_t size = s->size ? s->size * 2 : 16;
    struct segment **items = realloc(s->items, size * sizeof(struct segment *));
    if (!items)
        return false;
    s->items = items;
    s->size = size;
    return true;
}

static enum result insert(struct segments *s, uint64_t number, uint64_t size)
{
    struct segment *seg = malloc(sizeof *seg);
    if (!seg || !grow(s)) {
        free(seg);
        return FAILED;
    }
    *seg = (struct segment){.number = number, .fd = -1, .size = size, .used = ++s->tick};
    size_t i = place_of(s, number);
    memmove(s->items + i + 1, s->items + i, (s->n - i) * sizeof(struct segment *));
    s->items[i] = seg;
    s->n++;
    return OK;
}

enum result segments_list(struct segments *s, struct error *err)
{
    int fd = openat(s->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    enum result r = OK;
    if (!dir) {
        r = error_set(err, FAILED, "list journal: %s", strerror(errno));
        if (fd >= 0)
            close(fd);
        return r;
    }
    for (struct dirent *e; r == OK && (e = readdir(dir));) {
        uint64_t number = number_in_name(e->d_name);
        struct stat st;
        if (number == 0)
            continue;
        if (fstatat(s->dir_fd, e->d_name, &st, 0) < 0)
            r = error_set(err, FAILED, "stat journal/%s: %s", e->d_name, strerror(errno));
        else if (insert(s, number, (uint64_t)st.st_size) != OK)
            r = error_set(err, FAILED, "out of memory");
    }
    closedir(dir);
    return r;
}

enum result segments_add(struct segments *s, uint64_t number, uint64_t size)
{
    pthread_mutex_lock(&s->lock);
    enum result r = insert(s, number, size);
    pthread_mutex_unlock(&s->lock);
    return r;
}

enum result segments_remove(struct segments *s, uint64_t number)
{
    pthread_mutex_lock(&s->lock);
    size_t i = place_of(s, number);
    if (i < s->n && s->items[i]->number == number) {
        struct segment *seg = s->items[i];
        if (seg->refs > 0) {
            pthread_mutex_unlock(&s->lock);
            return BUSY;
        }
        if (seg->fd >= 0) {
            close(seg->fd);
            s->open--;
        }
        free(seg);
        s->n--;
        memmove(s->items + i, s->items + i + 1, (s->n - i) * sizeof(struct segment *));
    }
    pthread_mutex_unlock(&s->lock);
    return unlinkat(s->dir_fd, segment_name(number).text, 0) == 0 || errno == ENOENT ? OK : FAILED;
}

/* Closes the file that nobody has used for longest. */
static void close_one(struct segments *s)
{
    struct segment *oldest = NULL;
    for (size_t i = 0; i < s->n; i++) {
        struct segment *seg = s->items[i];
        if (seg->fd >= 0 && seg->refs == 0 && (!oldest || seg->used < oldest->used))
            oldest = seg;
    }
    if (!oldest)
        return;
    close(oldest->fd);
    oldest->fd = -1;
    s->open--;
}

struct segment *segment_acquire(struct segments *s, uint64_t number)
{
    pthread_mutex_lock(&s->lock);
    struct segment *seg = find(s, number);
    if (!seg)
        errno = ENOENT;
    if (seg && seg->fd < 0) {
        if (s->open >= OPEN_MAX_FILES)
            close_one(s);
        seg->fd = openat(s->dir_fd, segment_name(number).text, O_RDONLY | O_CLOEXEC);
        if (seg->fd < 0)
            seg = NULL;
        else
            s->open++;
    }
    if (seg) {
        seg->refs++;
        seg->used = ++s->tick;
    }
    pthread_mutex_unlock(&s->lock);
    return seg;
}

void segment_release(struct segments *s, struct segment *seg)
{
    pthread_mutex_lock(&s->lock);
    seg->refs--;
    pthread_mutex_unlock(&s->lock);
}

void segments_live_add(struct segments *s, uint64_t number, int64_t bytes)
{
    pthread_mutex_lock(&s->lock);
    struct segment *seg = find(s, number);
    if (seg) {
        int64_t live = (int64_t)seg->live + bytes;
        seg->live = live > 0 ? (uint64_t)live : 0;
    }
    pthread_mutex_unlock(&s->lock);
}

void segments_live_set(struct segments *s, uint64_t number, uint64_t bytes)
{
    pthread_mutex_lock(&s->lock);
    struct segment *seg = find(s, number);
    if (seg)
        seg->live = bytes;
    pthread_mutex_unlock(&s->lock);
}

uint64_t segments_live(struct segments *s, uint64_t number)
{
    pthread_mutex_lock(&s->lock);
    struct segment *seg = find(s, number);
    uint64_t live = seg ? seg->live : 0;
    pthread_mutex_unlock(&s->lock);
    return live;
}

void segments_streams_add(struct segments *s, uint64_t number, int n)
{
    pthread_mutex_lock(&s->lock);
    struct segment *seg = find(s, number);
    if (seg)
        seg->streams = (unsigned)((int)seg->streams + n);
    pthread_mutex_unlock(&s->lock);
}

void segments_damaged(struct segments *s, uint64_t number)
{
    pthread_mutex_lock(&s->lock);
    struct segment *seg = find(s, number);
    if (seg)
        seg->damaged = true;
    pthread_mutex_unlock(&s->lock);
}

void segments_size_set(struct segments *s, uint64_t number, uint64_t size)
{
    pthread_mutex_lock(&s->lock);
    struct segment *seg = find(s, number);
    if (seg)
        seg->size = size;
    pthread_mutex_unlock(&s->lock);
}

void segments_each(struct segments *s, void (*f)(struct segment *seg, void *arg), void *arg)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->n; i++)
        f(s->items[i], arg);
    pthread_mutex_unlock(&s->lock);
}

/* Live bytes per thousand. */
static uint64_t share(const struct segment *seg)
{
    return seg->size ? seg->live * 1000 / seg->size : 0;
}

uint64_t segments_to_clean(struct segments *s, uint64_t below, unsigned percent)
{
    const struct segment *best = NULL;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->n && s->items[i]->number < below; i++) {
        const struct segment *seg = s->items[i];
        if (seg->damaged || seg->streams > 0 || seg->live == 0 || share(seg) >= percent * 10u)
            continue;
        if (!best || share(seg) < share(best))
            best = seg;
    }
    uint64_t number = best ? best->number : 0;
    pthread_mutex_unlock(&s->lock);
    return number;
}

uint64_t segments_last(struct segments *s)
{
    pthread_mutex_lock(&s->lock);
    uint64_t last = s->n ? s->items[s->n - 1]->number : 0;
    pthread_mutex_unlock(&s->lock);
    return last;
}
