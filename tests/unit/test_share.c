/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a host shares with virtual machines, and how they find it. */
#include "hostd/share.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "link/region.h"
#include "proto/hxfr_ext.h"

#include "check.h"

enum {
    PAGE = PH_HXFR_REGION_PAGE,
    FILE_SIZE = 64 * PAGE,
};

static char dir[] = "/tmp/porthole-test-share-XXXXXX";
static char path[128];

static uint64_t read_id(int fd)
{
    uint8_t page[PAGE];
    CHECK_EQ(pread(fd, page, sizeof(page), 0), sizeof(page));
    return memcmp(page, PH_HXFR_REGION_MAGIC, sizeof(PH_HXFR_REGION_MAGIC))
            ? 0
            : ph_load_u64(page + sizeof(PH_HXFR_REGION_MAGIC));
}

static void test_memory(void)
{
    struct ph_shares shares = {.count = 0};
    struct ph_share_range a;
    struct ph_share_range b;
    struct ph_share_range c;
    snprintf(path, sizeof(path), "%s/bar", dir);
    AUTOCLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK_EQ(ftruncate(fd, FILE_SIZE), 0);
    CHECK(ph_shares_add_ivshmem(&shares, path));
    uint64_t id = read_id(fd);
    CHECK(id != 0);
    struct ph_share *s = ph_shares_find(&shares, PH_HXFR_SLOTS_IVSHMEM, id);
    CHECK(s != NULL);
    CHECK(!ph_shares_find(&shares, PH_HXFR_SLOTS_IVSHMEM, id + 1));
    CHECK(!ph_shares_find(&shares, PH_HXFR_SLOTS_IVSHMEM, 0));
    CHECK(!ph_shares_find(&shares, PH_HXFR_SLOTS_FILE, id));
    CHECK(!ph_shares_find(NULL, PH_HXFR_SLOTS_FILE, id));
    /* One host for each. */
    struct ph_shares other = {.count = 0};
    CHECK(!ph_shares_add_ivshmem(&other, path));

    CHECK(ph_share_take(s, 10 * PAGE, &a));
    CHECK(ph_share_take(s, 10 * PAGE + 1, &b));
    CHECK_EQ(a.offset, PAGE);
    CHECK_EQ(b.offset, 12 * PAGE);
    CHECK(a.nonce != b.nonce);
    CHECK(!ph_share_take(s, 52 * PAGE, &c));
    CHECK(ph_share_take(s, 39 * PAGE, &c));
    CHECK_EQ(c.offset, 24 * PAGE);
    uint64_t nonce = a.nonce;
    /* As a guest finds it. */
    uint8_t *memory = ph_region_map(fd, a.offset, a.nonce, 10 * PAGE);
    if (CHECK(memory != NULL)) {
        memory[10 * PAGE - 1] = 77;
        CHECK_EQ(a.memory[10 * PAGE - 1], 77);
        ph_region_unmap(memory, 10 * PAGE);
    }
    errno = 0;
    CHECK(!ph_region_map(fd, a.offset, b.nonce, PAGE));
    CHECK_EQ(errno, EPERM);
    ph_share_give(&a);
    CHECK(!a.share);
    ph_share_give(&a);
    CHECK(!ph_region_map(fd, PAGE, nonce, PAGE));
    CHECK(!ph_share_take(s, 11 * PAGE, &a));
    CHECK(ph_share_take(s, 5, &a));
    CHECK_EQ(a.offset, PAGE);
    ph_share_give(&a);
    ph_share_give(&b);
    ph_share_give(&c);
    ph_shares_finish(&shares);
    CHECK_EQ(read_id(fd), 0);
    unlink(path);
}

static void test_refused(void)
{
    struct ph_shares shares = {.count = 0};
    snprintf(path, sizeof(path), "%s/small", dir);
    AUTOCLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK_EQ(ftruncate(fd, PAGE), 0);
    CHECK(!ph_shares_add_ivshmem(&shares, path));
    CHECK(!ph_shares_add_folder(&shares, path));
    CHECK(!ph_shares_add_ivshmem(&shares, dir));
    unlink(path);
    CHECK(!ph_shares_add_folder(&shares, path));
    CHECK_EQ(shares.count, 0);
    /* One that is not there is made. */
    struct stat st;
    CHECK(ph_shares_add_ivshmem(&shares, path));
    CHECK(stat(path, &st) == 0 && st.st_size == 64 << 20);
    ph_shares_finish(&shares);
    unlink(path);
}

static void test_folder(void)
{
    struct ph_shares shares = {.count = 0};
    struct ph_share_range r;
    char text[4] = "";
    CHECK_EQ(ph_region_folder_id(dir), 0);
    /* A guest may have put a trap where our files go. */
    snprintf(path, sizeof(path), "%s/" PH_HXFR_REGION_FILE, dir);
    CHECK_EQ(symlink("/dev/full", path), 0);
    CHECK(ph_shares_add_folder(&shares, dir));
    uint64_t id = ph_region_folder_id(dir);
    struct ph_share *s = ph_shares_find(&shares, PH_HXFR_SLOTS_FILE, id);
    CHECK(s != NULL);
    CHECK(ph_share_take(s, 1000, &r));
    AUTOCLOSE int guest = ph_region_open_slots(dir, r.nonce);
    CHECK_EQ(pwrite(guest, "abc", 3, 500), 3);
    CHECK_EQ(pread(r.fd, text, 3, 500), 3);
    CHECK_STR(text, "abc");
    CHECK_EQ(ph_region_open_slots(dir, r.nonce + 1), -1);
    uint64_t nonce = r.nonce;
    ph_share_give(&r);
    CHECK_EQ(ph_region_open_slots(dir, nonce), -1);
    ph_shares_finish(&shares);
    CHECK_EQ(ph_region_folder_id(dir), 0);
}

/* What is in the identity file is anybody's. */
static void test_identities(void)
{
    static const char *const bad[] = {"", "PORTHOLE-HXFR-1", "PORTHOLE-HXFR-1 ",
            "PORTHOLE-HXFR-1 123", "PORTHOLE-HXFR-1 0123456789ABCDEF",
            "PORTHOLE-HXFR-2 0123456789abcdef",
            "PORTHOLE-HXFR-1 0000000000000000"};
    snprintf(path, sizeof(path), "%s/" PH_HXFR_REGION_FILE, dir);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        AUTOCLOSE int fd =
                open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        CHECK(write(fd, bad[i], strlen(bad[i])) >= 0);
        CHECK_EQ(ph_region_folder_id(dir), 0);
    }
    unlink(path);
}

int main(void)
{
    ph_log_init("test_share");
    CHECK(mkdtemp(dir) != NULL);
    test_memory();
    test_refused();
    test_folder();
    test_identities();
    CHECK_EQ(rmdir(dir), 0);
    return CHECK_DONE();
}
