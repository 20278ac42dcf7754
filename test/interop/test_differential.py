"""test_differential.py: Postrider on Postfix's files answers as Postfix does: the same main.cf and master.cf, the same
dialogues against both, reply by reply: code, enhanced code, and the text of every refusal.

A case is one line: R(config, from, to, …) for the usual dialogue up to RCPT, D(config, line, line, …) for any. CONFIGS
are services of master.cf (settings of main.cf that hold for one port); "%" is the folder of FILES. Where Postrider means
to differ, the case says with .but() how and why; the others' replies still have to be alike."""
import shutil
import tempfile

import pytest

from differential import Servers, differences, peers

RECORDS = """
good.test. MX 10 mx.good.test.
good.test. NS ns.bad.test.
good.test. A 192.0.2.40
mx.good.test. A 192.0.2.41
client.good.test. A 192.0.2.10
forged.good.test. A 192.0.2.99
10.2.0.192.in-addr.arpa. PTR client.good.test.
11.2.0.192.in-addr.arpa. PTR forged.good.test.
12.2.0.192.in-addr.arpa. PTR nothere.good.test.
13.2.0.192.in-addr.arpa. PTR x.slow.test.
14.2.0.192.in-addr.arpa. PTR mail.bad.test.
mail.bad.test. A 192.0.2.14
bad.test. MX 10 mail.bad.test.
bad.test. NS ns.bad.test.
ns.bad.test. A 192.0.2.53
sub.good.test. A 192.0.2.42
onlya.test. A 192.0.2.43
nullmx.test. MX 0 .
far.test. MX 10 mx.far.test.
mx.far.test. A 192.0.2.44
backup.test. MX 10 mx.far.test.
backup.test. MX 20 mail.example.test.
mail.example.test. A 192.0.2.1
10.2.0.192.bl.test. A 127.0.0.4
10.2.0.192.bl.test. TXT "listed for fun"
14.2.0.192.bl.test. A 127.0.0.2
10.2.0.192.wl.test. A 127.0.0.2
good.test.rhs.test. A 127.0.0.2
client.good.test.rhs.test. A 127.0.0.3
client.good.test.rhs.test. TXT "a bad name"
helo.good.test.rhs.test. A 127.0.0.2
virtual.test. MX 10 mail.example.test.
"""

FILES = {
    "client_access": """
192.0.2.20 REJECT
192.0.2.21 REJECT go away
192.0.2.22 REJECT 5.7.9 go away
192.0.2.23 550 five fifty
192.0.2.24 450 four fifty
192.0.2.25 450 4.2.2 four fifty
192.0.2.26 DEFER
192.0.2.27 DEFER later please
192.0.2.28 DEFER_IF_PERMIT
192.0.2.29 DEFER_IF_PERMIT 4.3.9 perhaps
192.0.2.30 DEFER_IF_REJECT
192.0.2.31 OK
192.0.2.32 DUNNO
192.0.2.33 12345
192.0.2.34 554
192.0.2.35 reject_unauth_destination
192.0.2.36 permit_mynetworks, reject
192.0.2.37 nonsense
192.0.2.38 warn_if_reject, reject
192.0.2.39 WARN look at this
192.0.2.45 INFO see this
192.0.2.46 PREPEND X-Seen: yes
192.0.2.47 HOLD
192.0.2.48 DISCARD
192.0.2.49 421 4.7.0 go now
192.0.2.50 521 5.7.0 go for good
192.0.2.51 REJECT 5.1.1 odd status
192.0.2.52 REJECT 4.7.3 wrong class
192.0.2.53 check_sender_access texthash:/nowhere
192.0.2.54 my_class
10.9.9 REJECT the whole net
bad.test REJECT bad domain
unknown REJECT no name
""",
    "helo_access": """
helo.bad.test REJECT
bad.test 550 5.7.2 that domain
[192.0.2.10] REJECT literal
friend.test OK
""",
    "sender_access": """
spam@good.test REJECT
bad.test REJECT domain
user@ 550 5.1.8 any user
<> REJECT no bounces
plus@good.test 554 5.7.3 with detail
bad@onlya.test 550 5.1.1 status of a recipient
rcptdsn@onlya.test 450 4.1.2 status of a domain
s3@onlya.test 550 5.1.3 three
s4@onlya.test 550 5.1.4 four
s5@onlya.test 550 5.1.5 five
s6@onlya.test 550 5.1.6 six
s7@onlya.test 550 5.1.7 seven
s8@onlya.test 550 5.1.8 eight
s0@onlya.test 550 5.1.0 zero
s9@onlya.test 550 5.2.1 other
""",
    "rcpt_access": """
bob@example.test OK
alice@example.test REJECT not her
far.test REJECT not there
carol@ 450 4.7.1 later
dsn@example.test 550 5.1.8 status of a sender
dsn7@example.test 550 5.1.7 status of a sender
dsn3@example.test 550 5.1.3 three
dsn4@example.test 550 5.1.4 four
dsn5@example.test 550 5.1.5 five
dsn6@example.test 550 5.1.6 six
dsn0@example.test 550 5.1.0 zero
""",
    "etrn_access": "bad.test REJECT\ngood.test OK\n",
    "servers": "192.0.2.41 REJECT mx address\nns.bad.test REJECT name server\n192.0.2.42 REJECT its address\nmail.bad.test 550 mx name\n192.0.2.43 OK\n",
    "patterns": "/^192\\.0\\.2\\.6/ REJECT pattern\n/good\\.test$/ DUNNO\n",
    "networks": "192.0.2.64/26 REJECT network\n0.0.0.0/0 DUNNO\n",
    "virtual": "info@alias.test bob@example.test\nroot@example.test bob@example.test\n@catch.test bob@example.test\n"
               "chain@alias.test info@alias.test\nloop1@alias.test loop2@alias.test\nloop2@alias.test loop1@alias.test\n"
               "away@alias.test x@far.test\nboth@alias.test bob@example.test, alice@example.test\nnobody2@alias.test nobody@example.test\n",
    "virtual_regexp": "/^sales-(.+)@alias\\.test$/ bob+$1@example.test\n",
    "virtual_pcre": "/^help\\d{2,3}@alias\\.test$/ bob@example.test\n",
    "aliases": 'list: bob, alice\ncommand: "|/bin/true"\nfile: /var/tmp/nothing\nowner-list: alice\noutside: x@far.test\nself: \\bob\n'
               "UPPER: bob\nempty: :include:/dev/null\n",
    "transport": "gone.test error:5.1.2 this domain is gone\nmoved@example.test error:5.1.6 moved away\nlater@example.test error:4.3.0 not now\n"
                 "slow.relayed.test smtp:[192.0.2.44]\nquiet@example.test discard:quietly\n.gone.test error:this one too\n"
                 "bare.test error:\n",
    "relocated": "old@example.test new@far.test\nold.test elsewhere.test\n",
    "relay_recipients": "r@relayed.test x\n@wild.test x\n",
    "mailboxes": "box@virtual.test box/\n@vcatch.test all/\n",
    "canonical": "canon@example.test bob@example.test\nghost@example.test nobody@example.test\n",
    "rcpt_hash": "bob@example.test REJECT by hash\nexample.test OK\n",
    "rcpt_regexp": "/^(.*)@far\\.test$/ 550 5.7.4 no $1 there\n!/@example\\.test$/ REJECT not for us\n/^alice@/ 450 wait\n",
    "rcpt_pcre": "/^(?<who>bob|alice)\\+(\\w+)@/i REJECT $1 has no $2\nif /^carol/\n/./ REJECT carol's rule\nendif\n",
    "nets_more": "192.0.2.0/29 REJECT low\n!192.0.2.0/24 REJECT outside\n192.0.2.10 WARN one\n192.0.2.99/32 450 4.7.5 that one\n",
    "headers": "/^X-Bad:/ REJECT bad header\n/^X-Gone:/ DISCARD\n/^X-Later:/ REJECT 4.7.1 later\n/^Subject: .*(sale|offer)/ REJECT 5.7.8 no $1\n",
    "bodies": "/forbidden words/ REJECT\n",
    "logins": "bob@example.test bob\n",
    "rbl_replies": "bl.test $rbl_code 5.7.8 ${rbl_class} [$rbl_what] is on $rbl_domain${rbl_reason?: $rbl_reason}\n",
}

