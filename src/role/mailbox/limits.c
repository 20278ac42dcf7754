/* limits.c: what the settings say of the queue and of each transport's share of it. */
#include <stdio.h>

#include "base/log.h"
#include "conf/feedback.h"
#include "conf/pipe.h"
#include "role/mailbox/mailbox.h"

/* The settings were checked when they were read. */
static struct feedback feedback_of(struct slice text)
{
    struct conf_feedback f = {.amount = 1};
    static const int per[] = {[CONF_FEEDBACK_CONSTANT] = FEEDBACK_CONSTANT,
                              [CONF_FEEDBACK_BY_CONCURRENCY] = FEEDBACK_BY_CONCURRENCY,
                              [CONF_FEEDBACK_BY_SQUARE_ROOT] = FEEDBACK_BY_SQUARE_ROOT};
    return conf_feedback(text, &f) == OK ? (struct feedback){f.amount, per[f.per]}
                                         : (struct feedback){1, FEEDBACK_CONSTANT};
}

static struct queue_limit limit_of(const struct conf *c)
{
    return (struct queue_limit){
        .recipients = (uint32_t)c->default_destination_recipient_limit,
        .pace = {.initial = (uint32_t)c->initial_destination_concurrency,
                 .limit = (uint32_t)c->default_destination_concurrency_limit,
                 .positive = feedback_of(c->default_destination_concurrency_positive_feedback),
                 .negative = feedback_of(c->default_destination_concurrency_negative_feedback),
                 .failed_cohorts =
                     (uint32_t)c->default_destination_concurrency_failed_cohort_limit},
        .ahead = true,
        .processes = (uint32_t)c->maxproc,
        .destination_delay_s = (uint32_t)c->default_destination_rate_delay,
        .transport_delay_s = (uint32_t)c->default_transport_rate_delay,
    };
}

static bool is_deferred(const struct conf *c, struct slice transport)
{
    for (size_t i = 0; i < c->defer_transports.n; i++)
        if (slice_eq(c->defer_transports.items[i], transport))
            return true;
    return false;
}

static struct queue_limit limit_of_transport(const struct conf *c, struct slice name,
                                             struct slice kind)
{
    char label[80];
    snprintf(label, sizeof label, "%.*s/unix", SLICE_ARG(name));
    struct queue_limit l = limit_of(conf_for_service(c, slice_cstr(label)));
    snprintf(l.transport, sizeof l.transport, "%.*s", SLICE_ARG(name));
    if (slice_is(kind, "pipe")) {
        l.recipients = pipe_recipient_limit(c, name);
        l.ahead = false; /* each is a process of its own */
    }
    l.deferred = is_deferred(c, name);
    return l;
}

struct queue_options mailbox_queue_options(const struct conf *c,
                                           struct queue_limit limits[static QUEUE_LIMITS_MAX])
{
    size_t n = 0;
    for (; n < c->transport_services.n && n < QUEUE_LIMITS_MAX; n++) {
        struct slice kind = c->transport_services.items[n], name = slice_split(&kind, '=');
        limits[n] = limit_of_transport(c, name, kind);
    }
    if (n < c->transport_services.n)
        LOG(LOG_WARNING, "queue.limits", LOG_U("transports", c->transport_services.n),
            LOG_U("most", QUEUE_LIMITS_MAX),
            LOG_C("then", "those behind have no limits of their own, and none is deferred"));
    return (struct queue_options){
        .minimal_backoff_time = (uint64_t)c->minimal_backoff_time,
        .maximal_backoff_time = (uint64_t)c->maximal_backoff_time,
        .maximal_queue_lifetime = (uint64_t)c->maximal_queue_lifetime,
        .bounce_queue_lifetime = (uint64_t)c->bounce_queue_lifetime,
        .delay_warning_time = (uint64_t)c->delay_warning_time,
        .normal = limit_of(c),
        .limits = limits,
        .n_limits = n,
    };
}
