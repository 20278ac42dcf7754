/* crc32c.h: CRC-32C (Castagnoli; RFC 3720 B.4), with the processor's instruction where it has one.
 * It guards what is stored against damage, not against forgery. */
#ifndef OS_CRC32C_H
#define OS_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from `crc` (0 at the start), so that a run may be summed in pieces. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);
/* The same without the instruction, to test one against the other. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t len);

#endif