MAIN_CF = {
    "myhostname": "mail.example.test", "mydomain": "example.test", "myorigin": "example.test",
    "mydestination": "example.test, mail.example.test", "inet_interfaces": "192.0.2.1, 192.0.2.2", "inet_protocols": "ipv4",
    "mynetworks": "192.0.2.200/32", "alias_maps": "hash:%/aliases",
    "local_recipient_maps": "inline:{bob=x,alice=x,carol=x,dsn=x,dsn7=x,moved=x,later=x,quiet=x,old=x}, $alias_maps",
    "virtual_alias_domains": "alias.test, catch.test", "virtual_alias_maps": "hash:%/virtual, regexp:%/virtual_regexp, pcre:%/virtual_pcre",
    "virtual_mailbox_domains": "virtual.test, vcatch.test", "virtual_mailbox_maps": "hash:%/mailboxes",
    "relay_domains": "relayed.test, wild.test", "relay_recipient_maps": "hash:%/relay_recipients",
    "transport_maps": "hash:%/transport", "relocated_maps": "hash:%/relocated", "canonical_maps": "hash:%/canonical",
    "header_checks": "regexp:%/headers", "body_checks": "pcre:%/bodies",
    "smtpd_error_sleep_time": "0", "smtpd_client_connection_count_limit": "0", "smtpd_client_connection_rate_limit": "0",
    "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
    "smtpd_restriction_classes": "my_class, other_class", "my_class": "reject_unknown_sender_domain, other_class",
    "other_class": "check_recipient_access texthash:%/rcpt_access",
    "maximal_queue_lifetime": "0", "recipient_delimiter": "+",
}


def client(*words):
    return {"smtpd_client_restrictions": " ".join(words)}


def helo(*words):
    return {"smtpd_helo_restrictions": " ".join(words)}


def sender(*words):
    return {"smtpd_sender_restrictions": " ".join(words)}


def rcpt(*words):
    return {"smtpd_recipient_restrictions": " ".join(words)}


