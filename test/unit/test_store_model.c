/* test_store_model.c: random operations on the store and on a trivial model of it, most of them not
 * waited for; then both are compared, also across reopening. The seed can be given as an argument.
 */
#include "store_check.h"

enum { BOXES = 5, MESSAGES = 400 };

struct model_entry {
    uint32_t uid;
    uint8_t flags;
    uint64_t keywords, message;
};

struct model_box {
    bool exists;
    uint32_t uidnext, uidvalidity;
    size_t n;
    struct model_entry e[MESSAGES];
    /* what somebody saw a while ago */
    struct view *seen;
    size_t n_seen;
    struct model_entry seen_e[MESSAGES];
    uint64_t seen_modseq;
};

struct model {
    struct world world;
    struct account *account;
    struct model_box box[BOXES];
    struct mailbox *handle[BOXES];
    unsigned seed;
    atomic_uint under_way;
};

static const char *const box_name[BOXES] = {"INBOX", "Trash", "a", "a/b", "c"};

static unsigned draw(struct model *m, unsigned below)
{
    m->seed = m->seed * 1103515245 + 12345;
    return (m->seed >> 8) % below;
}

static void op_done(void *arg, enum result r)
{
    struct model *m = arg;
    if (r != OK)
        abort();
    atomic_fetch_sub(&m->under_way, 1);
}

static void drain(struct model *m)
{
    while (atomic_load(&m->under_way))
        usleep(100);
}

static void begin(struct model *m)
{
    atomic_fetch_add(&m->under_way, 1);
}

static void open_handles(struct model *m)
{
    m->account = account_of(&m->world, "alice");
    for (int i = 0; i < BOXES; i++) {
        struct model_box *b = &m->box[i];
        m->handle[i] = NULL;
        enum result r = mailbox_open(m->account, slice_cstr(box_name[i]), &m->handle[i]);
        assert_int_equal(r, b->exists ? OK : NOT_FOUND);
    }
}

static void close_handles(struct model *m)
{
    for (int i = 0; i < BOXES; i++)
        mailbox_unref(m->handle[i]);
    account_unref(m->account);
}

static void forget_seen(struct model_box *b)
{
    view_unref(b->seen);
    b->seen = NULL;
}

/* A box that the model did not know: as the store made it. */
static void adopt(struct model *m, int i)
{
    struct model_box *b = &m->box[i];
    struct mailbox_status st;
    m->handle[i] = mailbox_of(m->account, box_name[i]);
    assert_int_equal(mailbox_status(m->handle[i], &st), OK);
    assert_true(st.uidvalidity > b->uidvalidity);
    b->exists = true;
    b->uidvalidity = st.uidvalidity;
    b->uidnext = 1;
    b->n = 0;
}

/* ---- operations ---- */

static void add_entry(struct model_box *b, struct model_entry e)
{
    e.uid = b->uidnext++;
    b->e[b->n++] = e;
}

static void op_deliver(struct model *m)
{
    struct delivery *d;
    struct model_entry e = {.flags = (uint8_t)draw(m, 32), .message = log_id_new()};
    uint32_t uids[3] = {0};
    int boxes[3];
    unsigned n = 1 + draw(m, 3);
    assert_int_equal(delivery_new(m->world.store, e.message, &d), OK);
    assert_int_equal(delivery_write(d, SLICE("text of a message")), OK);
    for (unsigned k = 0; k < n; k++) {
        boxes[k] = (int)draw(m, BOXES);
        struct delivery_target t = {.account = m->account,
                                    .mailbox = slice_cstr(box_name[boxes[k]]),
                                    .flags = e.flags,
                                    .ret_uid = &uids[k]};
        assert_int_equal(delivery_add(d, &t), OK);
        if (m->box[boxes[k]].exists && m->box[boxes[k]].n == MESSAGES) {
            delivery_abandon(d);
            return;
        }
    }
    begin(m);
    assert_int_equal(delivery_submit(d, op_done, m), OK);
    for (unsigned k = 0; k < n; k++) {
        struct model_box *b = &m->box[boxes[k]];
        bool again = (k > 0 && boxes[k] == boxes[0]) || (k > 1 && boxes[k] == boxes[1]);
        if (!b->exists)
            adopt(m, boxes[k]);
        if (!again)
            add_entry(b, e);
        assert_int_equal(uids[k], b->uidnext - 1);
    }
}

