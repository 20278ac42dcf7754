/* fuzz_postfix.c: arbitrary bytes as main.cf and, behind the first line "====", as master.cf. Every
 * parameter is evaluated and reported; nothing asks the network or opens a file. */
#include <stdint.h>

#include "conf/lines.h"
#include "conf/postfix/master_cf.h"
#include "conf/postfix/parameters.h"
#include "conf/postfix/postfix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void evaluate(struct conf_scope *scope, struct arena *a)
{
    struct slice value;
    struct error why;
    for (size_t i = 0; postfix_parameter_at(i); i++) {
        enum result r =
            conf_scope_value(scope, slice_cstr(postfix_parameter_at(i)->name), a, &value, &why);
        (void)r;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct conf_errors errors;
    struct conf_scope scope = {.postfix = true, .service = SLICE("")};
    struct master_services services;
    struct slice text = slice_of(data, size);
    size_t cut = slice_search(text, SLICE("====\n"));
    struct slice master = cut == SIZE_MAX ? SLICE_NONE : slice_from(text, cut + 5);
    arena_init(&a, 32 << 20);
    conf_errors_init(&errors);
    struct conf_reading r = {.arena = &a, .errors = &errors};
    if (conf_read_lines(slice_sub(text, 0, cut), "main.cf", CONF_POSTFIX, &r) == OK &&
        r.found.n <= 50) {
        scope.layers[CONF_LAYER_POSTFIX] = r.found;
        if (conf_scope_names(&scope, &a) == OK) {
            evaluate(&scope, &a);
            postfix_report(&scope, &a, &errors);
        }
    }
    if (master.data && master_cf_parse(master, "master.cf", &a, &errors, &services) == OK)
        for (size_t i = 0; i < services.n; i++)
            if (services.items[i].n_words && !services.items[i].words[0].text.data)
                __builtin_trap();
    conf_errors_release(&errors);
    arena_release(&a);
    return 0;
}
