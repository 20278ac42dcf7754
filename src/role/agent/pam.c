/* pam.c: one question to PAM: is this the user's password, and may they come in? Runs in a child:
 * a module may hang, leak or crash. */
#include "role/agent/agent.h"

#include <security/pam_appl.h>
#include <stdlib.h>

enum { RIGHT = 0, WRONG = 1, UNASKED = 2, MESSAGES_MAX = 32 };

struct credentials {
    const char *user, *password;
};

static char *reply_to(const struct pam_message *m, const struct credentials *c)
{
    if (m->msg_style == PAM_PROMPT_ECHO_OFF)
        return strdup(c->password);
    return m->msg_style == PAM_PROMPT_ECHO_ON ? strdup(c->user) : NULL;
}

/* A prompt in clear is taken for the name, a hidden one for the password; what PAM only wants to
 * tell has nobody to read it. */
static int converse(int n, const struct pam_message **messages, struct pam_response **ret,
                    void *arg)
{
    if (n <= 0 || n > MESSAGES_MAX)
        return PAM_CONV_ERR;
    struct pam_response *replies = calloc((size_t)n, sizeof *replies);
    if (!replies)
        return PAM_BUF_ERR;
    for (int i = 0; i < n; i++)
        replies[i].resp = reply_to(messages[i], arg);
    *ret = replies;
    return PAM_SUCCESS;
}

/* auth delays failures itself, without keeping a child for it. */
static void no_delay(int status, unsigned microseconds, void *arg)
{
    (void)status;
    (void)microseconds;
    (void)arg;
}

static int code_of(int pam)
{
    switch (pam) {
    case PAM_SUCCESS:
        return RIGHT;
    case PAM_AUTH_ERR:
    case PAM_USER_UNKNOWN:
    case PAM_PERM_DENIED:
    case PAM_MAXTRIES:
    case PAM_ACCT_EXPIRED:
    case PAM_NEW_AUTHTOK_REQD:
    case PAM_AUTHTOK_EXPIRED:
    case PAM_CRED_INSUFFICIENT:
    case PAM_CRED_EXPIRED:
    case PAM_CRED_ERR:
        return WRONG;
    default:
        return UNASKED;
    }
}

static int set_items(pam_handle_t *pam, const char *client_ip)
{
    union {
        void (*function)(int, unsigned, void *);
        const void *item;
    } delay = {.function = no_delay};
    int r = pam_set_item(pam, PAM_FAIL_DELAY, delay.item);
    if (r == PAM_SUCCESS)
        r = pam_set_item(pam, PAM_TTY, "postrider");
    if (r == PAM_SUCCESS && client_ip[0])
        r = pam_set_item(pam, PAM_RHOST, client_ip);
    return r;
}

/* A module may map the user to another: then it is not who we asked about. */
static bool still_asks_for(pam_handle_t *pam, const char *user)
{
    const void *now = NULL;
    return pam_get_item(pam, PAM_USER, &now) == PAM_SUCCESS && now && strcmp(now, user) == 0;
}

static int ask(pam_handle_t *pam, const char *user, const char *client_ip, const char **ret_stage)
{
    *ret_stage = "set up";
    int r = set_items(pam, client_ip);
    if (r == PAM_SUCCESS) {
        *ret_stage = "password";
        r = pam_authenticate(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
    }
    if (r == PAM_SUCCESS) {
        *ret_stage = "account";
        r = pam_acct_mgmt(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
    }
    if (r == PAM_SUCCESS && !still_asks_for(pam, user)) {
        *ret_stage = "user name changed by a module";
        r = PAM_PERM_DENIED;
    }
    return r;
}

int agent_pam_check(const char *confdir, const char *service, const char *user,
                    const char *password, const char *client_ip, struct buf *reason)
{
    pam_handle_t *pam = NULL;
    const char *stage = "start";
    struct credentials c = {user, password};
    struct pam_conv conversation = {converse, &c};
    int r = pam_start_confdir(service, user, &conversation, confdir, &pam);
    if (r != PAM_SUCCESS) {
        buf_printf(reason, "start of service %s failed", service);
        return UNASKED;
    }
    r = ask(pam, user, client_ip, &stage);
    if (r != PAM_SUCCESS)
        buf_printf(reason, "%s: %s", stage, pam_strerror(pam, r));
    pam_end(pam, r);
    return code_of(r);
}
