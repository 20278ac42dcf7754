/* diff.c: what changed between two views of a mailbox. Versions share the chunks that did not
 * change, so a comparison costs what changed, not what is there. */
#include "store/view.h"

struct place {
    const struct view *view;
    uint32_t slot; /* index; entry `at` of it */
    uint32_t at;
};

static const struct slot *slot_at(const struct place *p)
{
    return &p->view->slots[p->slot];
}

static uint32_t seq_at(const struct place *p)
{
    return slot_at(p)->first + p->at + 1;
}

static const struct entry *entry_at(const struct place *p)
{
    return &slot_at(p)->chunk->entries[p->at];
}

/* ---- backwards: a place stands behind the entry that comes next ---- */

static bool step_into_before(struct place *p)
{
    while (p->at == 0) {
        if (p->slot == 0)
            return false;
        p->slot--;
        p->at = slot_at(p)->n;
    }
    return true;
}

static struct place place_end(const struct view *v)
{
    return (struct place){v, v->n_slots, 0};
}

static void find_gone(const struct view *old_view, const struct view *new_view,
                      void (*gone)(void *arg, uint32_t old_seq, uint32_t uid), void *arg)
{
    struct place o = place_end(old_view), n = place_end(new_view);
    while (step_into_before(&o)) {
        bool more = step_into_before(&n);
        if (more && slot_at(&o)->chunk == slot_at(&n)->chunk && o.at == n.at) {
            o.at = n.at = 0;
            continue;
        }
        struct place before = {o.view, o.slot, o.at - 1};
        uint32_t uid = entry_at(&before)->uid, other = 0;
        if (more)
            other = slot_at(&n)->chunk->entries[n.at - 1].uid;
        if (other >= uid)
            n.at--;
        if (other <= uid)
            o.at--;
        if (other < uid)
            gone(arg, seq_at(&before), uid);
    }
}

/* ---- forwards ---- */

static bool step_over_end(struct place *p)
{
    while (p->slot < p->view->n_slots && p->at == slot_at(p)->n) {
        p->slot++;
        p->at = 0;
    }
    return p->slot < p->view->n_slots;
}

static void find_changed(const struct view *old_view, const struct view *new_view,
                         void (*changed)(void *arg, uint32_t new_seq, const struct entry *e),
                         void *arg)
{
    struct place o = {old_view, 0, 0}, n = {new_view, 0, 0};
    while (step_over_end(&o) && step_over_end(&n)) {
        if (slot_at(&o)->chunk == slot_at(&n)->chunk && o.at == n.at) {
            uint32_t shared = slot_at(&o)->n < slot_at(&n)->n ? slot_at(&o)->n : slot_at(&n)->n;
            if (o.at < shared) {
                o.at = n.at = shared;
                continue;
            }
        }
        const struct entry *eo = entry_at(&o), *en = entry_at(&n);
        if (eo->uid == en->uid && eo->modseq != en->modseq)
            changed(arg, seq_at(&n), en);
        uint32_t old_uid = eo->uid, new_uid = en->uid;
        if (old_uid <= new_uid)
            o.at++;
        if (new_uid <= old_uid)
            n.at++;
    }
}

void view_diff(const struct view *old_view, const struct view *new_view,
               void (*gone)(void *arg, uint32_t old_seq, uint32_t uid),
               void (*changed)(void *arg, uint32_t new_seq, const struct entry *e), void *arg)
{
    if (old_view == new_view)
        return;
    if (gone)
        find_gone(old_view, new_view, gone, arg);
    if (changed)
        find_changed(old_view, new_view, changed, arg);
}
