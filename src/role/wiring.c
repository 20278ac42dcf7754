#include "role/wiring.h"

static const enum ipc_role pairs[][2] = {
    {ROLE_EDGE, ROLE_AUTH},    {ROLE_EDGE, ROLE_MAILBOX},  {ROLE_EDGE, ROLE_RELAY},
    {ROLE_MAILBOX, ROLE_AUTH}, {ROLE_MAILBOX, ROLE_RELAY}, {ROLE_MAILBOX, ROLE_AGENT},
    {ROLE_AUTH, ROLE_AGENT},   {ROLE_AUTH, ROLE_RELAY},    {ROLE_RELAY, ROLE_AGENT},
};

bool role_talks_to(enum ipc_role a, enum ipc_role b)
{
    bool found = false;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs && !found; i++)
        found = (pairs[i][0] == a && pairs[i][1] == b) || (pairs[i][0] == b && pairs[i][1] == a);
    return found;
}

/* auth signs, mailbox checks; the others never see it. */
bool role_gets_grant_key(enum ipc_role r)
{
    return r == ROLE_AUTH || r == ROLE_MAILBOX;
}

bool role_gets_secrets(enum ipc_role r)
{
    return r == ROLE_AUTH || r == ROLE_EDGE || r == ROLE_RELAY;
}

bool role_gets_listeners(enum ipc_role r)
{
    return r == ROLE_EDGE || r == ROLE_MAILBOX;
}