/* Some uids of the box, some that are not there. */
static size_t draw_uids(struct model *m, const struct model_box *b, uint32_t *uids)
{
    size_t n = 1 + draw(m, draw(m, 4) ? 4 : 100);
    uint32_t base = 1 + draw(m, b->uidnext);
    for (size_t i = 0; i < n; i++)
        uids[i] = draw(m, 2) ? base + (uint32_t)i : 1 + draw(m, b->uidnext + 1);
    return n;
}

static bool listed(const uint32_t *uids, size_t n, uint32_t uid)
{
    for (size_t i = 0; i < n; i++)
        if (uids[i] == uid)
            return true;
    return false;
}

static void op_flags(struct model *m, int i)
{
    struct model_box *b = &m->box[i];
    uint32_t uids[100], bit = 0;
    size_t n = draw_uids(m, b, uids);
    uint8_t flags = (uint8_t)draw(m, 32);
    uint64_t keywords = 0;
    enum flag_op op = (enum flag_op)draw(m, 3);
    if (draw(m, 3) == 0) {
        char name[8];
        snprintf(name, sizeof name, "kw%u", draw(m, 8));
        assert_int_equal(mailbox_keyword(m->handle[i], slice_cstr(name), &bit), OK);
        keywords = (uint64_t)1 << bit;
    }
    begin(m);
    assert_int_equal(mailbox_store_flags(m->handle[i], op, flags, keywords, uids, n, UINT64_MAX,
                                         NULL, op_done, m),
                     OK);
    for (size_t k = 0; k < b->n; k++) {
        struct model_entry *e = &b->e[k];
        if (!listed(uids, n, e->uid))
            continue;
        e->flags = op == FLAGS_SET   ? flags
                   : op == FLAGS_ADD ? e->flags | flags
                                     : e->flags & (uint8_t)~flags;
        e->keywords = op == FLAGS_SET   ? keywords
                      : op == FLAGS_ADD ? e->keywords | keywords
                                        : e->keywords & ~keywords;
    }
}

static void remove_listed(struct model_box *b, const uint32_t *uids, size_t n, bool only_deleted,
                          uint32_t below)
{
    size_t kept = 0;
    for (size_t k = 0; k < b->n; k++) {
        struct model_entry *e = &b->e[k];
        bool goes = listed(uids, n, e->uid) && e->uid < below &&
                    (!only_deleted || (e->flags & FLAG_DELETED));
        if (!goes)
            b->e[kept++] = *e;
    }
    b->n = kept;
}

static void op_expunge(struct model *m, int i)
{
    uint32_t uids[100];
    size_t n = draw_uids(m, &m->box[i], uids);
    bool only_deleted = draw(m, 2);
    begin(m);
    assert_int_equal(mailbox_expunge(m->handle[i], uids, n, only_deleted, op_done, m), OK);
    remove_listed(&m->box[i], uids, n, only_deleted, UINT32_MAX);
}

static const struct model_entry *model_find(const struct model_box *b, size_t n, uint32_t uid)
{
    for (size_t k = 0; k < n; k++)
        if (b->e[k].uid == uid)
            return &b->e[k];
    return NULL;
}

