/* process.h: what a process of the service tells the system about itself, and the signals it hears.
 */
#ifndef OS_PROCESS_H
#define OS_PROCESS_H

#include "base/result.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* "postrider: edge" in ps. main's argv, once, before the first process_set_title, which
 * writes over all of argv: copy before what is still needed of it. */
void process_title_init(int argc, char **argv);
void process_set_title(const char *title);

/* sd_notify(3): "READY=1", "STOPPING=1"; nothing happens without a service manager. */
void process_notify(const char *state);
/* "RELOADING=1" with the time that systemd asks for. */
void process_notify_reloading(void);

/* Blocks the signals that the master hears (TERM, INT, HUP, CHLD) and returns a non-blocking fd
 * that tells of them. */
MUST_USE enum result process_signals_fd(int *ret_fd, struct error *err);
/* The next signal told of, with the ended child of SIGCHLD not yet waited for; 0: none. */
int process_next_signal(int fd);
/* In a role: terminal and service manager signal the whole group, but roles stop when the master
 * says so. All other signals as at start. */
void process_signals_for_role(void);
/* The process is killed when its parent dies; false when the parent is dead already. To be renewed
 * after a change of user. */
MUST_USE bool process_die_with_parent(pid_t parent);

/* From now on the process may have so many bytes of address space at most; in a build with a
 * sanitizer, whose runtime takes terabytes, as many as before. False, with errno: not limited. */
MUST_USE bool process_limit_memory(uint64_t bytes);

/* Resident bytes of this process; opened once, while files may be opened. */
int process_memory_fd(void);
uint64_t process_memory(int fd);

#endif