CONFIGS = {
    "plain": {},
    "client_access": client("check_client_access texthash:%/client_access"),
    "client_bare_table": client("texthash:%/client_access"),
    "client_access_strict": {**client("check_client_access texthash:%/client_access"), "parent_domain_matches_subdomains": ""},
    "client_codes": {**client("check_client_access texthash:%/client_access"), "access_map_reject_code": "571", "access_map_defer_code": "451"},
    "client_reject": client("reject"),
    "client_defer": client("defer"),
    "client_permit": client("permit, reject"),
    "client_warn": client("warn_if_reject reject, warn_if_reject reject_unknown_client_hostname, permit"),
    "client_defer_if_permit": client("defer_if_permit"),
    "client_defer_if_reject": client("defer_if_reject, reject"),
    "client_both_ifs": client("defer_if_permit, defer_if_reject, reject"),
    "client_unknown": client("permit_mynetworks, reject_unknown_client_hostname"),
    "client_unknown_550": {**client("reject_unknown_client_hostname"), "unknown_client_reject_code": "550"},
    "client_reverse": client("reject_unknown_reverse_client_hostname"),
    "client_reverse_access": client("check_reverse_client_hostname_access texthash:%/client_access"),
    "client_interfaces": client("permit_inet_interfaces, reject"),
    "client_tls": client("reject_plaintext_session"),
    "client_class": client("my_class"),
    "client_patterns": client("check_client_access regexp:%/patterns, check_client_access cidr:%/networks"),
    "client_unauth": client("reject_unauth_destination"),
    "client_non_fqdn": client("reject_non_fqdn_sender, reject_non_fqdn_recipient"),
    "early": {**client("check_client_access texthash:%/client_access"), **helo("check_helo_access texthash:%/helo_access"),
              **sender("check_sender_access texthash:%/sender_access"), "smtpd_delay_reject": "no"},
    "early_unlisted": {"smtpd_delay_reject": "no", "smtpd_reject_unlisted_sender": "yes"},
    "early_defer_if": {**client("defer_if_permit"), "smtpd_delay_reject": "no"},
    "helo_form": helo("reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname"),
    "helo_invalid": helo("reject_invalid_helo_hostname"),
    "helo_unknown": helo("reject_unknown_helo_hostname"),
    "helo_access": helo("check_helo_access texthash:%/helo_access"),
    "helo_required": {"smtpd_helo_required": "yes"},
    "helo_servers": helo("check_helo_mx_access texthash:%/servers, check_helo_ns_access texthash:%/servers, check_helo_a_access texthash:%/servers"),
    "sender_form": sender("reject_non_fqdn_sender"),
    "sender_domain": sender("reject_unknown_sender_domain"),
    "sender_domain_defer": {**sender("reject_unknown_sender_domain, reject"), "unknown_address_reject_code": "550"},
    "sender_tempfail": {**sender("reject_unknown_sender_domain, reject"), "unknown_address_tempfail_action": "defer"},
    "sender_access": sender("check_sender_access texthash:%/sender_access"),
    "sender_unlisted": sender("reject_unlisted_sender"),
    "sender_mx": sender("check_sender_mx_access texthash:%/servers"),
    "sender_ns": sender("check_sender_ns_access texthash:%/servers"),
    "sender_a": sender("check_sender_a_access texthash:%/servers"),
    "sender_login": {**sender("reject_sender_login_mismatch"), "smtpd_sender_login_maps": "texthash:%/logins"},
    "rcpt_access": rcpt("check_recipient_access texthash:%/rcpt_access"),
    "rcpt_hash": rcpt("check_recipient_access hash:%/rcpt_hash"),
    "rcpt_regexp": rcpt("check_recipient_access regexp:%/rcpt_regexp"),
    "rcpt_pcre": rcpt("check_recipient_access pcre:%/rcpt_pcre"),
    "rcpt_inline": rcpt("check_recipient_access inline:{ {bob@example.test=REJECT by inline}, {alice@example.test = OK} }, check_sender_access static:{REJECT all}"),
    "rcpt_union": rcpt("check_recipient_access pipemap:{inline:{bob@example.test=key},inline:{key=reject}}"),
    "rcpt_fail": rcpt("check_recipient_access fail:{why}"),
    "rcpt_cidr": client("check_client_access cidr:%/nets_more"),
    "rcpt_form": {**rcpt("reject_non_fqdn_recipient, reject_unknown_recipient_domain"), "smtpd_relay_restrictions": "permit_mynetworks, defer_unauth_destination"},
    "rcpt_unlisted": {**rcpt("reject_unlisted_recipient, reject"), "show_user_unknown_table_name": "no"},
    "rcpt_no_unlisted": {"smtpd_reject_unlisted_recipient": "no"},
    "rcpt_bounce": rcpt("reject_multi_recipient_bounce"),
    "rcpt_auth_dest": rcpt("permit_auth_destination, reject"),
    "rcpt_backup": {**rcpt("permit_mx_backup, reject"), "smtpd_relay_restrictions": ""},
    "rcpt_old_order": {**rcpt("check_recipient_access texthash:%/rcpt_access"), "smtpd_relay_before_recipient_restrictions": "no"},
    "rcpt_discard": {**client("check_client_access texthash:%/client_access"), **rcpt("reject")},
    "codes": {"unknown_local_recipient_reject_code": "450", "relay_domains_reject_code": "550", "unknown_virtual_mailbox_reject_code": "551"},
    "soft": {"soft_bounce": "yes"},
    "data": {"smtpd_data_restrictions": "reject_unauth_pipelining, reject_multi_recipient_bounce"},
    "data_reject": {"smtpd_data_restrictions": "check_recipient_access texthash:%/rcpt_access, check_sender_access texthash:%/sender_access, permit_mynetworks, reject"},
    "end": {"smtpd_end_of_data_restrictions": "check_sender_access texthash:%/sender_access"},
    "etrn": {"smtpd_etrn_restrictions": "check_etrn_access texthash:%/etrn_access, reject"},
    "rbl": client("reject_rbl_client bl.test"),
    "rbl_filter": client("reject_rbl_client bl.test=127.0.0.[4..9;11], reject_rbl_client slowlist.test"),
    "rbl_maps": {**client("reject_rbl_client bl.test"), "rbl_reply_maps": "texthash:%/rbl_replies", "maps_rbl_reject_code": "550"},
    "rhsbl": {**client("reject_rhsbl_client rhs.test"), **helo("reject_rhsbl_helo rhs.test"), **sender("reject_rhsbl_sender rhs.test")},
    "dnswl": client("permit_dnswl_client wl.test, permit_dnswl_client slowlist.test, reject"),
    "strict": {"strict_rfc821_envelopes": "yes", "disable_vrfy_command": "yes"},
    "words": {"smtpd_noop_commands": "XNOOP", "smtpd_discard_ehlo_keywords": "dsn, etrn, chunking", "smtpd_recipient_limit": "2",
              "smtpd_hard_error_limit": "4", "smtpd_soft_error_limit": "3"},
    "footer": {"smtpd_reject_footer": "\\c. Ask the postmaster of $server_name\\nabout $client_address"},
}

HELO = "client.good.test"


class Case:
    def __init__(self, config, lines, ip, texts):
        self.config, self.lines, self.ip, self.texts = config, lines, ip, texts
        self.meant = {}

    def but(self, why, at, reply):
        """Reply number `at` is to be this one, though Postfix says something else."""
        assert why
        self.meant[at] = reply
        return self

    def __str__(self):
        return f"{self.config} {self.ip} {' '.join(self.lines)}".replace("\r\n", " ")[:110]