/* Keywords are compared within one mailbox only: bits differ between them. */
static void op_copy(struct model *m, int from, int to)
{
    struct model_box *f = &m->box[from], *t = &m->box[to];
    uint32_t uids[100], got[100], uidvalidity = 0, below = f->uidnext;
    size_t n = draw_uids(m, f, uids);
    bool move = draw(m, 2);
    if (t->n + n > MESSAGES)
        return;
    uint64_t clear = UINT64_MAX;
    begin(m);
    assert_int_equal(mailbox_store_flags(m->handle[from], FLAGS_REMOVE, 0, clear, uids, n,
                                         UINT64_MAX, NULL, op_done, m),
                     OK);
    for (size_t k = 0; k < f->n; k++)
        if (listed(uids, n, f->e[k].uid))
            f->e[k].keywords = 0;
    begin(m);
    assert_int_equal(
        mailbox_copy(m->handle[from], m->handle[to], move, uids, n, got, &uidvalidity, op_done, m),
        OK);
    assert_int_equal(uidvalidity, t->uidvalidity);
    size_t n_source = f->n;
    for (size_t k = 0; k < n; k++) {
        const struct model_entry *e = model_find(f, n_source, uids[k]);
        assert_int_equal(got[k], e ? t->uidnext : 0);
        if (e)
            add_entry(t, *e);
    }
    if (move)
        remove_listed(f, uids, n, false, below);
}

static void op_delete(struct model *m, int i)
{
    if (i < 2)
        return;
    if (i == 2 && draw(m, 2)) { /* with its children */
        if (m->box[3].exists)
            op_delete(m, 3);
    }
    if (!m->box[i].exists)
        return;
    assert_int_equal(mailbox_delete(m->account, slice_cstr(box_name[i])), OK);
    struct view *v;
    assert_int_equal(mailbox_view(m->handle[i], &v), NOT_FOUND);
    mailbox_unref(m->handle[i]);
    m->handle[i] = NULL;
    m->box[i].exists = false;
    forget_seen(&m->box[i]);
}

/* ---- comparison ---- */

static void compare_view(const struct model_box *b, const struct view *v)
{
    assert_int_equal(view_count(v), b->n);
    assert_int_equal(view_uidnext(v), b->uidnext);
    assert_int_equal(view_uidvalidity(v), b->uidvalidity);
    uint32_t unseen = 0, first = 0;
    for (uint32_t k = 0; k < b->n; k++) {
        const struct entry *e = view_entry(v, k + 1);
        assert_int_equal(e->uid, b->e[k].uid);
        assert_int_equal(e->flags, b->e[k].flags);
        assert_int_equal(e->keywords, b->e[k].keywords);
        assert_int_equal(e->message, b->e[k].message);
        assert_true(e->modseq <= view_highest_modseq(v));
        assert_int_equal(view_seek(v, e->uid), k + 1);
        unseen += !(e->flags & FLAG_SEEN);
        if (!first && unseen)
            first = k + 1;
    }
    assert_int_equal(view_unseen(v), unseen);
    assert_int_equal(view_first_unseen(v), first);
}

struct replay {
    struct model_box *box;
    const struct view *view;
    uint32_t last_seq;
};

static void replay_gone(void *arg, uint32_t seq, uint32_t uid)
{
    struct replay *r = arg;
    struct model_box *b = r->box;
    assert_true(seq < r->last_seq); /* highest first */
    r->last_seq = seq;
    assert_int_equal(b->seen_e[seq - 1].uid, uid);
    memmove(&b->seen_e[seq - 1], &b->seen_e[seq], (b->n_seen - seq) * sizeof b->seen_e[0]);
    b->n_seen--;
}

static void replay_changed(void *arg, uint32_t seq, const struct entry *e)
{
    struct replay *r = arg;
    assert_int_equal(r->box->seen_e[seq - 1].uid, e->uid);
    r->box->seen_e[seq - 1].flags = e->flags;
    r->box->seen_e[seq - 1].keywords = e->keywords;
}

static void note_vanished(void *arg, uint32_t uid)
{
    struct model_box *b = arg;
    assert_null(model_find(b, b->n, uid));
    for (size_t i = 0; i < b->n_seen; i++)
        if (b->seen_e[i].uid == uid)
            b->seen_e[i].message = 0; /* told */
}

