/* fuzz_conf.c: arbitrary bytes as a configuration file; what parses must survive dump and reading.
 */
#include <assert.h>
#include <stdint.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf_errors errors;
    const struct conf *c = NULL, *copy = NULL;
    conf_errors_init(&errors);
    if (conf_parse(slice_of(data, size), "fuzz", &c, &errors) == OK) {
        struct buf text;
        buf_init(&text, 8 << 20);
        conf_dump(c, &text);
        if (buf_ok(&text)) {
            enum result r = conf_parse_effective(buf_slice(&text), &copy);
            assert(r == OK);
            conf_unref(copy);
        }
        buf_release(&text);
        conf_unref(c);
    }
    conf_errors_release(&errors);
    return 0;
}
