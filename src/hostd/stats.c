/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostd/stats.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/json.h"
#include "common/macros.h"

#define LOG_MODULE "stats"
#include "common/log.h"

enum {
    PER_OCTAVE = 8,
    OCTAVE_BITS = 3,
    LONGEST_US = (1 << 26) - 1
};

static int highest_bit(uint32_t v)
{
    int bit = 0;
    while (v >>= 1) {
        bit++;
    }
    return bit;
}

/* 0 to 7 us have a bucket each. */
void ph_times_add(struct ph_times *t, int64_t us)
{
    uint32_t v = us < 0 ? 0 : (uint32_t)PH_MIN(us, (int64_t)LONGEST_US);
    uint32_t at = v;
    if (v >= PER_OCTAVE) {
        int shift = highest_bit(v) - OCTAVE_BITS;
        at = (uint32_t)shift * PER_OCTAVE + (v >> shift);
    }
    t->counts[at]++;
}

static uint32_t middle_of(uint32_t bucket)
{
    if (bucket < 2 * PER_OCTAVE) {
        return bucket;
    }
    uint32_t shift = bucket / PER_OCTAVE - 1;
    uint32_t low = (bucket % PER_OCTAVE + PER_OCTAVE) << shift;
    return low + (1u << shift) / 2;
}

uint32_t ph_times_percentile(const struct ph_times *t, unsigned percent)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < PH_TIMES_BUCKETS; i++) {
        all += t->counts[i];
    }
    uint64_t below = (all * percent + 99) / 100;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < PH_TIMES_BUCKETS; i++) {
        seen += t->counts[i];
        if (seen > 0 && seen >= below) {
            return middle_of(i);
        }
    }
    return 0;
}

static double encode_ms(const struct ph_session_stats *g, unsigned percent)
{
    return ph_times_percentile(&g->encode, percent) / 1000.0;
}

static double per_second(const struct ph_host_stats *stats, uint64_t count)
{
    return stats->seconds > 0 ? (double)count / stats->seconds : 0;
}

static void log_guest(
        const struct ph_host_stats *stats, const struct ph_session_stats *g)
{
    LOG_INFO("guest %u%s%s: %ux%u, %s, %.1f fps, encode %.1f ms (p99 %.1f), "
             "in %.2f MB/s, out %.2f Mbit/s, %u queued, %llu failed",
            g->number, g->name[0] ? " " : "", g->name, g->width, g->height,
            g->encoder ? g->encoder : "no encoder",
            per_second(stats, g->frames), encode_ms(g, 50), encode_ms(g, 99),
            per_second(stats, g->bytes_in) / 1e6,
            per_second(stats, g->bytes_out) * 8 / 1e6, g->queued,
            (unsigned long long)g->failed);
}

void ph_stats_log(const struct ph_host_stats *stats, bool all)
{
    for (size_t i = 0; i < stats->count; i++) {
        const struct ph_session_stats *g = &stats->guests[i];
        if (all || g->frames || g->failed) {
            log_guest(stats, g);
        }
    }
    if (all) {
        LOG_INFO("guests: %zu, memory: %.1f of %.0f MiB", stats->count,
                (double)stats->memory / (1 << 20),
                (double)stats->memory_limit / (1 << 20));
    }
}

static void write_guest(struct ph_json *j, const struct ph_host_stats *stats,
        const struct ph_session_stats *g)
{
    ph_json_string(j, "type", "guest");
    ph_json_u64(j, "guest", g->number);
    ph_json_string(j, "name", g->name);
    ph_json_string(j, "encoder", g->encoder);
    ph_json_u64(j, "width", g->width);
    ph_json_u64(j, "height", g->height);
    ph_json_double(j, "seconds", stats->seconds, 3);
    ph_json_u64(j, "frames", g->frames);
    ph_json_double(j, "fps", per_second(stats, g->frames), 2);
    ph_json_u64(j, "keyframes", g->keyframes);
    ph_json_u64(j, "failed", g->failed);
    ph_json_double(j, "encode_ms_p50", encode_ms(g, 50), 3);
    ph_json_double(j, "encode_ms_p99", encode_ms(g, 99), 3);
    ph_json_u64(j, "bytes_in", g->bytes_in);
    ph_json_u64(j, "bytes_out", g->bytes_out);
    ph_json_u64(j, "queued", g->queued);
}

static void write_host(struct ph_json *j, const struct ph_host_stats *stats)
{
    ph_json_string(j, "type", "host");
    ph_json_u64(j, "guests", stats->count);
    ph_json_double(j, "seconds", stats->seconds, 3);
    ph_json_u64(j, "memory", stats->memory);
    ph_json_u64(j, "memory_limit", stats->memory_limit);
}

/* A pipe that is writable takes PIPE_BUF bytes, which no line reaches. False:
 * it is not, now. */
static bool write_line(int fd, const char *line, size_t size)
{
    struct pollfd p = {fd, POLLOUT, 0};
    return poll(&p, 1, 0) == 1 && !(p.revents & ~POLLOUT) &&
            write(fd, line, size) == (ssize_t)size;
}

/* guest NULL: the line of the host. */
static bool print_line(const struct ph_host_stats *stats,
        const struct ph_session_stats *guest, int fd)
{
    char *line = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&line, &size);
    if (!out) {
        return false;
    }
    struct ph_json j;
    ph_json_init(&j, out, 0);
    ph_json_open_object(&j, NULL);
    if (guest) {
        write_guest(&j, stats, guest);
    } else {
        write_host(&j, stats);
    }
    ph_json_close(&j);
    bool ok = ph_json_finish(&j);
    ok = fclose(out) == 0 && ok && write_line(fd, line, size);
    free(line);
    return ok;
}

void ph_stats_print(const struct ph_host_stats *stats, int fd)
{
    for (size_t i = 0; i < stats->count; i++) {
        if (!print_line(stats, &stats->guests[i], fd)) {
            return;
        }
    }
    print_line(stats, NULL, fd);
}
