/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/codesign_pages.h"

#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

#include "common/macros.h"

enum {
    PARTS_MAX = 8,
    THREADS_MAX = 8,
    BYTES_PER_THREAD = 4 << 20, /* below that a thread costs more than it is */
};

struct job {
    const struct ph_bytes *parts;
    size_t count;
    size_t total;
    unsigned page_shift;
    size_t first; /* pages of this job */
    size_t end;
    uint8_t *out;
    pthread_t thread;
    bool started;
};

/* The pieces of the parts that make up [offset, offset + len). */
static size_t cut(const struct ph_bytes *parts, size_t count, size_t offset,
        size_t len, struct ph_bytes *out)
{
    size_t n = 0;
    for (size_t i = 0; i < count && len > 0; i++) {
        if (offset >= parts[i].len) {
            offset -= parts[i].len;
            continue;
        }
        size_t take = PH_MIN(parts[i].len - offset, len);
        out[n++] = (struct ph_bytes){parts[i].data + offset, take};
        len -= take;
        offset = 0;
    }
    return n;
}

static void *run(void *arg)
{
    const struct job *job = arg;
    size_t page = (size_t)1 << job->page_shift;
    for (size_t i = job->first; i < job->end; i++) {
        size_t offset = i << job->page_shift;
        size_t len = PH_MIN(page, job->total - offset);
        struct ph_bytes pieces[PARTS_MAX];
        size_t n = cut(job->parts, job->count, offset, len, pieces);
        ph_digest_sha256(pieces, n, job->out + i * PH_SHA256_SIZE);
    }
    return NULL;
}

static size_t thread_count(size_t total)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t useful = total / BYTES_PER_THREAD + 1;
    size_t most = cores > 1 ? PH_MIN((size_t)cores, THREADS_MAX) : 1;
    return PH_MIN(useful, most);
}

void ph_codesign_hash_pages(const struct ph_bytes *parts, size_t count,
        unsigned page_shift, uint8_t *out)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += parts[i].len;
    }
    size_t pages = (total + ((size_t)1 << page_shift) - 1) >> page_shift;
    size_t threads = thread_count(total);
    struct job jobs[THREADS_MAX];
    for (size_t i = 0; i < threads; i++) {
        jobs[i] = (struct job){parts, PH_MIN(count, PARTS_MAX), total,
                page_shift, pages * i / threads, pages * (i + 1) / threads, out,
                .started = false};
        /* The last job, and any that gets no thread, runs on this one. */
        jobs[i].started = i + 1 < threads &&
                pthread_create(&jobs[i].thread, NULL, run, &jobs[i]) == 0;
        if (!jobs[i].started) {
            run(&jobs[i]);
        }
    }
    for (size_t i = 0; i < threads; i++) {
        if (jobs[i].started) {
            pthread_join(jobs[i].thread, NULL);
        }
    }
}