def R(config, from_="s@good.test", to="bob@example.test", ip="192.0.2.10", ehlo=HELO, texts=True):
    """The usual dialogue up to RCPT (to may be several addresses)."""
    rcpts = [f"RCPT TO:<{address}>" for address in to.split()]
    return Case(config, [f"EHLO {ehlo}", f"MAIL FROM:<{from_}>", *rcpts], ip, texts)


def D(config, *lines, ip="192.0.2.10", texts=True):
    return Case(config, list(lines), ip, texts)


START = (f"EHLO {HELO}", "MAIL FROM:<s@good.test>")
BAD_RCPT, BAD_SENDER = "501 5.1.3 Bad recipient address syntax", "501 5.1.7 Bad sender address syntax"
NO_ADDRESS = "RFC 5321 4.1.2: what is no address is not guessed at"
TOO_LONG = "RFC 5321 4.5.3.1: 64 octets of a local part"
NO_BACKSCATTER = "what leads nowhere is refused at once, not taken and bounced"
MESSAGE = ("DATA", ">Subject: x", ">", ">x", ".")
ACCESS_IPS = ["192.0.2.%d" % n for n in (*range(20, 40), *range(45, 55))]

CASES = [
    # the defaults: who may send where
    R("plain"), R("plain", to="nobody@example.test"), R("plain", to="x@far.test"), R("plain", to="x@far.test", ip="192.0.2.200"),
    R("plain", from_=""), R("plain", to="bob"), R("plain", to="nobody"), 
    R("plain", to="postmaster").but(NO_BACKSCATTER, 3, "550 5.1.1 <postmaster>: Recipient address rejected: User unknown in local recipient table"),
    R("plain", to="BOB@EXAMPLE.TEST"), R("plain", to="bob+detail@example.test"), R("plain", to="nobody+detail@example.test"),
    R("plain", to="info@alias.test"), R("plain", to="nobody@alias.test"), R("plain", to="box@virtual.test"),
    R("plain", to="nobody@virtual.test"), R("plain", to="r@relayed.test"), R("plain", to="nobody@relayed.test"),
    R("plain", to="r@sub.relayed.test"), R("plain", to="root@example.test"), R("plain", to="bob@[192.0.2.1]"),
    R("plain", to="bob@[192.0.2.77]"), R("plain", to="bob%far.test@example.test"), R("plain", to="far.test!bob@example.test"),
    R("plain", to="bob@mail.example.test"), R("plain", to="bob@sub.example.test"), R("plain", to="nobody@example.test bob@example.test"),
    R("plain", to="bob@example.test."), R("plain", from_="nobody@example.test"),
    # syntax
    D("plain", "EHLO"), D("plain", "HELO"), D("plain", "EHLO a b c"), D("plain", "HELO a(b)"), D("plain", "MAIL FROM:<a@b.test>"),
    D("plain", "RCPT TO:<bob@example.test>"), D("plain", "DATA"), D("plain", "NONSENSE"), D("plain", ""), D("plain", "QUIT"),
    D("plain", "QUIT now"), D("plain", "NOOP"), D("plain", "NOOP x y"), D("plain", "RSET"), D("plain", "RSET x"), D("plain", "VRFY"),
    D("plain", *START, "MAIL FROM:<s@good.test>"), D("plain", *START, "DATA"), D("plain", *START, "RCPT TO:<nobody@example.test>", "DATA"),
    D("plain", *START, "DATA x"), D("plain", *START, "RCPT"), D("plain", *START, "RCPT TO:"), D("plain", *START, "RCPT TO:<>"),
    D("plain", *START, "RCPT TO:bob@example.test"), D("plain", *START, "RCPT TO: <bob@example.test>"), D("plain", *START, "RCPT <bob@example.test>"),
    D("plain", *START, "RCPT TO:<bob@example.test> X=y"), D("plain", *START, "RCPT TO:<bob@example.test> NOTIFY=NEVER"),
    D("plain", *START, "RCPT TO:<bob@example.test> NOTIFY=x"), D("plain", *START, "RCPT TO:<bob@example.test> ORCPT=x"),
    D("plain", *START, "RCPT TO:<bob@example.test> ORCPT=rfc822;bob@example.test"),
    D("plain", *START, "RCPT TO:<@relay.test:bob@example.test>"), D("plain", *START, 'RCPT TO:<"bob"@example.test>'),
    D("plain", *START, "RCPT TO:<bob@example.test"),
    D("plain", "EHLO x", "MAIL"), D("plain", "EHLO x", "MAIL FROM:"), D("plain", "EHLO x", "MAIL FROM:s@good.test"), D("plain", "EHLO x", "MAIL FROM: <s@good.test>"),
    D("plain", "EHLO x", "MAIL <s@good.test>"), D("plain", "EHLO x", "MAIL FROM:<s@good.test> SIZE=1000"), D("plain", "EHLO x", "MAIL FROM:<s@good.test> SIZE=x"),
    D("plain", "EHLO x", "MAIL FROM:<s@good.test> SIZE=99999999"), D("plain", "EHLO x", "MAIL FROM:<s@good.test> BODY=8BITMIME"),
    D("plain", "EHLO x", "MAIL FROM:<s@good.test> BODY=x"), D("plain", "EHLO x", "MAIL FROM:<s@good.test> RET=HDRS ENVID=a"),
    D("plain", "EHLO x", "MAIL FROM:<s@good.test> RET=x"), D("plain", "EHLO x", "MAIL FROM:<s@good.test> FOO"), D("plain", "EHLO x", "MAIL FROM:<s@good.test> AUTH=<>"),
    D("plain", "EHLO x", "MAIL FROM:<s@good.test> SMTPUTF8"), D("plain", "EHLO x", "mail from:<s@good.test>"),
    D("plain", "HELO x", "MAIL FROM:<s@good.test>", "RCPT TO:<bob@example.test>"),
    D("plain", *START, "EHLO again", "RCPT TO:<bob@example.test>"), D("plain", *START, "RSET", "RCPT TO:<bob@example.test>"),
    D("plain", "STARTTLS"), D("plain", "AUTH PLAIN"), D("plain", "EHLO x", "AUTH"), D("plain", "GET / HTTP/1.1"), D("plain", "CONNECT a:25"),
    D("plain", "VRFY bob"), D("plain", "EHLO x", "VRFY bob"), D("plain", "EHLO x", "VRFY nobody"), D("plain", "EHLO x", "VRFY x@far.test"), D("plain", "EHLO x", "VRFY <bob@example.test>"),
    D("plain", "EHLO x", "ETRN"), D("plain", "EHLO x", "ETRN a b"), D("plain", "EHLO x", "ETRN example.test"), D("plain", "ETRN example.test"), D("plain", "EHLO x", "ETRN a..b"),
    D("plain", *START, "ETRN example.test"), D("plain", "EHLO x", "BDAT 3\r\nx"), D("plain", *START, "RCPT TO:<bob@example.test>", "BDAT x"),
    D("plain", *START, "RCPT TO:<bob@example.test>", *MESSAGE), D("plain", *START, "RCPT TO:<bob@example.test>", *MESSAGE, "RCPT TO:<bob@example.test>"),
    *(R("plain", to=t) for t in (
        '"bob"@example.test', '"b\\ob"@example.test', '"bob"+x@example.test', '"bob+x"@example.test', "@a.test,@b.test:bob@example.test",
        "@a.test:nobody@example.test", "bob@[1.2.3]", "bob@[x:1]", "bob%example.test@example.test", "nobody%example.test@example.test",
        "bob%relayed.test@example.test", "r%relayed.test@example.test", "x%far.test", "far.test!x", "example.test!bob", "r@relayed.test%far.test",
        "bob@", "@", "bob@example..test", "bob@-example.test", "bob@example-.test", "bob@exa_mple.test", "b,ob@example.test", "b;ob@example.test",
        "b[ob@example.test", "+detail@example.test", "bob+@example.test", "bob+a+b@example.test", "BOB+X@EXAMPLE.test", "postmaster+x@example.test",
        "x" * 64 + "@example.test", "bob@" + "a" * 64 + ".test", "bob@" + "a." * 130 + "test", "bob@123", "bob@1.2.3.4", "bob@192.0.2.1",
        "info+x@alias.test", "INFO@ALIAS.TEST", "box+x@virtual.test", "BOX@VIRTUAL.TEST", "r+x@relayed.test", "r@RELAYED.test", "|cmd", "/file",
        "|cmd@example.test", "/file@example.test", "-x@example.test", "bob@.example.test", "bob@example.test..")),
    *(D("plain", *START, f"RCPT TO:<{t}>") for t in (
        '"bo b"@example.test', '"nobody x"@example.test', '"a@b"@example.test', '"far.test!x"@example.test', '"x%far.test"@example.test', '"-x"@example.test', '"\\-x"@example.test',
        "a b", '"bob@example.test')),
    *(D("plain", *START, f"RCPT TO:<{t}>").but(NO_ADDRESS, 3, BAD_RCPT) for t in (
        "bob@example.test@example.test", "@example.test", ".bob@example.test", "bob.@example.test", "b..ob@example.test", "bob @example.test",
        "bob@ example.test", "bob(x)@example.test", "b:ob@example.test", "b\\ob@example.test", " bob@example.test", "bob@example.test ",
        "<bob@example.test>", "bob\t@example.test", "bob@example.test>", "\\bob@example.test", ":include:/x@example.test")),
    R("plain", to='""@example.test').but(NO_ADDRESS, 3, "501 5.1.3 <@example.test>: Bad recipient address syntax"),
    R("plain", to="x" * 65 + "@example.test").but(TOO_LONG, 3, BAD_RCPT), R("plain", to="x" * 300 + "@example.test").but(TOO_LONG, 3, BAD_RCPT),
    *(R("plain", to=f"bob@[{ip}]").but("loopback is this host's", 3, "250 2.1.5 Ok") for ip in ("127.0.0.1", "IPv6:::1", "ipv6:::1")),
    *(R("plain", to=f"{name}@example.test").but(
        NO_BACKSCATTER, 3, f"550 5.1.1 <{name}@example.test>: Recipient address rejected: User unknown in local recipient table")
      for name in ("postmaster", "mailer-daemon")),
    R("plain", to="b\xf3b@example.test").but("RFC 6531 3.4: such an address needs SMTPUTF8", 3, "553 5.6.7 Error: SMTPUTF8 is required for this address"),
    R("plain", to="bob@ex\xe4mple.test").but("RFC 6531 3.4: such an address needs SMTPUTF8", 3, "553 5.6.7 Error: SMTPUTF8 is required for this address"),
    *(D("plain", "EHLO x", f"MAIL FROM:<{f}>", "RCPT TO:<bob@example.test>") for f in (
        "-x@good.test", "x@123", "x@1.2.3.4", "a b@good.test", "x@", "x@[1.2.3.4]", "x@[1.2.3]", '"x y"@good.test', "x@good..test", "x@-good.test",
        "@a:x@good.test", "x%y@good.test", "y!x")),
    *(D("plain", "EHLO x", f"MAIL FROM:<{f}>").but(NO_ADDRESS, 2, BAD_SENDER) for f in ("@good.test", "x@a@b.test")),
    *(D("plain", "EHLO x", "MAIL FROM:<s@good.test> " + p) for p in (
        "AUTH=a+zz", "AUTH=", "AUTH=a=b", "AUTH", "=x", "SIZE", "SIZE=", "BODY", "BODY=", "BODY=8BITMIME BODY=7BIT", "RET", "RET=", "RET=FULL RET=FULL",
        "ENVID=", "SMTPUTF8=x", "-X=y", "a_b=c")),
    D("plain", "EHLO x", "MAIL FROM:<s@good.test> ENVID=a=b").but("RFC 3461 4: xtext has no =", 2, "501 5.5.4 Bad ENVID parameter syntax"),
    D("plain", "EHLO x", "MAIL FROM:<s@good.test>SIZE=1"),
    *(D("plain", *START, "RCPT TO:<bob@example.test> " + p) for p in ("NOTIFY", "NOTIFY=", "NOTIFY=NEVER,SUCCESS", "ORCPT=", "ORCPT", "=", "X")),
    D("plain", *START, "RCPT TO:<bob@example.test> NOTIFY=SUCCESS,SUCCESS").but("RFC 3461 4.1: each at most once", 3, "501 5.5.4 Error: Bad NOTIFY parameter syntax"),
    *(D("plain", *START, f"RCPT TO:<bob@example.test> ORCPT=rfc822;{t}").but("RFC 3461 4.2: xtext", 3, "501 5.5.4 Error: Bad ORCPT parameter syntax")
      for t in ("", "a=b")),
    # access tables: results
    *(R("client_access", ip=ip) for ip in ACCESS_IPS),
    *(R("client_access", ip=ip, to="x@far.test") for ip in ("192.0.2.28", "192.0.2.29", "192.0.2.30", "192.0.2.31", "192.0.2.48")),
    *(R("client_codes", ip=ip) for ip in ("192.0.2.20", "192.0.2.26", "192.0.2.28")),
    R("client_bare_table", ip="192.0.2.20"), R("client_access", ip="10.9.9.7"), R("client_access", ip="192.0.2.14"), R("client_access", ip="192.0.2.99"),
    R("client_access", ip="192.0.2.11"), R("client_access_strict", ip="192.0.2.14"), R("client_access_strict", ip="192.0.2.10"),
    R("client_patterns", ip="192.0.2.60"), R("client_patterns", ip="192.0.2.70"), R("client_patterns", ip="192.0.2.10"),
    # generic words
    R("client_reject"), R("client_reject", to="nobody@example.test"), R("client_defer"), R("client_permit"), R("client_permit", to="x@far.test"),
    R("client_warn", ip="192.0.2.99"), R("client_defer_if_permit"), R("client_defer_if_permit", to="x@far.test"), R("client_defer_if_permit", to="nobody@example.test"),
    R("client_defer_if_reject"), R("client_both_ifs"), R("client_class"), R("client_class", from_="x@nothing.test"), R("client_class", to="alice@example.test"),
    R("client_tls"), R("client_interfaces"), R("client_interfaces", ip="192.0.2.1"), R("client_unauth", to="x@far.test"), R("client_non_fqdn", from_="me"),
    R("client_non_fqdn", to="bob"),
    # the client's name
    *(R("client_unknown", ip=ip) for ip in ("192.0.2.10", "192.0.2.11", "192.0.2.12", "192.0.2.13", "192.0.2.99", "192.0.2.200")),
    *(R("client_unknown_550", ip=ip) for ip in ("192.0.2.10", "192.0.2.11", "192.0.2.12", "192.0.2.13", "192.0.2.99")),
    *(R("client_reverse", ip=ip) for ip in ("192.0.2.10", "192.0.2.11", "192.0.2.12", "192.0.2.99")),
    *(R("client_reverse_access", ip=ip) for ip in ("192.0.2.10", "192.0.2.14", "192.0.2.20", "192.0.2.99")),
    # HELO
    *(R("helo_form", ehlo=name) for name in ("localhost", "a.b.test", "a..b", "-a.test", "192.0.2.10", "[192.0.2.10]", "[192.0.2]", "a_b.test", "x.test.", "[IPv6:::1]")),
    *(R("helo_invalid", ehlo=name) for name in ("localhost", "a..b", ".", "192.0.2.10", "123", "[x]", "a.-b.test", "a" * 64 + ".test")),
    *(R("helo_unknown", ehlo=name) for name in ("good.test", "nothing.test", "x.nothing.test", "onlya.test", "x.slow.test", "[192.0.2.10]", "[x]")),
    *(R("helo_access", ehlo=name) for name in ("helo.bad.test", "other.bad.test", "friend.test", "[192.0.2.10]", "x.good.test")),
    *(R("helo_servers", ehlo=name) for name in ("good.test", "sub.good.test", "onlya.test", "bad.test", "nothing.test")),
    D("helo_required", "MAIL FROM:<s@good.test>"), D("helo_required", "HELO x", "MAIL FROM:<s@good.test>"), D("helo_required", "VRFY bob"), D("helo_required", "ETRN x.test"),
    D("helo_access", "MAIL FROM:<s@good.test>", "RCPT TO:<bob@example.test>"),
    # senders
    *(R("sender_form", from_=s) for s in ("me", "me@localhost", "me@good.test", "me@[192.0.2.1]", "me@a..b", "", "me@good.test.")),
    *(R("sender_domain", from_=s) for s in ("x@good.test", "x@onlya.test", "x@nothing.test", "x@nullmx.test", "x@slow.test", "x@example.test", "x", "", "x@[192.0.2.1]", "x@relayed.test")),
    *(R("sender_domain_defer", from_=s) for s in ("x@nothing.test", "x@slow.test", "x@good.test")),
    R("sender_tempfail", from_="x@slow.test"),
    *(R("sender_access", from_=s) for s in ("spam@good.test", "SPAM@GOOD.TEST", "x@bad.test", "x@sub.bad.test", "user@onlya.test", "", "plus+a@good.test", "bad@onlya.test",
                                           "rcptdsn@onlya.test", "user+x@onlya.test", *(f"s{n}@onlya.test" for n in "03456789"))),
    *(R("sender_unlisted", from_=s) for s in ("nobody@example.test", "bob@example.test", "nobody@alias.test", "nobody@virtual.test", "nobody@relayed.test", "x@far.test", "")),
    *(R("sender_mx", from_=s) for s in ("x@good.test", "x@bad.test", "x@onlya.test", "x@nothing.test", "x@slow.test", "", "x@[192.0.2.41]")),
    *(R("sender_ns", from_=s) for s in ("x@good.test", "x@sub.good.test", "x@onlya.test", "x@nothing.test")),
    *(R("sender_a", from_=s) for s in ("x@sub.good.test", "x@good.test", "x@onlya.test", "x@mx.good.test")),
    R("sender_login", from_="bob@example.test"), R("sender_login", from_="x@good.test"),
    # recipients
    *(R("rcpt_access", to=t) for t in ("bob@example.test", "alice@example.test", "alice+x@example.test", "carol@example.test", "dsn@example.test", "dsn7@example.test", *(f"dsn{n}@example.test" for n in "03456"),
                                       "x@far.test", "nobody@example.test", "bob")),
    R("rcpt_access", to="x@far.test", ip="192.0.2.200"), R("rcpt_old_order", to="x@far.test"), R("rcpt_old_order", to="x@good.test"),
    *(R("rcpt_form", to=t, ip=ip) for t in ("bob", "x@far.test", "x@nothing.test", "x@nullmx.test", "x@slow.test") for ip in ("192.0.2.10", "192.0.2.200")),
    *(R("rcpt_unlisted", to=t) for t in ("nobody@example.test", "bob@example.test", "nobody@virtual.test", "nobody@relayed.test")),
    R("rcpt_unlisted", to="nobody@alias.test").but("a service's own show_user_unknown_table_name holds; Postfix's trivial-rewrite reads main.cf alone",
                                                   3, "550 5.1.1 <nobody@alias.test>: Recipient address rejected: User unknown"),
    R("rcpt_no_unlisted", to="nobody@example.test"), R("rcpt_bounce", from_="", to="bob@example.test alice@example.test"), R("rcpt_bounce", to="bob@example.test alice@example.test"),
    *(R("rcpt_auth_dest", to=t) for t in ("bob@example.test", "x@far.test", "box@virtual.test", "info@alias.test", "r@relayed.test")),
    R("rcpt_auth_dest", to="x@far.test", ip="192.0.2.200"),
    *(R("rcpt_backup", to=t) for t in ("x@backup.test", "x@far.test", "bob@example.test", "x@nothing.test")),
    R("rcpt_discard", ip="192.0.2.48", to="x@far.test"), R("rcpt_discard", ip="192.0.2.32"),
    D("rcpt_discard", *START, "RCPT TO:<x@far.test>", *MESSAGE, ip="192.0.2.48"),
    *(R("codes", to=t) for t in ("nobody@example.test", "x@far.test", "nobody@virtual.test", "nobody@alias.test")),
    *(R("soft", to=t) for t in ("nobody@example.test", "x@far.test", "bob@example.test")),
    # tables of other kinds
    *(R("rcpt_hash", to=t) for t in ("bob@example.test", "alice@example.test", "bob+x@example.test", "x@far.test")),
    *(R("rcpt_regexp", to=t, ip="192.0.2.200") for t in ("me@far.test", "x@nothing.test", "alice@example.test", "bob@example.test")),
    *(R("rcpt_pcre", to=t) for t in ("bob+Tag@example.test", "alice+x@example.test", "bob@example.test", "carol@example.test", "CAROL@example.test")),
    *(R("rcpt_inline", to=t) for t in ("bob@example.test", "alice@example.test", "carol@example.test")),
    R("rcpt_union"), R("rcpt_union", to="alice@example.test"), R("rcpt_fail"),
    *(R("rcpt_cidr", ip=ip) for ip in ("192.0.2.3", "192.0.2.10", "192.0.2.99", "10.9.9.7")),
    # maps of addresses and transports
    *(R("plain", to=t) for t in (
        "chain@alias.test", "away@alias.test", "both@alias.test", "nobody2@alias.test", "x@catch.test", "sales-north@alias.test", "sales-@alias.test",
        "help12@alias.test", "HELP123@alias.test", "help1@alias.test", "list@example.test", "LIST@example.test", "list", "list+x@example.test",
        "command@example.test", "file@example.test", "owner-list@example.test", "outside@example.test", "self@example.test", "upper@example.test",
        "moved@example.test", "moved+x@example.test", "later@example.test", "quiet@example.test", "old@example.test",
        "canon@example.test", "any@wild.test", "any@sub.wild.test", "r@slow.relayed.test", "any@vcatch.test", "x@gone.test", "x@sub.gone.test",
        "x@bare.test", "x@old.test")),
    *(R("plain", to=t, ip="192.0.2.200") for t in ("x@gone.test", "x@sub.gone.test", "x@bare.test", "x@old.test", "moved@example.test", "bob%far.test@example.test")),
    *(R("sender_unlisted", from_=f) for f in ("canon@example.test", "moved@example.test", "list@example.test", "x@catch.test", "x@gone.test", "old@example.test",
                                             "root@example.test", "info@alias.test", "any@wild.test")),
    # the message
    *(D("plain", *START, "RCPT TO:<bob@example.test>", "DATA", *(">" + line for line in message), ".") for message in (
        ("X-Bad: 1", "", "x"), ("X-Gone: 1", "", "x"), ("X-Later: 1", "", "x"), ("Subject: big sale", "", "x"), ("Subject: x", " an offer", "", "x"),
        ("Subject: x", "", "some forbidden words"), ("Subject: x", "", "X-Bad: in the body"), ("", "no header"), ("no header at all",),
        ("Subject: x", "", "x" * 2000))),
    D("plain", *START, "RCPT TO:<bob@example.test>", "DATA", *[">Received: x"] * 60, ">", ".").but(
        "RFC 3463 3.5: 5.4.6 is a loop's", 5, "554 5.4.6 Error: too many hops"),
    R("plain", to="empty@example.test").but("an alias without a target is the administrator's to mend",
                                            3, "451 4.3.5 <empty@example.test>: Recipient address rejected: Server configuration error"),
    *(D("plain", *START, "RCPT TO:<bob@example.test>", f"BDAT {n}{last}\r\n" + "Subject: x\r\n\r\nbody\r\n"[:n], *rest) for n, last, rest in (
        (20, " LAST", ()), (20, "", ("BDAT 0 LAST",)), (12, "", ("NOOP",)), (12, "", ("MAIL FROM:<s@good.test>",)), (12, "", ("DATA",)), (12, "", ("RSET", "NOOP")),
        (12, " FIRST", ()))),
    # other stages
    D("early", "EHLO x.good.test", ip="192.0.2.20"), D("early", "EHLO x.good.test", "QUIT", ip="192.0.2.24"), D("early", "NOOP", ip="192.0.2.20"),
    D("early", "EHLO helo.bad.test", "MAIL FROM:<s@good.test>"), D("early", "HELO bad.test"), D("early", "EHLO x.good.test", "MAIL FROM:<spam@good.test>", "RCPT TO:<bob@example.test>"),
    D("early", *START, "RCPT TO:<bob@example.test>"), D("early_unlisted", "EHLO x", "MAIL FROM:<nobody@example.test>"), R("early_defer_if"),
    R("early_defer_if", to="x@far.test"),
    D("data", f"EHLO {HELO}", "MAIL FROM:<>", "RCPT TO:<bob@example.test>", "RCPT TO:<alice@example.test>", "DATA"), D("data", *START, "RCPT TO:<bob@example.test>", *MESSAGE),
    D("data_reject", *START, "RCPT TO:<bob@example.test>", *MESSAGE), D("data_reject", *START, "RCPT TO:<alice@example.test>", "DATA", "DATA"),
    D("data_reject", *START, "RCPT TO:<carol@example.test>", "RCPT TO:<alice@example.test>", "DATA"), D("data_reject", *START, "RCPT TO:<carol@example.test>", "DATA"),
    D("data_reject", *START, "RCPT TO:<carol@example.test>", "DATA", ip="192.0.2.200"),
    D("end", f"EHLO {HELO}", "MAIL FROM:<spam@good.test>", "RCPT TO:<bob@example.test>", *MESSAGE, "RCPT TO:<bob@example.test>").but(
        "RFC 5321 4.1.1.4: the transaction ends with the reply to its message", 6, "503 5.5.1 Error: need MAIL command"),
    D("end", *START, "RCPT TO:<bob@example.test>", *MESSAGE),
    *(D("plain", "EHLO x", f"ETRN {d}") for d in ("relayed.test", "wild.test", "sub.relayed.test", "@relayed.test", "RELAYED.TEST", "far.test", "[192.0.2.1]")),
    D("plain", "EHLO x", "ETRN relayed.test", "NOOP"),
    *(D("etrn", "EHLO x", f"ETRN {d}") for d in ("bad.test", "sub.bad.test", "good.test", "other.test", "@good.test", "#queue")),
    # lists in DNS
    R("rbl"), R("rbl", ip="192.0.2.14"), R("rbl", ip="192.0.2.99"), R("rbl_filter"), R("rbl_filter", ip="192.0.2.14"), R("rbl_maps"), R("rbl_maps", ip="192.0.2.14"),
    R("rhsbl"), R("rhsbl", ip="192.0.2.99"), R("rhsbl", ip="192.0.2.99", ehlo="helo.good.test", from_="x@far.test"), R("rhsbl", ip="192.0.2.99", from_=""),
    R("rhsbl", ip="192.0.2.99", from_="x@far.test", ehlo="[192.0.2.10]"),
    R("dnswl"), R("dnswl", ip="192.0.2.99"), R("dnswl", to="x@far.test"),
    # the protocol's settings
    D("strict", "EHLO x", "MAIL FROM:s@good.test"), D("strict", "EHLO x", "MAIL FROM:<s@good.test>", "RCPT TO:bob@example.test", "RCPT TO:<bob@example.test>"),
    D("strict", "VRFY bob"), D("strict", "EHLO x", "VRFY bob"),
    D("words", "XNOOP a b", "MAIL FROM:<s@good.test>"), D("words", "EHLO x", "MAIL FROM:<s@good.test> RET=HDRS"), D("words", *START, "RCPT TO:<bob@example.test> NOTIFY=NEVER"),
    D("words", *START, *["RCPT TO:<bob@example.test>"] * 4), D("words", "X1", "X2", "X3", "X4", "X5"), D("words", *START, "RCPT TO:<bob@example.test>", "BDAT 1"),
    R("footer", to="x@far.test"), D("footer", "X"), D("footer", "HELO"),
]


@pytest.fixture(scope="module")
def servers():
    folder = tempfile.mkdtemp(prefix="differential")  # not below pytest's, which only root may enter
    try:
        started = Servers(folder, CONFIGS, MAIN_CF, RECORDS, FILES, ("bob", "alice", "carol", "dsn", "dsn7"))
    except peers.Unavailable as why:
        pytest.skip(str(why))
    yield started
    started.close()
    shutil.rmtree(folder)


def test_there_are_enough_cases():
    assert len(CASES) >= 200
    assert {c.config for c in CASES} == set(CONFIGS)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_answers_alike(servers, case):
    theirs, ours = servers.both(case.config, case.lines, case.ip)
    for at, meant in case.meant.items():
        assert ours[at] == meant
        assert theirs[at] != meant, "no difference any more: take .but() away"
        theirs[at] = meant
    found = differences(ours, theirs, case.texts)
    assert not found, "\n".join(found)


def test_ehlo_offers_what_is_left(servers):
    for config in ("plain", "words"):
        theirs, ours = servers.both(config, ["EHLO x"], "192.0.2.10")
        assert set(ours[1].split("\n")) == set(theirs[1].split("\n"))
