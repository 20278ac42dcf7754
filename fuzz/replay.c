/* replay.c: a main() for a fuzzer built without libFuzzer: runs it once over every file in the
 * folders (or over the files) that it is given. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(2);
    }
    size_t limit = 1 << 20;
    uint8_t *data = malloc(limit);
    size_t n = data ? fread(data, 1, limit, f) : 0;
    fclose(f);
    /* An exact allocation, so that AddressSanitizer sees the first byte behind the input. */
    uint8_t *exact = realloc(data, n ? n : 1);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 1;
}

static size_t run_folder(const char *path)
{
    size_t ran = 0;
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        char name[4096];
        if (e->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        ran += run_file(name);
    }
    if (d)
        closedir(d);
    return ran;
}

int main(int argc, char **argv)
{
    size_t ran = 0;
    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (argv[i][0] == 0 || argv[i][0] == '-')
            continue;
        if (stat(argv[i], &st) != 0) {
            perror(argv[i]);
            return 2;
        }
        ran += S_ISDIR(st.st_mode) ? run_folder(argv[i]) : run_file(argv[i]);
    }
    printf("%zu inputs\n", ran);
    return ran == 0;
}
