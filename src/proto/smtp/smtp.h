/* smtp.h: sizes of SMTP (RFC 5321 4.5.3.1 and its extensions) that server and client share. */
#ifndef PROTO_SMTP_SMTP_H
#define PROTO_SMTP_SMTP_H

enum {
    SMTP_LINE_MAX = 2048, /* a command with its line end; RFC 5321 asks for 512, its extensions
                             add to that */
    SMTP_AUTH_LINE_MAX = 12288, /* AUTH and the lines of its exchange: RFC 4954 4 */
    SMTP_HELO_MAX = 255,        /* a domain: RFC 5321 4.5.3.1.2 */
    SMTP_ENVID_MAX = 100,       /* RFC 3461 4.4 */
    SMTP_ORCPT_MAX = 500,       /* RFC 3461 4.2 */
    SMTP_PARAMS_MAX = 20        /* ESMTP parameters of one command */
};

#endif
