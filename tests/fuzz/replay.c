/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a fuzz target over files and folders of files, without libFuzzer: the
 * corpus is a test on every compiler. Each input is a block of exactly its
 * size, so that a sanitizer sees a read past its end.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t runs;

static void run_one(const uint8_t *data, size_t size)
{
    LLVMFuzzerTestOneInput(data, size);
    runs++;
}

/* The input, and every prefix of it while it is short. */
static bool run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat st;
    if (!file || fstat(fileno(file), &st) != 0) {
        perror(path);
        return false;
    }
    size_t size = (size_t)st.st_size;
    uint8_t *data = malloc(size ? size : 1);
    bool ok = data && fread(data, 1, size, file) == size;
    fclose(file);
    if (!ok) {
        fprintf(stderr, "%s: cannot be read\n", path);
        free(data);
        return false;
    }
    size_t first = size <= 512 ? 0 : size;
    for (size_t len = first; len <= size; len++) {
        uint8_t *exact = malloc(len ? len : 1);
        if (!exact) {
            abort();
        }
        for (size_t i = 0; i < len; i++) {
            exact[i] = data[i];
        }
        run_one(exact, len);
        free(exact);
    }
    free(data);
    return true;
}

static bool run_path(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir) {
        return run_file(path);
    }
    bool ok = true;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        char name[4096];
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        ok = run_file(name) && ok;
    }
    closedir(dir);
    return ok;
}

int main(int argc, char **argv)
{
    bool ok = argc > 1;
    for (int i = 1; i < argc; i++) {
        ok = run_path(argv[i]) && ok;
    }
    printf("%zu inputs\n", runs);
    return ok && runs ? 0 : 1;
}
