/* settings_tls.h: TLS: certificates, versions, ciphers, client certificates. Rows as in settings.h;
 * docs/TLS.md explains them together. */
#ifndef CONF_SETTINGS_TLS_H
#define CONF_SETTINGS_TLS_H

/* clang-format off */
#define CONF_SETTINGS_TLS(X) \
    X(LIST, smtpd_tls_chain_files, "", 0, 0, "postfix", "PEM files, each with private keys directly followed by their certificate chains: several of different kinds (RSA, EC) may be given. Instead of smtpd_tls_cert_file and smtpd_tls_eccert_file.") \
    X(TEXT, smtpd_tls_eccert_file, "", 0, 0, "postfix", "A second PEM certificate chain, with an EC key.") \
    X(TEXT, smtpd_tls_eckey_file, "$smtpd_tls_eccert_file", 0, 0, "postfix", "Its PEM private key.") \
    X(TEXT, ssl_alt_cert, "", 0, 0, "dovecot", "As smtpd_tls_eccert_file, for POP3 and IMAP.") \
    X(TEXT, ssl_alt_key, "", 0, 0, "dovecot", "As smtpd_tls_eckey_file, for POP3 and IMAP.") \
    X(MAPS, tls_certificates, "", 0, 0, "postrider", "Certificates by the name that a client asks for (SNI), or by our address that it came to: {name=mail.example.org, cert=/path, key=/path}; name may have several names, *.example.org or .example.org (every depth); chain=/path of key and certificates in one file; address=192.0.2.1; alt_cert and alt_key; for=smtp or for=login (POP3 and IMAP) alone.") \
    X(MAPS, tls_server_sni_maps, "", 0, 0, "postfix", "Tables (hash, btree, lmdb, cdb, texthash, dbm or inline) from such a name, or .domain, to files as smtpd_tls_chain_files has them; for SMTP.") \
    X(TEXT, smtpd_tls_protocols, ">=TLSv1.2", 0, 0, "postfix", "Versions of TLS for SMTP where TLS is optional: >=TLSv1.2, <=TLSv1.3, TLSv1.2 TLSv1.3, !TLSv1.") \
    X(TEXT, smtpd_tls_mandatory_protocols, ">=TLSv1.2", 0, 0, "postfix", "The same where TLS is required (smtpd_tls_security_level = encrypt, and smtps and submissions).") \
    X(TEXT, smtpd_tls_ciphers, "medium", 0, 0, "postfix", "Grade of ciphers of TLS 1.2 and older where TLS is optional: high, medium, low, export or null; tls_…_cipherlist says what each is.") \
    X(TEXT, smtpd_tls_mandatory_ciphers, "medium", 0, 0, "postfix", "The same where TLS is required.") \
    X(LIST, smtpd_tls_exclude_ciphers, "", 0, 0, "postfix", "OpenSSL's names of ciphers, or kinds of them, that are not used.") \
    X(LIST, smtpd_tls_mandatory_exclude_ciphers, "", 0, 0, "postfix", "Further ones where TLS is required.") \
    X(BOOL, tls_preempt_cipherlist, "yes", 0, 0, "postfix", "The server's order of ciphers decides, for SMTP; no: the client's.") \
    X(TEXT, tls_high_cipherlist, "HIGH:!aNULL:!eNULL", 0, 0, "postfix", "OpenSSL's cipher list of grade high.") \
    X(TEXT, tls_medium_cipherlist, "DEFAULT", 0, 0, "postfix", "Of grade medium.") \
    X(TEXT, tls_low_cipherlist, "DEFAULT", 0, 0, "postfix", "Of grade low.") \
    X(TEXT, tls_export_cipherlist, "DEFAULT", 0, 0, "postfix", "Of grade export.") \
    X(TEXT, tls_null_cipherlist, "eNULL:!aNULL", 0, 0, "postfix", "Of grade null, which signs and does not encrypt.") \
    X(TEXT, tls_eecdh_auto_curves, "", 0, 0, "postfix", "Curves of key exchange, the best first; those that OpenSSL does not know are left out. Empty: OpenSSL's own.") \
    X(BOOL, smtpd_tls_received_header, "yes", 0, 0, "postfix", "Write version and cipher of TLS into the Received header.") \
    X(NUMBER, smtpd_tls_loglevel, "1", 0, 4, "postfix", "0: handshakes of SMTP that went well are logged only at log_level = debug; 1 and more: always.") \
    X(NUMBER, smtpd_tls_ccert_verifydepth, "9", 0, 100, "postfix", "Longest chain of a client's certificate: 1: signed by one of smtpd_tls_CAfile itself.") \
    X(TEXT, smtpd_tls_fingerprint_digest, "sha256", 0, 0, "postfix", "Digest of fingerprints for relay_clientcerts and check_ccert_access: md5, sha1, sha224, sha256, sha384 or sha512.") \
    X(TEXT, smtp_tls_protocols, ">=TLSv1.2", 0, 0, "postfix", "As smtpd_tls_protocols, towards other servers at level may.") \
    X(TEXT, smtp_tls_mandatory_protocols, ">=TLSv1.2", 0, 0, "postfix", "The same at level encrypt and above.") \
    X(TEXT, smtp_tls_ciphers, "medium", 0, 0, "postfix", "Grade of ciphers towards other servers at level may.") \
    X(TEXT, smtp_tls_mandatory_ciphers, "medium", 0, 0, "postfix", "The same at level encrypt and above.") \
    X(LIST, smtp_tls_exclude_ciphers, "", 0, 0, "postfix", "Ciphers that are not used towards other servers.") \
    X(LIST, smtp_tls_mandatory_exclude_ciphers, "", 0, 0, "postfix", "Further ones at level encrypt and above.") \
    X(TEXT, lmtp_tls_protocols, "$smtp_tls_protocols", 0, 0, "postfix", "As smtp_tls_protocols, for LMTP.") \
    X(TEXT, lmtp_tls_mandatory_protocols, "$smtp_tls_mandatory_protocols", 0, 0, "postfix", "As smtp_tls_mandatory_protocols, for LMTP.") \
    X(TEXT, lmtp_tls_ciphers, "$smtp_tls_ciphers", 0, 0, "postfix", "As smtp_tls_ciphers, for LMTP.") \
    X(TEXT, lmtp_tls_mandatory_ciphers, "$smtp_tls_mandatory_ciphers", 0, 0, "postfix", "As smtp_tls_mandatory_ciphers, for LMTP.") \
    X(LIST, lmtp_tls_exclude_ciphers, "$smtp_tls_exclude_ciphers", 0, 0, "postfix", "As smtp_tls_exclude_ciphers, for LMTP.") \
    X(LIST, lmtp_tls_mandatory_exclude_ciphers, "$smtp_tls_mandatory_exclude_ciphers", 0, 0, "postfix", "As smtp_tls_mandatory_exclude_ciphers, for LMTP.") \
    X(MAPS, smtp_tls_policy_maps, "", 0, 0, "postfix", "Tables \"nexthop level name=value …\": the level of single next hops, as the route has them ([mail.isp.test]:587), of domains and of what is below .example.org, with protocols=, ciphers=, exclude=, match=, servername= of their own. What is wrong in an entry defers its mail.") \
    X(LIST, smtp_tls_verify_cert_match, "hostname", 0, 0, "postfix", "Names that a certificate may have at level verify: hostname (the MX host), nexthop, dot-nexthop (what is below it), a name, or .name.") \
    X(LIST, smtp_tls_secure_cert_match, "nexthop, dot-nexthop", 0, 0, "postfix", "The same at level secure.") \
    X(LIST, smtp_tls_fingerprint_cert_match, "", 0, 0, "postfix", "Fingerprints of certificates or public keys (AB:CD:…) for level fingerprint.") \
    X(TEXT, smtp_tls_fingerprint_digest, "sha256", 0, 0, "postfix", "Digest of these: md5, sha1, sha224, sha256, sha384 or sha512.") \
    X(TEXT, smtp_tls_CAfile, "", 0, 0, "postfix", "PEM file of authorities that may vouch for other servers.") \
    X(TEXT, smtp_tls_CApath, "", 0, 0, "postfix", "Folder of such files, named as openssl rehash does.") \
    X(BOOL, tls_append_default_CA, "yes", 0, 0, "postfix", "The system's authorities may vouch for other servers too. (Never for clients, whatever it says.)") \
    X(SECONDS, smtp_tls_session_cache_timeout, "3600s", 0, DAY_S, "postfix", "A TLS session with another server is resumed so long, which saves most of a handshake; 0: not at all. They are kept in memory alone.") \
    X(SECONDS, lmtp_tls_session_cache_timeout, "$smtp_tls_session_cache_timeout", 0, DAY_S, "postfix", "As smtp_tls_session_cache_timeout, for LMTP.") \
    X(NUMBER, smtp_tls_scert_verifydepth, "9", 0, 100, "postfix", "Longest chain of a server's certificate: 1: signed by one of the authorities itself.") \
    X(TEXT, smtp_tls_servername, "hostname", 0, 0, "postfix", "Name that a server is told (SNI): hostname (the MX host), nexthop, or a name. Empty: none. Under DANE it is that of the TLSA records.") \
    X(TEXT, smtp_tls_dane_insecure_mx_policy, "dane", 0, 0, "postfix", "Level for hosts with signed TLSA records whose MX records are not signed, where dane is asked for: may, encrypt or dane.") \
    X(MAPS, lmtp_tls_policy_maps, "", 0, 0, "postfix", "As smtp_tls_policy_maps, for LMTP.") \
    X(LIST, lmtp_tls_verify_cert_match, "$smtp_tls_verify_cert_match", 0, 0, "postfix", "As smtp_tls_verify_cert_match, for LMTP.") \
    X(LIST, lmtp_tls_secure_cert_match, "nexthop", 0, 0, "postfix", "As smtp_tls_secure_cert_match, for LMTP.") \
    X(LIST, lmtp_tls_fingerprint_cert_match, "", 0, 0, "postfix", "As smtp_tls_fingerprint_cert_match, for LMTP.") \
    X(TEXT, lmtp_tls_fingerprint_digest, "$smtp_tls_fingerprint_digest", 0, 0, "postfix", "As smtp_tls_fingerprint_digest, for LMTP.") \
    X(TEXT, lmtp_tls_CAfile, "$smtp_tls_CAfile", 0, 0, "postfix", "As smtp_tls_CAfile, for LMTP.") \
    X(TEXT, lmtp_tls_CApath, "$smtp_tls_CApath", 0, 0, "postfix", "As smtp_tls_CApath, for LMTP.") \
    X(NUMBER, lmtp_tls_scert_verifydepth, "9", 0, 100, "postfix", "As smtp_tls_scert_verifydepth, for LMTP.") \
    X(TEXT, lmtp_tls_servername, "$smtp_tls_servername", 0, 0, "postfix", "As smtp_tls_servername, for LMTP.") \
    X(LIST, smtp_tls_trust_anchor_file, "", 0, 0, "postfix", "PEM files of certificates that alone vouch for other servers, in place of smtp_tls_CAfile, smtp_tls_CApath and the system's authorities; they need not be roots. Not at MTA-STS.") \
    X(LIST, lmtp_tls_trust_anchor_file, "", 0, 0, "postfix", "As smtp_tls_trust_anchor_file, for LMTP.") \
    X(LIST, smtp_tls_chain_files, "", 0, 0, "postfix", "PEM files, each with private keys directly followed by their certificate chains, for other servers that ask for a client certificate. Instead of smtp_tls_cert_file and smtp_tls_eccert_file.") \
    X(TEXT, smtp_tls_cert_file, "", 0, 0, "postfix", "PEM certificate chain that is shown to other servers that ask for one. Empty: none is.") \
    X(TEXT, smtp_tls_key_file, "$smtp_tls_cert_file", 0, 0, "postfix", "Its PEM private key. Only the master opens it, and hands it to the process that sends mail.") \
    X(TEXT, smtp_tls_eccert_file, "", 0, 0, "postfix", "A second such chain, with an EC key.") \
    X(TEXT, smtp_tls_eckey_file, "$smtp_tls_eccert_file", 0, 0, "postfix", "Its PEM private key.") \
    X(LIST, lmtp_tls_chain_files, "", 0, 0, "postfix", "PEM files, each with private keys directly followed by their certificate chains, for LMTP servers that ask for a client certificate. Instead of lmtp_tls_cert_file and lmtp_tls_eccert_file.") \
    X(TEXT, lmtp_tls_cert_file, "", 0, 0, "postfix", "PEM certificate chain that is shown to LMTP servers that ask for one. Empty: none is.") \
    X(TEXT, lmtp_tls_key_file, "$lmtp_tls_cert_file", 0, 0, "postfix", "Its PEM private key. Only the master opens it, and hands it to the process that sends mail.") \
    X(TEXT, lmtp_tls_eccert_file, "", 0, 0, "postfix", "A second such chain, with an EC key.") \
    X(TEXT, lmtp_tls_eckey_file, "$lmtp_tls_eccert_file", 0, 0, "postfix", "Its PEM private key.") \
    X(TEXT, ssl_cipher_suites, "", 0, 0, "dovecot", "OpenSSL's names of TLS 1.3's ciphers on POP3 and IMAP, with colons between. Empty: OpenSSL's own.") \
    X(TEXT, ssl_curve_list, "", 0, 0, "dovecot", "Curves of key exchange on POP3 and IMAP, with colons between. Empty: OpenSSL's own.") \
    X(BOOL, ssl_prefer_server_ciphers, "yes", 0, 0, "dovecot", "The server's order of ciphers decides, on POP3 and IMAP; no: the client's.") \
    X(LIST, ssl_options, "", 0, 0, "dovecot", "no_ticket: no session tickets on POP3 and IMAP. no_compression holds anyway.") \
    X(BOOL, ssl_require_crl, "no", 0, 0, "dovecot", "ssl_ca must hold a revocation list of each authority too, and no listed certificate is taken.") \
    X(BOOL, auth_ssl_require_client_cert, "no", 0, 0, "dovecot", "No login on POP3 and IMAP without a verified client certificate (see ssl_verify_client_cert).") \
    X(BOOL, auth_ssl_username_from_cert, "no", 0, 0, "dovecot", "On POP3 and IMAP, whom a verified certificate names is the one who logs in, whatever name is said.")
/* clang-format on */

#endif