/* What was seen before, brought up to date by the difference, is what is seen now. */
static void compare_diff(struct model *m, int i, struct view *now)
{
    struct model_box *b = &m->box[i];
    if (b->seen) {
        assert_int_equal(mailbox_vanished(m->handle[i], b->seen_modseq, note_vanished, b), OK);
        for (size_t k = 0; k < b->n_seen; k++)
            assert_int_equal(!model_find(b, b->n, b->seen_e[k].uid), b->seen_e[k].message == 0);
        struct replay r = {b, now, UINT32_MAX};
        view_diff(b->seen, now, replay_gone, replay_changed, &r);
        assert_true(b->n_seen <= b->n);
        for (size_t k = 0; k < b->n_seen; k++) {
            assert_int_equal(b->seen_e[k].uid, b->e[k].uid);
            assert_int_equal(b->seen_e[k].flags, b->e[k].flags);
            assert_int_equal(b->seen_e[k].keywords, b->e[k].keywords);
        }
    }
    forget_seen(b);
    b->seen = view_ref(now);
    b->seen_modseq = view_highest_modseq(now);
    b->n_seen = b->n;
    memcpy(b->seen_e, b->e, sizeof b->e);
}

static void compare_all(struct model *m)
{
    drain(m);
    uint64_t total = 0, bytes, messages;
    for (int i = 0; i < BOXES; i++) {
        if (!m->box[i].exists)
            continue;
        struct view *v = view_of(m->handle[i]);
        compare_view(&m->box[i], v);
        compare_diff(m, i, v);
        view_unref(v);
        total += m->box[i].n;
    }
    assert_int_equal(account_usage(m->account, &bytes, &messages), OK);
    assert_int_equal(messages, total);
    assert_int_equal(bytes, total * 17);
}

static void reopen(struct model *m)
{
    close_handles(m);
    for (int i = 0; i < BOXES; i++)
        forget_seen(&m->box[i]);
    if (draw(m, 2))
        drain(m);
    world_close(&m->world); /* waits for what is under way */
    assert_int_equal(atomic_load(&m->under_way), 0);
    world_open(&m->world);
    open_handles(m);
}

static void step(struct model *m)
{
    int i = (int)draw(m, BOXES), k = (int)draw(m, BOXES);
    unsigned what = draw(m, 100);
    if (what < 40 || !m->box[i].exists)
        op_deliver(m);
    else if (what < 60)
        op_flags(m, i);
    else if (what < 75)
        op_expunge(m, i);
    else if (what < 90 && m->box[k].exists)
        op_copy(m, i, k);
    else if (what < 92)
        op_delete(m, i);
    else if (what == 92)
        reopen(m);
    else if (what < 97)
        compare_all(m);
}

static unsigned first_seed = 1;

static void run(unsigned seed, size_t cache)
{
    struct model *m = calloc(1, sizeof *m);
    m->seed = seed;
    m->world = world_new();
    world_close(&m->world);
    m->world.options.view_cache_bytes = cache;
    world_open(&m->world);
    m->account = account_of(&m->world, "alice");
    adopt(m, 0);
    adopt(m, 1);
    for (int i = 0; i < 1500; i++)
        step(m);
    compare_all(m);
    close_handles(m);
    for (int i = 0; i < BOXES; i++)
        forget_seen(&m->box[i]);
    check_store(&m->world);
    world_remove(&m->world);
    free(m);
}

static void test_model(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        print_message("seed %u\n", first_seed + i);
        run(first_seed + i, 0);
    }
}

/* Nothing stays loaded that nobody looks at. */
static void test_model_without_cache(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        print_message("seed %u\n", first_seed + 100 + i);
        run(first_seed + 100 + i, 1);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1)
        first_seed = (unsigned)strtoul(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_model_without_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
