/* service_log.c: the server's lines on their way to syslog, where no service manager takes its
 * stderr. syslog(3) connects again when the daemon was restarted; without a daemon the lines are
 * dropped, but the server never waits. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <syslog.h>
#include <unistd.h>

#include "cli/service.h"

/* "TIME ROLE LEVEL EVENT …": the third word. */
static int priority_of(const char *line)
{
    static const struct {
        const char *word;
        int priority;
    } levels[] = {{" error ", LOG_ERR}, {" warning ", LOG_WARNING}, {" debug ", LOG_DEBUG}};
    const char *role = strchr(line, ' ');
    const char *level = role ? strchr(role + 1, ' ') : NULL;
    for (size_t i = 0; level && i < sizeof levels / sizeof *levels; i++)
        if (strncmp(level, levels[i].word, strlen(levels[i].word)) == 0)
            return levels[i].priority;
    return LOG_INFO;
}

/* syslog has a time of its own. */
static const char *without_time(const char *line)
{
    const char *space = strchr(line, ' ');
    return space && line[0] >= '0' && line[0] <= '9' ? space + 1 : line;
}

static _Noreturn void pass_on(int from)
{
    char *line = NULL;
    size_t size = 0;
    FILE *in = fdopen(from, "r");
    signal(SIGTERM, SIG_IGN); /* the last lines come after it */
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    prctl(PR_SET_NAME, "postrider-log");
    openlog("postrider", LOG_PID, LOG_MAIL);
    while (in && getline(&line, &size, in) >= 0) {
        line[strcspn(line, "\n")] = 0;
        syslog(priority_of(line), "%s", without_time(line));
    }
    _exit(0);
}

void service_log_to_syslog(void)
{
    int ends[2];
    if (pipe(ends) != 0)
        return;
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, STDERR_FILENO);
        close(ends[1]);
        pass_on(ends[0]);
    }
    if (pid > 0)
        dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
}
